package tensor

import (
	"bytes"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// codecV2String is the codec of strings without the base64 that [Decoder.JSON] takes: this protocol has its own way for bytes.
var codecV2String = codec{0, putV2String, rowByPut, putV2String}

func putV2String(s *scan, i, k int) (int, error) {
	if s.text[i] == '{' {
		return i, s.notA(i)
	}
	return putString(s, i, k)
}

// values reads the data of the input at hand, which has been checked, from text[i], and gives the offset after it. The text reaches to end.
func (p *v2) values(i, end int) (int, error) {
	in, s, b := &p.in, p.s, p.text
	slot := &p.b.slots[in.k]
	dims := in.dims[:in.rank]
	sizes := dims
	if b[i] == '[' && !jsonscan.Has(b, jsonscan.Space(b, i+1), "[") {
		p.flat[0] = int64(in.n)
		sizes = p.flat[:]
	}
	s.spec = in.spec
	s.use(in.dtype)
	if b[i] == '{' {
		return i, s.notA(i)
	}
	if in.dtype == String {
		s.c = &codecV2String
	}
	most := 0
	if s.c.size > 0 {
		most = min(in.n, (end-i)/2) + 1 // two bytes of text an element
	}
	s.reserve(slot, most, 0)
	s.strings, s.ends, s.n = s.strings[:0], s.ends[:0], 0
	after, err := s.array(i, &Type{DType: in.dtype, Ranked: true, Shape: sizes})
	if err != nil {
		return after, err
	}
	if in.dtype == Uint8 { // of which an array inside may be base64 in the other formats
		if k := bytes.IndexByte(b[i:after], '{'); k >= 0 {
			return i, s.notA(i + k)
		}
	}
	v := &p.b.Values[in.k]
	*v = Value{Tensor: Tensor{DType: in.dtype, Shape: p.keepShape()}}
	if in.dtype == String {
		slot.strs = s.texts(slot.strs[:0])
		v.Strings = slot.strs
	}
	v.Data = s.take()
	return after, nil
}

// keepShape is the shape of the input at hand in the Batch's memory.
func (p *v2) keepShape() []int64 {
	slot := &p.b.slots[p.in.k]
	slot.shape = append(slot.shape[:0], p.in.dims[:p.in.rank]...)
	return slot.shape
}
