package tensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// npyMaxStrings bounds what strings may be padded to: one long string among many short ones makes them all long.
const npyMaxStrings = 1 << 30

// AppendNPY appends v as an NPY file of version 1.0 (NEP 1), the same bytes as numpy.save writes. What numpy has no type for is
// written as the smallest one that holds it exactly: bfloat16 and the floats of 8 and 4 bits as <f4, integers of 4 and 2 bits as
// |i1 and |u1. Strings are <U, as long as the longest. It is an error for what is not a tensor, for a string that is not UTF-8, and
// for one that ends in a zero, which numpy takes for padding.
func AppendNPY(dst []byte, v Value) ([]byte, error) {
	n, err := denseElements(&v)
	if err != nil {
		return dst, err
	}
	longest := 0
	if v.DType == String {
		if longest, err = npyLongest(v.Strings); err != nil {
			return dst, err
		}
	}
	if dst, err = appendNPYHeader(dst, npyDescr(v.DType, longest), v.Shape); err != nil {
		return dst, err
	}
	switch v.DType {
	case String:
		for _, s := range v.Strings {
			k := 0
			for _, r := range s {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(r))
				k++
			}
			dst = append(dst, make([]byte, (longest-k)*4)...)
		}
	case BFloat16:
		for i := range n {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(binary.LittleEndian.Uint16(v.Data[2*i:]))<<16)
		}
	case Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1:
		small := smallFloatOf(v.DType)
		for i := range n {
			f := float32(small.value(packed(v.Data, i, v.DType.Bits())))
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f))
		}
	case Int4, Int2:
		bits := v.DType.Bits()
		for i := range n {
			dst = append(dst, byte(int8(packed(v.Data, i, bits)<<(8-bits))>>(8-bits)))
		}
	case Uint4, Uint2:
		for i := range n {
			dst = append(dst, packed(v.Data, i, v.DType.Bits()))
		}
	default:
		dst = append(dst, v.Data...)
	}
	return dst, nil
}

// packed is element i of elements of 8 bits or less.
func packed(b []byte, i, bits int) byte {
	per := 8 / bits
	return b[i/per] >> (i % per * bits) & byte(1<<bits-1)
}

// appendNPYHeader appends everything before the elements.
func appendNPYHeader(dst []byte, descr string, shape []int64) ([]byte, error) {
	if descr == "" {
		return dst, errors.New("tensor: elements without a type have no NPY form")
	}
	b := make([]byte, 0, 128)
	b = append(b, "{'descr': '"+descr+"', 'fortran_order': False, 'shape': ("...)
	for i, n := range shape {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, n, 10)
		if i < len(shape)-1 || i == 0 {
			b = append(b, ',')
		}
	}
	b = append(b, "), }"...)
	if len(shape) > 0 { // numpy leaves room for the first dimension to grow in place
		b = append(b, strings.Repeat(" ", max(21-len(strconv.FormatInt(shape[0], 10)), 0))...)
	}
	const before = len(npyMagic) + 4
	b = append(b, strings.Repeat(" ", 64-(before+len(b)+1)%64)...)
	b = append(b, '\n')
	if len(b) > npyMaxHeader {
		return dst, fmt.Errorf("tensor: rank %d is too much for NPY", len(shape))
	}
	dst = append(dst, npyMagic+"\x01\x00"...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(b)))
	return append(dst, b...), nil
}

func npyDescr(d DType, longest int) string {
	switch d {
	case Bool:
		return "|b1"
	case Int8, Int4, Int2:
		return "|i1"
	case Uint8, Uint4, Uint2:
		return "|u1"
	case Int16, Int32, Int64:
		return "<i" + strconv.Itoa(d.Bits()/8)
	case Uint16, Uint32, Uint64:
		return "<u" + strconv.Itoa(d.Bits()/8)
	case Float16, Float32, Float64:
		return "<f" + strconv.Itoa(d.Bits()/8)
	case BFloat16, Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1:
		return "<f4"
	case Complex64, Complex128:
		return "<c" + strconv.Itoa(d.Bits()/8)
	case String:
		return "<U" + strconv.Itoa(longest)
	default:
		return ""
	}
}

// npyLongest is the length in characters that all of ss are padded to.
func npyLongest(ss []string) (n int, err error) {
	n = 1 // numpy has no strings of no length
	for _, s := range ss {
		switch {
		case !utf8.ValidString(s):
			return 0, fmt.Errorf("tensor: a string is not valid UTF-8: %.40q", s)
		case strings.HasSuffix(s, "\x00"):
			return 0, fmt.Errorf("tensor: a string that ends in a zero has no NPY form: %.40q", s)
		}
		n = max(n, utf8.RuneCountInString(s))
	}
	if len(ss) > 0 && n > npyMaxStrings/4/len(ss) {
		return 0, fmt.Errorf("tensor: %d strings of up to %d characters take more than %d bytes as NPY", len(ss), n, npyMaxStrings)
	}
	return n, nil
}
