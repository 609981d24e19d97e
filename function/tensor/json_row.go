package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// appendRow appends the elements from to to with commas between them. The bytes are read one element at a time: they need not be
// aligned here.
func appendRow(dst []byte, t *Tensor, from, to int, o EncodeOptions) (_ []byte, err error) {
	le := binary.LittleEndian
	b := t.Data
	for k := from; k < to; k++ {
		if k > from {
			dst = append(dst, ',')
		}
		switch t.DType {
		case Float32:
			u := le.Uint32(b[4*k:])
			if u&0x7f800000 == 0x7f800000 {
				dst = appendNonFinite(dst, float64(math.Float32frombits(u)), o)
			} else {
				dst = appendFloat32(dst, math.Float32frombits(u))
			}
		case Float64:
			if f := math.Float64frombits(le.Uint64(b[8*k:])); f-f != 0 {
				dst = appendNonFinite(dst, f, o)
			} else {
				dst = appendFloat64(dst, f)
			}
		case Float16:
			dst = appendHalf(dst, le.Uint16(b[2*k:]), float16Type, o)
		case BFloat16:
			dst = appendHalf(dst, le.Uint16(b[2*k:]), bfloat16Type, o)
		case Int64:
			dst = strconv.AppendInt(dst, int64(le.Uint64(b[8*k:])), 10)
		case Int32:
			dst = strconv.AppendInt(dst, int64(int32(le.Uint32(b[4*k:]))), 10)
		case Int16:
			dst = strconv.AppendInt(dst, int64(int16(le.Uint16(b[2*k:]))), 10)
		case Int8:
			dst = strconv.AppendInt(dst, int64(int8(b[k])), 10)
		case Uint64:
			dst = strconv.AppendUint(dst, le.Uint64(b[8*k:]), 10)
		case Uint32:
			dst = strconv.AppendUint(dst, uint64(le.Uint32(b[4*k:])), 10)
		case Uint16:
			dst = strconv.AppendUint(dst, uint64(le.Uint16(b[2*k:])), 10)
		case Uint8:
			dst = strconv.AppendUint(dst, uint64(b[k]), 10)
		case Bool:
			dst = strconv.AppendBool(dst, b[k] != 0)
		case Int4:
			dst = strconv.AppendInt(dst, int64(int8(b[k/2]>>(k%2*4)<<4)>>4), 10)
		case Uint4:
			dst = strconv.AppendUint(dst, uint64(b[k/2]>>(k%2*4)&15), 10)
		case Int2:
			dst = strconv.AppendInt(dst, int64(int8(b[k/4]>>(k%4*2)<<6)>>6), 10)
		case Uint2:
			dst = strconv.AppendUint(dst, uint64(b[k/4]>>(k%4*2)&3), 10)
		case Float4E2M1:
			dst = appendExact(dst, smallFloatOf(t.DType).value(b[k/2]>>(k%2*4)&15), o)
		case Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0:
			dst = appendExact(dst, smallFloatOf(t.DType).value(b[k]), o)
		case String:
			if dst, err = AppendString(dst, t.Strings[k]); err != nil {
				return dst, err
			}
		default:
			return dst, fmt.Errorf("tensor: %v is not written as JSON", t.DType)
		}
	}
	return dst, nil
}

func appendNonFinite(dst []byte, f float64, o EncodeOptions) []byte {
	if o.NonFinite != NonFiniteToken {
		return append(dst, "null"...)
	}
	for _, n := range nonFinite {
		if v := n.value(); v == f || v != v && f != f {
			return append(dst, n.text...)
		}
	}
	return dst
}

// appendExact appends the value of an 8-bit or smaller float, which is a float32.
func appendExact(dst []byte, f float64, o EncodeOptions) []byte {
	if f-f != 0 {
		return appendNonFinite(dst, f, o)
	}
	return appendFloat32(dst, float32(f))
}
