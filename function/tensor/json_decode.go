package tensor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// DecodeOptions bounds what one call of [Decoder.JSON] or [Decoder.CSV] may hold. Zero means the default.
type DecodeOptions struct {
	MaxElements    int  // most elements of all tensors together, a part of a sequence counting for 16 more; 1<<26
	MaxDepth       int  // deepest nesting of an array, at most 32; 16
	MaxStringBytes int  // most bytes of all strings together; 64 MiB
	Lenient        bool // numeric inputs take true and false for 1 and 0, and numbers in quotes
}

// Decoder reads values for a fixed list of inputs. It may be used by several goroutines at once.
type Decoder struct {
	inputs   []Spec
	byName   map[string]int
	o        DecodeOptions
	required int // inputs that may not be left out
	only     int // the required input, if there is one
}

// NewDecoder prepares a Decoder for the inputs of a model.
func NewDecoder(inputs []Spec, o DecodeOptions) *Decoder {
	if o.MaxElements <= 0 {
		o.MaxElements = 1 << 26
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = 16
	}
	o.MaxDepth = min(o.MaxDepth, maxRank)
	if o.MaxStringBytes <= 0 {
		o.MaxStringBytes = 64 << 20
	}
	d := &Decoder{inputs: inputs, byName: make(map[string]int, len(inputs)), o: o, only: -1}
	for i := range inputs {
		d.byName[inputs[i].Name] = i
		if !inputs[i].Optional {
			d.required++
			d.only = i
		}
	}
	return d
}

// JSON reads data, the whole of what a request says under "data", into the values of into: value i is input i, of KindNone where
// an optional one was left out. One required input takes data itself; any number takes an object by input name, or a table:
//
//   - {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}, the index optional and without effect. An object is that
//     when it has columns and data and no member that is named like an input, save that one of these two may be.
//   - [{"a": 1, "b": 2}, {"a": 3, "b": 4}], records of the same members in any order. An array that begins with an object is that
//     unless the one required input is a sequence or a map.
//
// A table whose columns all are inputs gives each of them its cells, stacked along the first dimension: values or, for inputs of
// more dimensions, arrays. A table none of whose columns is an input is the one required tensor, of rows and columns.
//
// Wherever a string is expected, {"b64": "…"} gives any bytes, and where an innermost array of uint8 is expected, its elements:
// base64 of the standard alphabet with padding. One object of b64 alone is that, not a record, for such an input, unless an input
// has this name.
//
// The values are valid as long as into's memory is. A mistake in data is an [*Error] and leaves into without values.
func (d *Decoder) JSON(data []byte, into *Batch) error {
	into.Reset(len(d.inputs))
	s := &into.scan
	s.begin(data, d.o)
	err := d.decode(s, data, into)
	s.finish()
	if err != nil {
		into.Reset(0)
		return under("data", scanError(err))
	}
	return nil
}

// begin makes s ready for one call. A short text is copied, with zeros after it, so that the quick readers, which look at more
// bytes than a number has, serve its end, too.
func (s *scan) begin(data []byte, o DecodeOptions) {
	s.text, s.wide, s.o = data, data, o
	s.left, s.strLeft = o.MaxElements, o.MaxStringBytes
	if n := len(data) + lexRoom; n <= len(s.pad) {
		copy(s.pad[:], data)
		clear(s.pad[len(data):n])
		s.wide = s.pad[:n]
	}
}

// finish lets go of what s does not own.
func (s *scan) finish() {
	s.text, s.wide, s.words, s.mem, s.spec = nil, nil, nil, nil, nil
	s.table.clear()
}

func (d *Decoder) decode(s *scan, data []byte, into *Batch) error {
	i := jsonscan.Space(data, 0)
	switch {
	case i >= len(data):
		return s.syntax(i, "a value is expected, the text is empty")
	case data[i] == '[' && d.areRecords(data, i):
		return d.records(s, i, into)
	case d.required == 1 && (data[i] != '{' || !d.named(data, i)):
		return s.input(into, &d.inputs[d.only], d.only, i, len(data))
	case d.required == 0 && nothing(data, i):
		return nil
	case data[i] == '{':
		return d.object(s, data, into)
	case len(d.inputs) == 0:
		return s.syntax(i, "the model takes no inputs, found %s", s.found(i))
	default:
		return s.syntax(i, "an object of inputs by name is expected, found %s %s", s.found(i), d.list())
	}
}

// nothing tells that data is null or [], which leave all inputs out as {} does.
func nothing(data []byte, i int) bool {
	end := i + len("null")
	if !jsonscan.Has(data, i, "null") {
		if data[i] != '[' {
			return false
		}
		if end = jsonscan.Space(data, i+1); !jsonscan.Has(data, end, "]") {
			return false
		}
		end++
	}
	return jsonscan.Space(data, end) == len(data)
}

// named tells whether the object at data[i] is one of inputs by name. For an input that is no object itself it can be nothing else;
// for a map it is when all its keys are inputs' names.
func (d *Decoder) named(data []byte, i int) bool {
	t := within(&d.inputs[d.only].Type)
	if t.Kind != KindMap {
		return !d.isBase64(data, i, t)
	}
	members, known := 0, true
	err := jsonscan.Object(data, func(name []byte, _, _ int) error {
		_, ok := d.byName[string(name)]
		known = known && ok
		members++
		return nil
	})
	return err == nil && known && members > 0
}

// within is what an optional holds.
func within(t *Type) *Type {
	for t.Kind == KindOptional && t.Elem != nil {
		t = t.Elem
	}
	return t
}

func (d *Decoder) object(s *scan, data []byte, into *Batch) error {
	first := true
	err := jsonscan.Object(data, func(name []byte, start, end int) error {
		if first && splitMember(name) >= 0 && d.isSplit(data) {
			return errSplit
		}
		first = false
		k, ok := d.byName[string(name)]
		if !ok {
			return s.syntax(start, "unknown input %.100q %s", name, d.list())
		}
		if into.Values[k].Kind != KindNone {
			return s.syntax(start, "input %q is given twice %s", name, d.list())
		}
		if err := s.input(into, &d.inputs[k], k, start, end); err != nil {
			return under("."+d.inputs[k].Name, err)
		}
		return nil
	})
	switch {
	case err == nil:
		return d.complete(into)
	case errors.Is(err, errSplit):
		return d.split(s, data, into)
	}
	return err
}

// complete tells that a required input was left out.
func (d *Decoder) complete(into *Batch) error {
	for k := range d.inputs {
		if into.Values[k].Kind == KindNone && !d.inputs[k].Optional {
			return &Error{Offset: -1, Msg: fmt.Sprintf("input %q is missing %s", d.inputs[k].Name, d.list())}
		}
	}
	return nil
}

// list is (inputs: "x" float32[N,3], "y" int64[]).
func (d *Decoder) list() string {
	if len(d.inputs) == 0 {
		return "(the model takes no inputs)"
	}
	var b strings.Builder
	b.WriteString("(inputs: ")
	for k := range d.inputs {
		in := &d.inputs[k]
		if k > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(in.Name) + " " + in.String())
		if in.Optional {
			b.WriteString(" optional")
		}
	}
	b.WriteByte(')')
	return b.String()
}
