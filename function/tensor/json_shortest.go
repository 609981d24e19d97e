package tensor

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
)

// appendFloat32 appends the shortest decimal that reads back as the finite f, always with a point or an exponent.
func appendFloat32(b []byte, f float32) []byte {
	u := math.Float32bits(f)
	if u>>31 != 0 {
		b = append(b, '-')
		u &= 1<<31 - 1
	}
	if u == 0 {
		return append(b, "0.0"...)
	}
	m, e, ok := shortest(u)
	if !ok {
		m, e = shortestStrconv(u)
	}
	return appendDecimal(b, m, e)
}

// appendFloat64 is the same for float64, by way of strconv's digits.
func appendFloat64(b []byte, f float64) []byte {
	if x := math.Abs(f); x != 0 && (x < 1e-4 || x >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if bytes.IndexByte(b[start:], '.') >= 0 {
		return b
	}
	return append(b, ".0"...)
}

func trimZeros(m uint32, e int) (uint32, int) {
	for m%10 == 0 {
		m /= 10
		e++
	}
	return m, e
}

// shortest finds the shortest decimal m*10^e that reads back as the positive float32 with bits u.
//
// The value is scaled to x with nine digits before the point, and half the distance to the next float32 is scaled to h: a decimal
// reads back as the value exactly if it is nearer to x than h. x rounded to 8, to 7 and to 6 digits is tested so; nine digits
// always do. Six digits always survive decimal -> float32 -> decimal, so whatever is shorter than six is the 6-digit result
// without its trailing zeros. All of this is float64 arithmetic with errors below 1e-6 in units of the ninth digit; where that
// could matter (a candidate at the edge of the interval, a tie between two candidates), and for subnormals and powers of two,
// whose interval is lopsided, ok is false.
func shortest(u uint32) (m uint32, e int, ok bool) {
	ex, frac := int(u>>23), u&(1<<23-1)
	if s := 150 - ex; s >= 0 && s < 24 { // below 2^24 an integer is its own shortest form
		if c := 1<<23 | frac; bits.TrailingZeros32(c) >= s {
			m, e = trimZeros(c>>uint(s), 0)
			return m, e, true
		}
	}
	if ex == 0 || frac == 0 {
		return 0, 0, false
	}
	e = ((ex-127)*1233)>>12 - 8 // floor(log10(2^E)) - 8: right or one too small
	f := float64(math.Float32frombits(u))
	p := pow10[60-e]
	if f*p >= 1e9 {
		e++
		p = pow10[60-e]
	}
	x := f * p
	h := math.Float64frombits(uint64(ex-151+1023)<<52) * p
	m8, m7, m6 := int64(x*1e-1+0.5), int64(x*1e-2+0.5), int64(x*1e-3+0.5)
	d8, d7, d6 := math.Abs(x-float64(m8*10)), math.Abs(x-float64(m7*100)), math.Abs(x-float64(m6*1000))
	const eps = 1e-6
	in, out := h-eps, h+eps
	switch {
	case d6 < out:
		m, e = trimZeros(uint32(m6), e+3)
		return m, e, d6 < in
	case d7 < out:
		return uint32(m7), e + 2, d7 < in && d7 < 50-eps
	case d8 < out:
		return uint32(m8), e + 1, d8 < in && d8 < 5-eps
	}
	m9 := int64(x + 0.5)
	return uint32(m9), e, math.Abs(x-float64(m9)) < 0.5-eps
}

// shortestStrconv is the general way: "d.ddde-xx" from strconv, taken apart.
func shortestStrconv(u uint32) (m uint32, e int) {
	var t [24]byte
	s := strconv.AppendFloat(t[:0], float64(math.Float32frombits(u)), 'e', -1, 32)
	i := 0
	for ; s[i] != 'e'; i++ {
		if s[i] != '.' {
			m = m*10 + uint32(s[i]-'0')
		}
	}
	digits := i
	if digits > 1 {
		digits-- // the point
	}
	for _, c := range s[i+2:] {
		e = e*10 + int(c-'0')
	}
	if s[i+1] == '-' {
		e = -e
	}
	return trimZeros(m, e-(digits-1))
}

const twoDigits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// appendDecimal appends m*10^e, m without trailing zeros: plain from 0.0001 up to 16 digits before the point, else with an
// exponent of at least two digits, as Python does.
func appendDecimal(b []byte, m uint32, e int) []byte {
	var t [12]byte
	p := len(t)
	for m >= 100 {
		r := m % 100
		m /= 100
		p -= 2
		t[p] = twoDigits[2*r]
		t[p+1] = twoDigits[2*r+1]
	}
	if m >= 10 {
		p -= 2
		t[p] = twoDigits[2*m]
		t[p+1] = twoDigits[2*m+1]
	} else {
		p--
		t[p] = '0' + byte(m)
	}
	d := t[p:]
	n := len(d)
	x := n + e // the value is 0.d * 10^x
	switch {
	case e >= 0 && x <= 16:
		b = append(b, d...)
		b = append(b, "0000000000000000"[:e]...)
		return append(b, '.', '0')
	case x > 0 && x < n:
		b = append(b, d[:x]...)
		b = append(b, '.')
		return append(b, d[x:]...)
	case x <= 0 && x > -4:
		b = append(b, "0.0000"[:2-x]...)
		return append(b, d...)
	}
	b = append(b, d[0])
	if n > 1 {
		b = append(b, '.')
		b = append(b, d[1:]...)
	}
	x--
	b = append(b, 'e')
	if x < 0 {
		b = append(b, '-')
		x = -x
	} else {
		b = append(b, '+')
	}
	return append(b, '0'+byte(x/10), '0'+byte(x%10))
}
