package tensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// V2 reads an inference request of the Open Inference Protocol (inference_rest.md). headerLength is the value of the header
// Inference-Header-Content-Length of the binary tensor extension (Triton, extension_binary_data.md): the length of the JSON
// part, after which the bytes of inputs follow; -1 without the header, when all is JSON; 0 when the body is the bytes of the
// only input. Values may lie in body: they are valid as long as it is. A mistake is an [*Error] and leaves into without
// values.
func (d *Decoder) V2(body []byte, headerLength int, req *V2Request, into *Batch) error {
	*req = V2Request{Outputs: req.Outputs[:0], bytes: req.bytes[:0]}
	into.Reset(len(d.inputs))
	if headerLength == 0 {
		return d.v2Raw(body, into)
	}
	text := body
	if headerLength > 0 {
		if headerLength > len(body) {
			return v2Fail(into, &Error{Offset: len(body), Msg: fmt.Sprintf("the JSON part has %d bytes by its header, the body has %d", headerLength, len(body))})
		}
		text = body[:headerLength]
	}
	s := &into.scan
	s.begin(text, d.o)
	err := d.v2Request(s, text, req, into)
	s.finish()
	if err == nil {
		err = d.v2Sections(body[len(text):], len(text), headerLength >= 0, req, into)
	}
	if err == nil {
		err = d.v2Missing(into)
	}
	return v2Fail(into, err)
}

func v2Fail(into *Batch, err error) error {
	if err == nil {
		return nil
	}
	into.Reset(0)
	return scanError(err)
}

// v2Raw is the body of a raw request. A single string is the whole body.
func (d *Decoder) v2Raw(body []byte, into *Batch) error {
	if d.required == 1 {
		if t := tensorType(&d.inputs[d.only].Type); t != nil && t.DType == String {
			into.Values[d.only] = OfStrings([]string{string(body)})
			return nil
		}
	}
	return d.Raw(body, into)
}

func (d *Decoder) v2Missing(into *Batch) error {
	for k := range d.inputs {
		if into.Values[k].Kind == KindNone && !d.inputs[k].Optional {
			return &Error{Offset: -1, Msg: fmt.Sprintf("input %q is missing %s", d.inputs[k].Name, d.list())}
		}
	}
	return nil
}

func (d *Decoder) v2Request(s *scan, text []byte, req *V2Request, into *Batch) error {
	inputs := [2]int{-1, -1}
	err := jsonscan.Object(text, func(name []byte, start, end int) error {
		null := v2Null(text, start, end)
		switch string(name) {
		case "inputs":
			if inputs[0] >= 0 {
				return &Error{Offset: start, Msg: `"inputs" is given twice`}
			}
			inputs = [2]int{start, end}
			return nil
		case "id":
			if null {
				return nil
			}
			id, err := v2String(text, start, end)
			req.ID, req.HasID = id, true
			return under("id", err)
		case "parameters":
			if err := v2Value(text, start, end); err != nil || null {
				return err
			}
			if text[start] != '{' {
				return &Error{Path: "parameters", Offset: start, Msg: "an object is expected"}
			}
			req.Parameters = text[start:end]
			return under("parameters", v2Bool(text, start, end, "binary_data_output", &req.BinaryOutput, nil))
		case "outputs":
			if null {
				return nil
			}
			return d.v2Outputs(text, start, end, req)
		}
		return v2Value(text, start, end)
	})
	if err != nil {
		return err
	}
	if inputs[0] < 0 || v2Null(text, inputs[0], inputs[1]) {
		if d.required == 0 {
			return nil
		}
		return &Error{Offset: -1, Msg: `"inputs" is missing: a list of {"name", "shape", "datatype", "data"} is expected ` + d.list()}
	}
	n := 0
	return v2Each(text, inputs[0], inputs[1], "inputs", func(start, end int) error {
		n++
		return under(v2Index("inputs", n-1), d.v2Input(s, text, start, end, req, into))
	})
}

func (d *Decoder) v2Outputs(text []byte, start, end int, req *V2Request) error {
	return v2Each(text, start, end, "outputs", func(start, end int) error {
		var o V2Output
		named := false
		err := v2Object(text, start, end, func(name []byte, start, end int) (err error) {
			switch string(name) {
			case "name":
				named = true
				o.Name, err = v2String(text, start, end)
				return err
			case "parameters":
				if err := v2Value(text, start, end); err != nil || v2Null(text, start, end) {
					return err
				}
				return v2Bool(text, start, end, "binary_data", &o.Binary, &o.HasBinary)
			}
			return v2Value(text, start, end)
		})
		path := v2Index("outputs", len(req.Outputs))
		switch {
		case err != nil:
			return under(path, err)
		case !named:
			return &Error{Path: path, Offset: start, Msg: `"name" is missing`}
		case slices.ContainsFunc(req.Outputs, func(p V2Output) bool { return p.Name == o.Name }):
			return &Error{Path: path, Offset: start, Msg: fmt.Sprintf("output %q is asked for twice", o.Name)}
		}
		req.Outputs = append(req.Outputs, o)
		return nil
	})
}

// v2Tensor is one input of a request as it is written.
type v2Tensor struct {
	name                string
	dtype               string
	shape               []int64
	named, typed, sized bool
	data                [2]int
	size, sizeAt        int // binary_data_size, -1 when absent
}

func (d *Decoder) v2Input(s *scan, text []byte, start, end int, req *V2Request, into *Batch) error {
	in := v2Tensor{data: [2]int{-1, -1}, size: -1}
	if err := v2Object(text, start, end, func(name []byte, start, end int) error { return in.member(text, name, start, end) }); err != nil {
		return err
	}
	if !in.named {
		return &Error{Offset: start, Msg: `"name" is missing`}
	}
	k, ok := d.byName[in.name]
	if !ok {
		return &Error{Offset: start, Msg: fmt.Sprintf("unknown input %.100q %s", in.name, d.list())}
	}
	spec := &d.inputs[k]
	if into.Values[k].Kind != KindNone || slices.ContainsFunc(req.bytes, func(b v2Bytes) bool { return b.input == k }) {
		return &Error{Offset: start, Msg: fmt.Sprintf("input %q is given twice", in.name)}
	}
	if err := in.check(spec, s.left, start); err != nil {
		return err
	}
	if in.size >= 0 {
		req.bytes = append(req.bytes, v2Bytes{k, in.size, in.sizeAt, in.shape})
		return nil
	}
	return under(".data", in.decode(s, into, spec, k))
}

func (in *v2Tensor) member(text, name []byte, start, end int) (err error) {
	switch string(name) {
	case "name":
		in.named = true
		in.name, err = v2String(text, start, end)
		return under(".name", err)
	case "datatype":
		in.typed = true
		in.dtype, err = v2String(text, start, end)
		return under(".datatype", err)
	case "shape":
		in.sized = true
		in.shape, err = v2Shape(text, start, end)
		return under(".shape", err)
	case "data":
		if !v2Null(text, start, end) {
			in.data = [2]int{start, end}
			return nil
		}
	case "parameters":
		if err := v2Value(text, start, end); err != nil || v2Null(text, start, end) {
			return err
		}
		return v2Object(text, start, end, func(name []byte, start, end int) error {
			if string(name) != "binary_data_size" {
				return v2Value(text, start, end)
			}
			n, err := strconv.Atoi(string(text[start:end]))
			if err != nil || n < 0 {
				return &Error{Path: ".parameters.binary_data_size", Offset: start, Msg: fmt.Sprintf("%.40s is not a number of bytes", text[start:end])}
			}
			in.size, in.sizeAt = n, start
			return nil
		})
	}
	return v2Value(text, start, end)
}

// check compares what is declared with what the model takes, before any element is read.
func (in *v2Tensor) check(spec *Spec, left, at int) error {
	t := tensorType(&spec.Type)
	fail := func(format string, a ...any) error {
		return &Error{Offset: at, Msg: fmt.Sprintf("input %q %s: ", spec.Name, spec.Type) + fmt.Sprintf(format, a...)}
	}
	switch {
	case t == nil || V2DType(t.DType) == "":
		return fail("cannot be expressed in this protocol")
	case !in.typed:
		return fail(`"datatype" is missing, expected %s`, V2DType(t.DType))
	case in.dtype != V2DType(t.DType):
		return fail("datatype %.40s, expected %s", in.dtype, V2DType(t.DType))
	case !in.sized:
		return fail(`"shape" is missing`)
	case in.size >= 0 && in.data[0] >= 0:
		return fail(`"data" and "binary_data_size" are both given`)
	case in.size < 0 && in.data[0] < 0:
		return fail(`"data" is missing`)
	case t.Ranked && len(in.shape) != len(t.Shape):
		return fail("shape %v has rank %d, expected %d", in.shape, len(in.shape), len(t.Shape))
	}
	for i, d := range in.shape {
		if t.Ranked && t.Shape[i] >= 0 && d != t.Shape[i] {
			return fail("shape %v has size %d on dimension %d, expected %d", in.shape, d, i, t.Shape[i])
		}
	}
	if n, ok := Elements(in.shape); !ok || n > left {
		return fail("shape %v has too many elements", in.shape)
	}
	return nil
}

// decode reads the elements from JSON: a flat list, or lists nested as the shape is.
func (in *v2Tensor) decode(s *scan, into *Batch, spec *Spec, k int) error {
	n, _ := Elements(in.shape)
	flat := Spec{Name: spec.Name, Type: Type{DType: tensorType(&spec.Type).DType, Ranked: true, Shape: []int64{int64(n)}}}
	start := in.data[0]
	inner := jsonscan.Space(s.text, start+1)
	switch {
	case s.text[start] != '[' && len(in.shape) == 0:
		flat.Shape = nil // a bare value
	case len(in.shape) > 1 && jsonscan.Has(s.text, inner, "["):
		flat.Shape = in.shape
	}
	if err := s.input(into, &flat, k, start, in.data[1]); err != nil {
		return err
	}
	sl := &into.slots[k]
	sl.shape = append(sl.shape[:0], in.shape...)
	into.Values[k].Shape = sl.shape
	return nil
}

// v2Sections gives the inputs that came as bytes their part of what follows the JSON.
func (d *Decoder) v2Sections(rest []byte, at int, binary bool, req *V2Request, into *Batch) error {
	if len(req.bytes) > 0 && !binary {
		return &Error{Offset: req.bytes[0].at, Msg: "binary_data_size without the header Inference-Header-Content-Length"}
	}
	total := 0
	for _, b := range req.bytes {
		if b.size > len(rest)-total {
			return &Error{Offset: b.at, Msg: fmt.Sprintf("input %q: %d bytes, but only %d are left in the body", d.inputs[b.input].Name, b.size, len(rest)-total)}
		}
		if err := d.v2Section(rest[total:total+b.size], at+total, b, into); err != nil {
			return err
		}
		total += b.size
	}
	if total != len(rest) {
		return &Error{Offset: at + total, Msg: fmt.Sprintf("%d bytes follow the JSON part, its inputs have %d", len(rest), total)}
	}
	return nil
}

func (d *Decoder) v2Section(data []byte, at int, b v2Bytes, into *Batch) error {
	spec := &d.inputs[b.input]
	t := tensorType(&spec.Type)
	n, _ := Elements(b.shape)
	fail := func(format string, a ...any) error {
		return &Error{Offset: at, Msg: fmt.Sprintf("input %q %s: ", spec.Name, spec.Type) + fmt.Sprintf(format, a...)}
	}
	if t.DType == String {
		strs, err := v2Strings(data, n)
		if err != nil {
			return fail("%v", err)
		}
		into.Values[b.input] = Value{Tensor: Tensor{DType: String, Shape: b.shape, Strings: strs}}
		return nil
	}
	if size, ok := t.DType.Bytes(n); !ok || size != len(data) {
		return fail("%d bytes, shape %v needs %d", len(data), b.shape, size)
	}
	p := octets{body: data, spec: spec, t: t, k: b.input, o: d.o}
	if t.DType == Bool {
		for i, v := range data {
			if v > 1 {
				return fail("element %d is %d, expected 0 or 1", i, v)
			}
		}
	}
	into.SetTensor(b.input, t.DType, b.shape, p.own(into, t.DType, data))
	return nil
}

// v2Strings reads n strings, each with its length in front.
func v2Strings(data []byte, n int) ([]string, error) {
	if n > len(data)/4 {
		return nil, fmt.Errorf("%d bytes cannot hold %d strings", len(data), n)
	}
	strs := make([]string, n)
	for i := range strs {
		if len(data) < 4 {
			return nil, fmt.Errorf("the bytes end before string %d of %d", i, n)
		}
		size := binary.LittleEndian.Uint32(data)
		data = data[4:]
		if uint64(size) > uint64(len(data)) {
			return nil, fmt.Errorf("string %d has %d bytes, only %d are left", i, size, len(data))
		}
		strs[i] = string(data[:size])
		data = data[size:]
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("%d bytes are left after %d strings", len(data), n)
	}
	return strs, nil
}

// v2Null tells that a value is null.
func v2Null(text []byte, start, end int) bool { return string(text[start:end]) == "null" }

// v2Value checks that text[start:end] is one JSON value.
func v2Value(text []byte, start, end int) error {
	i, err := jsonscan.Skip(text[:end], start, jsonscan.MaxDepth)
	if err == nil && i != end {
		err = &Error{Offset: i, Msg: "unexpected text after the value"}
	}
	return err
}

func v2String(text []byte, start, end int) (string, error) {
	if text[start] != '"' {
		return "", &Error{Offset: start, Msg: "a string is expected"}
	}
	b, i, err := jsonscan.Unquote(text[:end], start, nil)
	if err == nil && i != end {
		err = &Error{Offset: i, Msg: "unexpected text after the value"}
	}
	return string(b), err
}

// v2Object walks the members of the object text[start:end].
func v2Object(text []byte, start, end int, member func(name []byte, start, end int) error) error {
	if text[start] != '{' {
		return &Error{Offset: start, Msg: "an object is expected"}
	}
	err := jsonscan.Object(text[start:end], func(name []byte, from, to int) error { return member(name, start+from, start+to) })
	if e, ok := errors.AsType[*jsonscan.Error](err); ok {
		return &Error{Offset: e.Offset + start, Msg: e.Msg}
	}
	return err
}

// v2Each walks the elements of the list text[start:end]. Only their extent is found, as jsonscan.Object finds that of
// members: NaN may stand in them, and element checks what it reads.
func v2Each(text []byte, start, end int, path string, element func(start, end int) error) error {
	if text[start] != '[' {
		return &Error{Path: path, Offset: start, Msg: "a list is expected"}
	}
	i := jsonscan.Space(text[:end], start+1)
	for first := true; !first || !jsonscan.Has(text[:end], i, "]"); first = false {
		to, err := v2Extent(text[:end], i)
		if err == nil {
			err = element(i, to)
		}
		if err != nil {
			return err
		}
		if i = jsonscan.Space(text[:end], to); !jsonscan.Has(text[:end], i, ",") {
			break
		}
		i = jsonscan.Space(text[:end], i+1)
	}
	if !jsonscan.Has(text[:end], i, "]") {
		return &Error{Path: path, Offset: i, Msg: "expected ',' or ']'"}
	}
	if i++; i != end {
		return &Error{Path: path, Offset: i, Msg: "unexpected text after the list"}
	}
	return nil
}

// v2Extent is the end of the value at text[i].
func v2Extent(text []byte, i int) (int, error) {
	if i >= len(text) || text[i] != '{' && text[i] != '[' {
		return jsonscan.Skip(text, i, jsonscan.MaxDepth)
	}
	for depth := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end, _, err := jsonscan.String(text, i)
			if err != nil {
				return 0, err
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, &Error{Offset: len(text), Msg: "the text ends inside an array or object"}
}

// v2Bool reads a boolean member of the object text[start:end].
func v2Bool(text []byte, start, end int, key string, to, given *bool) error {
	return v2Object(text, start, end, func(name []byte, start, end int) error {
		if string(name) != key {
			return nil // checked already
		}
		switch string(text[start:end]) {
		case "true":
			*to = true
		case "false":
			*to = false
		default:
			return &Error{Path: "." + key, Offset: start, Msg: "true or false is expected"}
		}
		if given != nil {
			*given = true
		}
		return nil
	})
}

func v2Shape(text []byte, start, end int) ([]int64, error) {
	shape := []int64{}
	err := v2Each(text, start, end, "", func(start, end int) error {
		n, err := strconv.ParseInt(string(text[start:end]), 10, 64)
		if err != nil || n < 0 || len(shape) == maxRank {
			return &Error{Path: index(len(shape)), Offset: start, Msg: fmt.Sprintf("%.40s is not a size", text[start:end])}
		}
		shape = append(shape, n)
		return nil
	})
	return shape, err
}
