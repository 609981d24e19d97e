package tensor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// DecodeOptions bounds what one call of [Decoder.JSON] may hold. Zero means the default.
type DecodeOptions struct {
	MaxElements    int  // most elements of all tensors together, a part of a sequence counting for 16 more; 1<<26
	MaxDepth       int  // deepest nesting of an array, at most 32; 16
	MaxStringBytes int  // most bytes of all strings together; 64 MiB
	LenientBool    bool // numeric inputs take true and false for 1 and 0
}

// Decoder reads JSON values for a fixed list of inputs. It may be used by several goroutines at once.
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
// an optional one was left out. One required input takes data itself; any number takes an object by input name. The values are
// valid as long as into's memory is. A mistake in data is an [*Error] and leaves into without values.
func (d *Decoder) JSON(data []byte, into *Batch) error {
	into.Reset(len(d.inputs))
	s := &into.scan
	s.begin(data, d.o)
	err := d.decode(s, data, into)
	s.text, s.wide, s.words, s.mem, s.spec = nil, nil, nil, nil, nil
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

func (d *Decoder) decode(s *scan, data []byte, into *Batch) error {
	i := jsonscan.Space(data, 0)
	switch {
	case i >= len(data):
		return s.syntax(i, "a value is expected, the text is empty")
	case d.required == 1 && (data[i] != '{' || !d.named(data)):
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

// named tells whether an object is one of inputs by name. For an input that is no object itself it can be nothing else; for a map
// it is when all its keys are inputs' names.
func (d *Decoder) named(data []byte) bool {
	t := &d.inputs[d.only].Type
	for t.Kind == KindOptional && t.Elem != nil {
		t = t.Elem
	}
	if t.Kind != KindMap {
		return true
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

func (d *Decoder) object(s *scan, data []byte, into *Batch) error {
	err := jsonscan.Object(data, func(name []byte, start, end int) error {
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
	if err != nil {
		return err
	}
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
