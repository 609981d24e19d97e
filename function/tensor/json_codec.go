package tensor

import (
	"math"

	"github.com/scorefn/scorefn/function/jsonscan"
)

var (
	codecFloat32 = codec{4, putFloat32, rowFloat32, cellFloat32}
	codecFloat64 = codec{8, putFloat64, rowFloat64, cellFloat64}
	codecFloat16 = codec{2, putFloat16, rowByPut, putFloat16}
	codecInt8    = codec{1, putInt[int8], rowInt[int8], cellInt[int8]}
	codecInt16   = codec{2, putInt[int16], rowInt[int16], cellInt[int16]}
	codecInt32   = codec{4, putInt[int32], rowInt[int32], cellInt[int32]}
	codecInt64   = codec{8, putInt[int64], rowInt[int64], cellInt[int64]}
	codecUint8   = codec{1, putInt[uint8], rowInt[uint8], cellInt[uint8]}
	codecUint16  = codec{2, putInt[uint16], rowInt[uint16], cellInt[uint16]}
	codecUint32  = codec{4, putInt[uint32], rowInt[uint32], cellInt[uint32]}
	codecUint64  = codec{8, putInt[uint64], rowInt[uint64], cellInt[uint64]}
	codecSmall   = codec{1, putSmall, rowByPut, putSmall}
	codecFloat8  = codec{1, putFloat8, rowByPut, putFloat8}
	codecBool    = codec{1, putBool, rowByPut, putBool}
	codecString  = codec{0, putString, rowByPut, putString}
)

// codecOf is nil for types that JSON does not carry.
func codecOf(d DType) *codec {
	switch d {
	case Float32:
		return &codecFloat32
	case Float64:
		return &codecFloat64
	case Float16, BFloat16:
		return &codecFloat16
	case Int8:
		return &codecInt8
	case Int16:
		return &codecInt16
	case Int32:
		return &codecInt32
	case Int64:
		return &codecInt64
	case Uint8:
		return &codecUint8
	case Uint16:
		return &codecUint16
	case Uint32:
		return &codecUint32
	case Uint64:
		return &codecUint64
	case Int4, Uint4, Int2, Uint2:
		return &codecSmall
	case Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1:
		return &codecFloat8
	case Bool:
		return &codecBool
	case String:
		return &codecString
	default:
		return nil
	}
}

// putFloat16 reads a float16 or bfloat16: the float64 is rounded once.
func putFloat16(s *scan, i, k int) (int, error) {
	f, ok := 0.0, false
	end := i
	if i+lexRoom <= len(s.wide) {
		if mantissa, exp, neg, length := lex(s.wide, i); length > 0 {
			if f, ok = toFloat64(mantissa, exp); ok {
				f = math.Float64frombits(math.Float64bits(f) | uint64(neg)<<63)
				end += length
			}
		}
	}
	if !ok {
		var err error
		if f, end, err = s.float64At(i); err != nil {
			return i, err
		}
	}
	round, inf := toFloat16, uint16(0x7c00)
	if s.d == BFloat16 {
		round, inf = toBFloat16, 0x7f80
	}
	v := round(f)
	if v&0x7fff == inf && !math.IsInf(f, 0) {
		return i, s.outOfRange(i, end)
	}
	view[uint16](s.mem, k+1)[k] = v
	return end, nil
}

func putFloat8(s *scan, i, k int) (int, error) {
	f, end, err := s.float64At(i)
	if err != nil {
		return i, err
	}
	v, ok := toSmallFloat(s.d, f)
	if !ok {
		return i, s.outOfRange(i, end)
	}
	s.mem[k] = v
	return end, nil
}

func putBool(s *scan, i, k int) (int, error) {
	switch {
	case jsonscan.Has(s.text, i, "true"):
		s.mem[k] = 1
		return i + 4, nil
	case jsonscan.Has(s.text, i, "false"):
		s.mem[k] = 0
		return i + 5, nil
	}
	return i, s.notA(i)
}

func putString(s *scan, i, _ int) (int, error) {
	before := len(s.strings)
	var end int
	var err error
	switch s.text[i] {
	case '"':
		s.strings, end, err = jsonscan.Unquote(s.text, i, s.strings)
	case '{':
		s.strings, end, err = s.base64(i, s.strings)
	default:
		err = s.notA(i)
	}
	if err != nil {
		return i, scanError(err)
	}
	if s.strLeft -= len(s.strings) - before; s.strLeft < 0 {
		return i, s.fault(i, "more than %d bytes of strings", s.o.MaxStringBytes)
	}
	s.ends = append(s.ends, len(s.strings))
	return end, nil
}
