package tensor

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
)

// octets takes the bytes after the JSON of the input at hand, which has been checked.
func (p *v2) octets() error {
	in, s := &p.in, p.s
	const where = ".parameters.binary_data_size"
	left := len(p.body) - p.next
	switch {
	case in.size > 0 && len(p.text) == len(p.body):
		return under(where, s.fault(in.sizeAt, "%s, none follow the JSON part, whose length the header Inference-Header-Content-Length tells", counted(in.size, "byte")))
	case in.size > left:
		return under(where, s.fault(in.sizeAt, "%s, after the JSON %s", counted(in.size, "byte"), areLeft(left)))
	}
	section := p.body[p.next : p.next+in.size : p.next+in.size]
	if in.dtype == String {
		if err := p.byteStrings(section); err != nil {
			return err
		}
	} else {
		size, ok := in.dtype.Bytes(in.n)
		if !ok || size != in.size {
			return under(where, s.fault(in.sizeAt, "%s, expected %d for %s of shape %s",
				counted(in.size, "byte"), size, V2DType(in.dtype), v2Dims(in.dims[:in.rank])))
		}
		o := octets{body: p.body, spec: in.spec, t: in.t, k: in.k}
		if in.dtype == Bool && !onlyBools(section) {
			return under(".data", o.bools(section, p.next, in.dims[:in.rank]))
		}
		p.b.Values[in.k] = Value{Tensor: Tensor{DType: in.dtype, Shape: p.keepShape(), Data: o.own(p.b, in.dtype, section)}}
	}
	p.next += in.size
	s.left -= in.n
	return nil
}

func areLeft(n int) string {
	if n == 1 {
		return "1 is left"
	}
	return strconv.Itoa(n) + " are left"
}

// onlyBools tells that all bytes are 0 or 1.
func onlyBools(b []byte) bool {
	var other uint64
	for ; len(b) >= 8; b = b[8:] {
		other |= binary.LittleEndian.Uint64(b)
	}
	for _, c := range b {
		other |= uint64(c)
	}
	return other&^0x0101010101010101 == 0
}

// byteStrings reads strings, each after its length in 4 bytes.
func (p *v2) byteStrings(section []byte) error {
	const prefix = 4
	in, s := &p.in, p.s
	fault := func(i int, format string, a ...any) error {
		return &Error{Offset: p.next + i, Msg: fmt.Sprintf("%s (input %q %s)", fmt.Sprintf(format, a...), in.spec.Name, in.spec.String())}
	}
	if in.n > len(section)/prefix {
		return under(".data", fault(0, "%s, too few for %s, each after its length in 4 bytes", counted(len(section), "byte"), counted(in.n, "string")))
	}
	for i, k := 0, 0; ; k++ {
		left := len(section) - i
		switch {
		case k == in.n && left > 0:
			return under(".data", fault(i, "%s after the last of %s", counted(left, "byte"), counted(in.n, "string")))
		case k == in.n:
			p.takeStrings(section)
			return nil
		case left < prefix:
			return under(".data", fault(i, "the bytes end after %d of %s", k, counted(in.n, "string")))
		}
		n := uint64(binary.LittleEndian.Uint32(section[i:]))
		if i += prefix; n > uint64(left-prefix) {
			err := fault(i-prefix, "a string of %d bytes, %s", n, areLeft(left-prefix))
			return under(".data"+index(k), err)
		}
		if s.strLeft -= int(n); s.strLeft < 0 {
			return under(".data", fault(i, "more than %d bytes of strings", s.o.MaxStringBytes))
		}
		i += int(n)
	}
}

// takeStrings makes the value of a section that is right. One piece of memory is for all of its strings.
func (p *v2) takeStrings(section []byte) {
	in := &p.in
	slot := &p.b.slots[in.k]
	all := string(section)
	strs := slices.Grow(slot.strs[:0], in.n)
	for i := 0; i < len(section); {
		n := int(binary.LittleEndian.Uint32(section[i:]))
		i += 4
		strs = append(strs, all[i:i+n])
		i += n
	}
	slot.strs = strs
	p.b.Values[in.k] = Value{Tensor: Tensor{DType: String, Shape: p.keepShape(), Strings: strs}}
}

// v2Raw reads body as the bytes of the one required input.
func (d *Decoder) v2Raw(body []byte, into *Batch) error {
	p, err := d.octets("raw", body, into)
	if err != nil {
		return err
	}
	t := *p.t
	t.Shape = slices.Clone(t.Shape)
	if t.DType == String {
		return p.rawString(into, t.Shape)
	}
	if V2DType(t.DType) == "" {
		return p.fault(0, "%v cannot be expressed in this protocol", t.DType)
	}
	free := 0
	for _, n := range t.Shape {
		if n < 0 {
			free++
		}
	}
	if free == 2 && t.Shape[0] < 0 {
		t.Shape[0] = 1
		p.t = &t
	}
	return p.raw(into)
}

// rawString takes all of the body for one string.
func (p *octets) rawString(into *Batch, shape []int64) error {
	if !p.t.Ranked {
		shape = []int64{1}
	}
	for k, n := range shape {
		switch {
		case n < 0:
			shape[k] = 1
		case n != 1:
			return p.fault(0, "raw bytes are one string")
		}
	}
	if len(p.body) > p.o.MaxStringBytes {
		return p.fault(0, "more than %d bytes of strings", p.o.MaxStringBytes)
	}
	slot := &into.slots[p.k]
	slot.strs = append(slot.strs[:0], string(p.body))
	into.Values[p.k] = Value{Tensor: Tensor{DType: String, Shape: shape, Strings: slot.strs}}
	return nil
}
