package tensor

import (
	"fmt"
	"slices"
)

// Raw reads body as the bytes of the one required input, as application/octet-stream and the raw requests of the Open Inference
// Protocol carry them: elements little-endian in row-major order, nothing before or after them; types under 8 bits are packed, the
// first element in the low bits. The shape is the declared one; of a single free dimension the size follows from the length of
// body, and an open rank becomes rank 1. Two free dimensions, or a length that does not divide, are an error, as are strings, which
// have no fixed size, and a bool that is neither 0 nor 1.
//
// No byte is copied where body is aligned for the type, which memory from make is: the value then is valid as long as body is
// unchanged, besides what [Batch] says. A mistake in body is an [*Error] and leaves into without values.
func (d *Decoder) Raw(body []byte, into *Batch) error {
	p, err := d.octets("raw", body, into)
	if err == nil {
		err = p.raw(into)
	}
	if err != nil {
		into.Reset(0)
	}
	return err
}

// AppendRaw appends the bytes of v as [Decoder.Raw] reads them. It is an error for what is not a tensor and for strings.
func AppendRaw(dst []byte, v Value) ([]byte, error) {
	if _, err := denseElements(&v); err != nil {
		return dst, err
	}
	if v.DType == String {
		return dst, fmt.Errorf("tensor: %v has no raw bytes", v.DType)
	}
	return append(dst, v.Data...), nil
}

func (p *octets) raw(into *Batch) error {
	d := p.t.DType
	if d.Bits() == 0 {
		return p.fault(0, "%v is not accepted as raw bytes", d)
	}
	shape, err := p.rawShape()
	if err != nil {
		return err
	}
	n, ok := Elements(shape)
	size, fits := d.Bytes(n)
	switch {
	case !ok || !fits || n > p.o.MaxElements:
		return p.fault(0, "more than %d elements", p.o.MaxElements)
	case size != len(p.body):
		return p.fault(min(size, len(p.body)), "%d bytes, expected %d", len(p.body), size)
	}
	if d == Bool {
		if err := p.bools(p.body, 0, shape); err != nil {
			return err
		}
	}
	into.SetTensor(p.k, d, shape, p.own(into, d, p.body))
	return nil
}

// rawShape is the declared shape with its free dimension, if it has one, worked out from the length of the body. Where elements
// are packed, the padding of the last byte counts as elements: nothing tells them apart.
func (p *octets) rawShape() ([]int64, error) {
	bits := p.t.DType.Bits()
	if !p.t.Ranked {
		return []int64{int64(len(p.body) / max(bits/8, 1) * max(8/bits, 1))}, nil
	}
	shape := slices.Clone(p.t.Shape)
	free := -1
	for k, n := range shape {
		if n >= 0 {
			continue
		}
		if free >= 0 {
			return nil, p.fault(0, "raw bytes do not tell the sizes of two free dimensions")
		}
		free, shape[k] = k, 1
	}
	if free < 0 {
		return shape, nil
	}
	each, ok := Elements(shape)
	size, fits := p.t.DType.Bytes(max(each, 1))
	if !ok || !fits {
		return nil, p.fault(0, "more than %d elements", p.o.MaxElements)
	}
	if each == 0 {
		shape[free] = 0
		return shape, nil
	}
	if bits < 8 {
		shape[free] = int64(len(p.body) * (8 / bits) / each)
		return shape, nil
	}
	if shape[free] = int64(len(p.body) / size); len(p.body)%size != 0 {
		return nil, p.fault(len(p.body)/size*size, "%d bytes, expected a multiple of %d", len(p.body), size)
	}
	return shape, nil
}
