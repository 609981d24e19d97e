package tensor

import "math"

// half is a 16-bit float type: how many bits its mantissa has, and what its exponent is counted from.
type half struct{ digits, bias int }

var (
	float16Type  = half{10, 15}
	bfloat16Type = half{7, 127}
)

// appendHalf appends the value of a 16-bit float in the fewest digits that round to it.
func appendHalf(dst []byte, u uint16, t half, o EncodeOptions) []byte {
	if u&0x7fff >= uint16(2*t.bias+1)<<t.digits {
		return appendNonFinite(dst, fromHalf(u, t.digits, t.bias), o)
	}
	if u>>15 != 0 {
		dst = append(dst, '-')
		u &= 0x7fff
	}
	if u == 0 {
		return append(dst, "0.0"...)
	}
	m, e := shortestHalf(u, t)
	return appendDecimal(dst, m, e)
}

// shortestHalf is the nearest decimal m*10^e of the fewest digits that reads back as the positive finite value with bits u. It
// does when it is nearer than half the distance to the next value on its side, or just as far and u is even. All of these are
// exact as float64, and five digits tell all values of 16 bits apart.
func shortestHalf(u uint16, t half) (m uint32, e int) {
	frac, ex := uint64(u)&(1<<t.digits-1), int(u)>>t.digits
	c := frac
	if ex > 0 {
		c |= 1 << t.digits
	}
	step := math.Float64frombits(uint64(max(ex, 1)-t.bias-t.digits+1023) << 52)
	f := float64(c) * step
	below, above := f-step/2, f+step/2
	if frac == 0 && ex > 1 { // the next one below is nearer
		below = f - step/4
	}
	e = (int(math.Float64bits(f)>>52)-1023)*1233>>12 + 1 // f < 10^e, once it is right: this may be one too small
	if f >= pow10[60+e] {
		e++
	}
	for range 5 {
		e--
		m = uint32(f*pow10[60-e] + 0.5)
		x := float64(m) * pow10[60+e]
		if m > 0 && (below < x && x < above || u&1 == 0 && (x == below || x == above)) {
			break
		}
	}
	return trimZeros(m, e)
}
