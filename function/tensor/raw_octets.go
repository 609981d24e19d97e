package tensor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// octets is one call that reads a body of bytes for the one required input.
type octets struct {
	what string // what the body is, for messages
	body []byte
	spec *Spec
	t    *Type // of the tensor
	k    int   // the input's place
	o    DecodeOptions
}

// octets finds the input that takes the body and makes into ready for it.
func (d *Decoder) octets(what string, body []byte, into *Batch) (*octets, error) {
	into.Reset(len(d.inputs))
	p := &octets{what: what, body: body, k: d.only, o: d.o}
	if len(d.inputs) == 1 {
		p.k = 0
	} else if d.required != 1 {
		return nil, p.syntax(0, "%s bytes are one input's value, the model needs %d %s", what, d.required, d.list())
	}
	p.spec = &d.inputs[p.k]
	if p.t = tensorType(&p.spec.Type); p.t == nil {
		return nil, p.fault(0, "%s is not accepted as %s bytes", p.spec.String(), what)
	}
	return p, nil
}

// tensorType is t, or the tensor that an optional holds; nil when it is no tensor.
func tensorType(t *Type) *Type {
	for t.Kind == KindOptional && t.Elem != nil {
		t = t.Elem
	}
	if t.Kind != KindTensor {
		return nil
	}
	return t
}

func (p *octets) syntax(i int, format string, a ...any) error {
	return &Error{Offset: min(i, len(p.body)), Msg: fmt.Sprintf(format, a...)}
}

// fault is a mistake that the declared input explains; the message names the input.
func (p *octets) fault(i int, format string, a ...any) error {
	return p.syntax(i, "%s (input %q %s)", fmt.Sprintf(format, a...), p.spec.Name, p.spec.String())
}

// own is data itself where it is aligned for d, a copy in the Batch where it is not.
func (p *octets) own(into *Batch, d DType, data []byte) []byte {
	if len(data) == 0 {
		return nil
	}
	if align := max(uintptr(swapSize(d)), 1); uintptr(unsafe.Pointer(&data[0]))%align == 0 {
		return slices.Clip(data)
	}
	mem := p.memory(into, len(data))
	copy(mem, data)
	return mem
}

// memory is n bytes of the Batch's own for the value.
func (p *octets) memory(into *Batch, n int) []byte {
	s := &into.slots[p.k]
	s.data = sized(s.data, n)
	return bytesOfWords(s.data, n)
}

// swapSize is the number of bytes that are in one order: an element's, or half of a complex number's.
func swapSize(d DType) int {
	if d == Complex64 || d == Complex128 {
		return d.Bits() / 16
	}
	return d.Bits() / 8
}

// bools checks that data, which starts at offset of the body, has only 0 and 1.
func (p *octets) bools(data []byte, offset int, shape []int64) error {
	for k, v := range data {
		if v > 1 {
			return p.at(shape, k, p.fault(offset+k, "a bool is byte 0 or 1, found %d", v))
		}
	}
	return nil
}

// at names element k of an array.
func (p *octets) at(shape []int64, k int, err error) error {
	places := make([]int64, len(shape))
	for i := len(shape) - 1; i >= 0; i-- {
		places[i] = int64(k) % shape[i]
		k /= int(shape[i])
	}
	var path strings.Builder
	path.WriteString(p.what)
	for _, n := range places {
		path.WriteString(index(int(n)))
	}
	return under(path.String(), err)
}

// denseElements is how many elements v has; an error when it is no tensor or when its data is not that of its shape.
func denseElements(v *Value) (int, error) {
	if v.Kind != KindTensor {
		return 0, errors.New("tensor: a value that is no tensor has no binary form")
	}
	n, ok := Elements(v.Shape)
	if !ok {
		return 0, fmt.Errorf("tensor: shape %v is too large", v.Shape)
	}
	if v.DType == String {
		if len(v.Strings) != n {
			return 0, fmt.Errorf("tensor: %d strings for shape %v", len(v.Strings), v.Shape)
		}
		return n, nil
	}
	if size, ok := v.DType.Bytes(n); !ok || size != len(v.Data) {
		return 0, fmt.Errorf("tensor: %d bytes for %v%v", len(v.Data), v.DType, v.Shape)
	}
	return n, nil
}
