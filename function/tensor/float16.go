package tensor

import "math"

// toFloat16 is f rounded once to float16, nearest even; what is beyond the range becomes infinite.
func toFloat16(f float64) uint16 { return toHalf(f, 10, 15) }

// toBFloat16 is f rounded once to bfloat16, nearest even; what is beyond the range becomes infinite.
func toBFloat16(f float64) uint16 { return toHalf(f, 7, 127) }

// toHalf rounds f to a 16-bit float of digits mantissa bits and the given exponent bias.
func toHalf(f float64, digits, bias int) uint16 {
	u := math.Float64bits(f)
	sign := uint16(u >> 63 << 15)
	inf := uint16(2*bias+1) << digits
	e, m := int(u>>52&0x7ff), u&(1<<52-1)
	switch {
	case e == 0x7ff && m != 0:
		return sign | inf | 1<<(digits-1)
	case e == 0x7ff:
		return sign | inf
	case e == 0:
		return sign // a float64 subnormal is far below the smallest one here
	}
	m |= 1 << 52
	e += bias - 1023
	shift := 52 - digits
	if e <= 0 { // subnormal: one bit less for each exponent below 1
		if shift += 1 - e; shift > 54 {
			return sign
		}
		e = 0
	} else {
		e--
	}
	q := m >> shift
	rest, half := m&(1<<shift-1), uint64(1)<<(shift-1)
	if rest > half || rest == half && q&1 == 1 {
		q++
	}
	// The leading bit of q adds 1 to the exponent, and so does a carry.
	if q += uint64(e) << digits; q >= uint64(inf) {
		return sign | inf
	}
	return sign | uint16(q)
}

// fromFloat16 is the value of a float16, exactly.
func fromFloat16(v uint16) float64 { return fromHalf(v, 10, 15) }

// fromBFloat16 is the value of a bfloat16, exactly.
func fromBFloat16(v uint16) float64 { return fromHalf(v, 7, 127) }

func fromHalf(v uint16, digits, bias int) float64 {
	m := int(v) & (1<<digits - 1)
	e := int(v) & 0x7fff >> digits
	var f float64
	switch {
	case e == 2*bias+1 && m != 0:
		return math.NaN()
	case e == 2*bias+1:
		f = math.Inf(1)
	case e == 0:
		f = math.Ldexp(float64(m), 1-bias-digits)
	default:
		f = math.Ldexp(float64(m|1<<digits), e-bias-digits)
	}
	if v>>15 != 0 {
		return -f
	}
	return f
}
