package tensor

import (
	"encoding/binary"
	"math"
	"strconv"
)

// badness is why an element does not become the other type.
type badness uint8

const (
	badRange badness = iota // finite, and beyond what the type holds
	badWhole                // not a whole number
)

// convertChunk is how many elements are converted at a time: their numbers lie on the stack.
const convertChunk = 256

// convert makes the n numbers of src, which need not be aligned, elements of type to. A type under 8 bits takes a byte an element
// in dst. bad is the first element that does not become one, -1 when all do.
//
// Integers pass through an int64 (a uint64 as the same bits), floats through a float64: both hold them exactly, so that there is
// one rounding at most.
func convert(dst []byte, to DType, src []byte, from DType, big bool, n int) (bad int, why badness) {
	size := from.Bits() / 8
	var swapped [convertChunk * 8]byte
	var ints [convertChunk]int64
	var floats [convertChunk]float64
	for k := 0; k < n; k += convertChunk {
		m := min(convertChunk, n-k)
		in := src[k*size : (k+m)*size]
		if big && size > 1 {
			swapBytes(swapped[:], in, size)
			in = swapped[:len(in)]
		}
		switch from {
		case Float16, Float32, Float64:
			loadFloats(floats[:m], in, from)
			bad, why = storeFloats(dst, to, k, floats[:m])
		default:
			loadInts(ints[:m], in, from)
			bad, why = storeInts(dst, to, k, ints[:m], from == Uint64), badRange
		}
		if bad >= 0 {
			return k + bad, why
		}
	}
	return -1, 0
}

func loadFloats(to []float64, b []byte, d DType) {
	le := binary.LittleEndian
	for i := range to {
		switch d {
		case Float64:
			to[i] = math.Float64frombits(le.Uint64(b[8*i:]))
		case Float32:
			to[i] = float64(math.Float32frombits(le.Uint32(b[4*i:])))
		default: // Float16
			to[i] = fromFloat16(le.Uint16(b[2*i:]))
		}
	}
}

func loadInts(to []int64, b []byte, d DType) {
	le := binary.LittleEndian
	for i := range to {
		switch d {
		case Int64, Uint64:
			to[i] = int64(le.Uint64(b[8*i:]))
		case Int32:
			to[i] = int64(int32(le.Uint32(b[4*i:])))
		case Uint32:
			to[i] = int64(le.Uint32(b[4*i:]))
		case Int16:
			to[i] = int64(int16(le.Uint16(b[2*i:])))
		case Uint16:
			to[i] = int64(le.Uint16(b[2*i:]))
		case Int8:
			to[i] = int64(int8(b[i]))
		default: // Uint8, Bool
			to[i] = int64(b[i])
		}
	}
}

// storeInts writes vs from element k of dst on. unsigned tells that they are the bits of a uint64.
func storeInts(dst []byte, d DType, k int, vs []int64, unsigned bool) (bad int) {
	if lo, hi, ok := intRange(d); ok {
		size := max(d.Bits()/8, 1)
		for i, v := range vs {
			negative := v < 0 && !unsigned
			if negative && v < lo || !negative && uint64(v) > hi {
				return i
			}
			putBits(dst, size, k+i, uint64(v))
		}
		return -1
	}
	if d == Float32 && !unsigned { // the usual case, in a loop of its own
		out := dst[4*k:]
		for i, v := range vs {
			binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(float32(v)))
		}
		return -1
	}
	for i, v := range vs {
		switch {
		case d == Float32:
			putBits(dst, 4, k+i, uint64(math.Float32bits(float32(uint64(v)))))
		case d == Float64 && unsigned:
			putBits(dst, 8, k+i, math.Float64bits(float64(uint64(v))))
		case d == Float64:
			putBits(dst, 8, k+i, math.Float64bits(float64(v)))
		default:
			if !storeSmall(dst, d, k+i, oddFloat64(v, unsigned)) {
				return i
			}
		}
	}
	return -1
}

// oddFloat64 is v for a type of few digits: where a float64 does not hold it, what is cut off stays as one odd bit, which keeps the
// rounding to that type from seeing a tie where there is none.
func oddFloat64(v int64, unsigned bool) float64 {
	negative := v < 0 && !unsigned
	u := uint64(v)
	if negative {
		u = -u
	}
	const cut = 1<<11 - 1
	if u>>53 != 0 && u&cut != 0 {
		u = u&^cut | (cut + 1)
	}
	if negative {
		return -float64(u)
	}
	return float64(u)
}

// storeFloats writes vs from element k of dst on, each rounded once.
func storeFloats(dst []byte, d DType, k int, vs []float64) (bad int, why badness) {
	if lo, hi, ok := intRange(d); ok {
		size := max(d.Bits()/8, 1)
		over := math.Ldexp(1, 64) // the limits as floats; hi+1 is a power of two
		if hi != math.MaxUint64 {
			over = float64(hi + 1)
		}
		for i, v := range vs {
			switch {
			case v != math.Trunc(v) || math.IsInf(v, 0):
				return i, badWhole
			case v < float64(lo) || v >= over:
				return i, badRange
			case v >= 1<<63:
				putBits(dst, size, k+i, uint64(v-1<<63)|1<<63)
			default:
				putBits(dst, size, k+i, uint64(int64(v)))
			}
		}
		return -1, 0
	}
	if d == Float32 {
		out := dst[4*k:]
		for i, v := range vs {
			f := float32(v)
			if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
				return i, badRange
			}
			binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(f))
		}
		return -1, 0
	}
	for i, v := range vs {
		ok := true
		switch d {
		case Float64:
			putBits(dst, 8, k+i, math.Float64bits(v))
		default:
			ok = storeSmall(dst, d, k+i, v)
		}
		if !ok {
			return i, badRange
		}
	}
	return -1, 0
}

// storeSmall rounds v to a float of 16 bits or less; false when it holds nothing like v.
func storeSmall(dst []byte, d DType, k int, v float64) bool {
	switch d {
	case Float16, BFloat16:
		round, inf := toFloat16, uint16(0x7c00)
		if d == BFloat16 {
			round, inf = toBFloat16, 0x7f80
		}
		u := round(v)
		putBits(dst, 2, k, uint64(u))
		return u&0x7fff != inf || math.IsInf(v, 0)
	default:
		code, ok := toSmallFloat(d, v)
		if ok {
			dst[k] = code
		}
		return ok
	}
}

func putBits(dst []byte, size, k int, u uint64) {
	switch size {
	case 1:
		dst[k] = byte(u)
	case 2:
		binary.LittleEndian.PutUint16(dst[2*k:], uint16(u))
	case 4:
		binary.LittleEndian.PutUint32(dst[4*k:], uint32(u))
	case 8:
		binary.LittleEndian.PutUint64(dst[8*k:], u)
	}
}

// npyText is the number at the start of b, for a message.
func npyText(b []byte, d DType, big bool) string {
	size := d.Bits() / 8
	var one [8]byte
	copy(one[:], b[:size])
	if big && size > 1 {
		swapBytes(one[:], b[:size], size)
	}
	switch d {
	case Float16, Float32, Float64:
		var f [1]float64
		loadFloats(f[:], one[:], d)
		bits := 32
		if d == Float64 {
			bits = 64
		}
		return strconv.FormatFloat(f[0], 'g', -1, bits)
	default:
		var v [1]int64
		if loadInts(v[:], one[:], d); d == Uint64 {
			return strconv.FormatUint(uint64(v[0]), 10)
		}
		return strconv.FormatInt(v[0], 10)
	}
}
