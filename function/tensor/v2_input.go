package tensor

import (
	"fmt"
	"strings"
)

// v2Input is an input of a request, of which members may still be missing.
type v2Input struct {
	k       int   // the model's input, -1 before its name was read
	spec    *Spec // of input k
	t       *Type // of the tensor that it is
	dtype   DType // Undefined before datatype was read
	typeAt  int   // where that is
	dims    [maxRank]int64
	rank    int // of shape, -1 before it was read
	shapeAt int
	n       int  // elements of shape
	checked bool // all of that goes together and with the model
	size    int  // binary_data_size, -1 when absent
	sizeAt  int
	data    int // where data is, -1 when absent
	dataEnd int // -1 when it was decoded
}

const (
	v2Name = 1 << iota
	v2Shape
	v2DataType
	v2Parameters
	v2Data
)

// input reads the input at text[start].
func (p *v2) input(start int) (end int, err error) {
	in := &p.in
	in.k, in.dtype, in.rank, in.size, in.data, in.checked = -1, Undefined, -1, -1, -1, false
	seen := 0
	end, err = p.object(start, func(name []byte, i int) (end int, err error) {
		switch string(name) {
		case "name":
			if err := p.once(&seen, v2Name, i); err != nil {
				return i, err
			}
			return p.inputName(i)
		case "datatype":
			if err := p.once(&seen, v2DataType, i); err != nil {
				return i, err
			}
			return p.datatype(i)
		case "shape":
			if err := p.once(&seen, v2Shape, i); err != nil {
				return i, err
			}
			return p.shape(i)
		case "parameters":
			if err := p.once(&seen, v2Parameters, i); err != nil || p.null(i) {
				return i + 4, err
			}
			return p.inputParameters(i)
		case "data":
			if err := p.once(&seen, v2Data, i); err != nil || p.null(i) {
				return i + 4, err
			}
			in.data, in.dataEnd = i, -1
			if seen&(v2Name|v2DataType|v2Shape) == v2Name|v2DataType|v2Shape && in.size < 0 && p.check() == nil {
				return p.values(i, len(p.text))
			}
			in.dataEnd, err = p.extent(i) // until all is known; what check said comes again
			return in.dataEnd, err
		}
		return p.skip(i)
	})
	if err != nil {
		return end, err
	}
	return end, p.finish(start, seen)
}

// finish does what could not be done before all members of the input at text[start] were read.
func (p *v2) finish(start, seen int) error {
	in := &p.in
	switch {
	case seen&v2Name == 0:
		return p.s.syntax(start, "name is missing")
	case seen&v2DataType == 0:
		return p.s.syntax(start, "datatype is missing (input %q %s)", in.spec.Name, in.spec.String())
	case seen&v2Shape == 0:
		return p.s.syntax(start, "shape is missing (input %q %s)", in.spec.Name, in.spec.String())
	}
	if err := p.check(); err != nil {
		return err
	}
	switch {
	case in.size >= 0 && in.data >= 0:
		return p.s.syntax(in.data, "data and the parameter binary_data_size are given (input %q %s)", in.spec.Name, in.spec.String())
	case in.size >= 0:
		return p.octets()
	case in.data < 0:
		return p.s.syntax(start, "data is missing (input %q %s)", in.spec.Name, in.spec.String())
	case in.dataEnd >= 0:
		end, err := p.values(in.data, in.dataEnd)
		if err == nil && end != in.dataEnd {
			err = p.s.syntax(end, "unexpected text after the value")
		}
		return under(".data", err)
	}
	return nil
}

// inputName finds the input that the string at text[i] names.
func (p *v2) inputName(i int) (end int, err error) {
	in := &p.in
	name, end, err := p.str(i)
	if err != nil {
		return i, err
	}
	k, ok := p.d.byName[string(name)]
	if !ok {
		return i, p.s.syntax(i, "unknown input %.100q %s", name, p.d.list())
	}
	in.k, in.spec = k, &p.d.inputs[k]
	p.s.spec = in.spec
	if p.b.Values[k].Kind != KindNone {
		return i, p.s.syntax(i, "input %q is given twice %s", in.spec.Name, p.d.list())
	}
	if in.t = tensorType(&in.spec.Type); in.t == nil || V2DType(in.t.DType) == "" {
		return i, p.s.syntax(i, "input %q %s cannot be expressed in this protocol", in.spec.Name, in.spec.String())
	}
	return end, nil
}

func (p *v2) datatype(i int) (end int, err error) {
	in := &p.in
	text, end, err := p.str(i)
	if err != nil {
		return i, err
	}
	in.typeAt = i
	for k := range v2Types {
		if v2Types[k].name == string(text) {
			in.dtype = v2Types[k].d
			return end, nil
		}
	}
	return i, p.s.syntax(i, "unknown datatype %.100q, expected one of %s", text, v2TypeNames())
}

func v2TypeNames() string {
	names := make([]string, len(v2Types))
	for k := range v2Types {
		names[k] = v2Types[k].name
	}
	return strings.Join(names, ", ")
}

func (p *v2) shape(i int) (end int, err error) {
	in := &p.in
	in.rank, in.shapeAt = 0, i
	return p.list(i, func(k, i int) (end int, err error) {
		if k == maxRank {
			return i, p.s.syntax(i, "a rank over %d is not supported", maxRank)
		}
		if i >= len(p.text) {
			return i, p.s.syntax(i, "the text ends inside an array")
		}
		in.dims[k], end, err = p.whole(i)
		in.rank = k + 1
		return end, err
	})
}

// inputParameters reads what says that the input comes as bytes after the JSON.
func (p *v2) inputParameters(i int) (end int, err error) {
	seen := 0
	return p.object(i, func(name []byte, i int) (end int, err error) {
		switch string(name) {
		case "binary_data_size":
			if err := p.once(&seen, 1, i); err != nil {
				return i, err
			}
			n, end, err := p.whole(i)
			if err == nil && n > int64(len(p.body)) {
				err = p.s.syntax(i, "%d bytes, the body has %d", n, len(p.body))
			}
			p.in.size, p.in.sizeAt = int(n), i
			return end, err
		case "shared_memory_region":
			return i, p.s.syntax(i, "shared memory is not supported")
		}
		return p.skip(i)
	})
}

// check compares the input's name, datatype and shape with what the model declares, and counts the elements.
func (p *v2) check() error {
	in, s := &p.in, p.s
	if in.checked {
		return nil
	}
	if in.dtype != in.t.DType {
		return under(".datatype", s.syntax(in.typeAt, "input %q: datatype %s, expected %s", in.spec.Name, V2DType(in.dtype), V2DType(in.t.DType)))
	}
	dims := in.dims[:in.rank]
	if in.t.Ranked {
		if in.rank != len(in.t.Shape) {
			return under(".shape", s.fault(in.shapeAt, "%s of rank %d, expected rank %d", v2Dims(dims), in.rank, len(in.t.Shape)))
		}
		for k, want := range in.t.Shape {
			if want >= 0 && dims[k] != want {
				return under(".shape"+index(k), s.fault(in.shapeAt, "%d, expected %d", dims[k], want))
			}
		}
	}
	n, ok := Elements(dims)
	if !ok || n > s.left {
		return under(".shape", s.fault(in.shapeAt, "%s has more than %d elements", v2Dims(dims), s.o.MaxElements))
	}
	in.n, in.checked = n, true
	return nil
}

// v2Dims is [1,3].
func v2Dims(dims []int64) string { return strings.ReplaceAll(fmt.Sprint(dims), " ", ",") }
