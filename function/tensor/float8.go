package tensor

import "math"

// smallFloat describes a float of 8 or 4 bits.
type smallFloat struct {
	exponent, mantissa int // bits
	bias               int
	unsigned           bool // no sign bit
	inf                bool // the highest exponent is infinity and NaN, as in IEEE 754
	nan                int  // the code of NaN, -1 for none
	nanSign            bool // nan has a sign: with the sign bit it is NaN, too
}

func smallFloatOf(d DType) smallFloat {
	switch d {
	case Float8E4M3FN:
		return smallFloat{exponent: 4, mantissa: 3, bias: 7, nan: 0x7f, nanSign: true}
	case Float8E4M3FNUZ:
		return smallFloat{exponent: 4, mantissa: 3, bias: 8, nan: 0x80}
	case Float8E5M2:
		return smallFloat{exponent: 5, mantissa: 2, bias: 15, inf: true, nan: 0x7f, nanSign: true}
	case Float8E5M2FNUZ:
		return smallFloat{exponent: 5, mantissa: 2, bias: 16, nan: 0x80}
	case Float8E8M0:
		return smallFloat{exponent: 8, bias: 127, unsigned: true, nan: 0xff}
	default: // Float4E2M1
		return smallFloat{exponent: 2, mantissa: 1, bias: 1, nan: -1}
	}
}

// signBit is the place of the sign.
func (s smallFloat) signBit() int { return s.exponent + s.mantissa }

// value is what the code is worth.
func (s smallFloat) value(code byte) float64 {
	c := int(code)
	sign := 1.0
	if !s.unsigned {
		if c == s.nan {
			return math.NaN()
		}
		if c>>s.signBit()&1 == 1 {
			sign = -1
		}
		c &= 1<<s.signBit() - 1
	}
	if c == s.nan && (s.nanSign || s.unsigned) {
		return math.NaN()
	}
	e, m := c>>s.mantissa, c&(1<<s.mantissa-1)
	if s.inf && e == 1<<s.exponent-1 {
		if m != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	if e == 0 && !s.unsigned {
		return math.Copysign(math.Ldexp(float64(m), 1-s.bias-s.mantissa), sign)
	}
	return sign * math.Ldexp(float64(m|1<<s.mantissa), e-s.bias-s.mantissa)
}

// highest is the code of the largest finite value.
func (s smallFloat) highest() int {
	c := 1<<s.signBit() - 1
	for v := s.value(byte(c)); math.IsNaN(v) || math.IsInf(v, 0); v = s.value(byte(c)) {
		c--
	}
	return c
}

// toSmallFloat is f rounded once to the type, nearest even; ok is false when the type cannot hold it: out of range, or an
// infinity, NaN, sign or zero that it does not have.
func toSmallFloat(d DType, f float64) (code byte, ok bool) {
	s := smallFloatOf(d)
	if math.IsNaN(f) {
		return byte(s.nan), s.nan >= 0
	}
	neg := math.Signbit(f)
	if neg && s.unsigned {
		return 0, false
	}
	sign := 0
	if neg {
		sign = 1 << s.signBit()
		f = -f
	}
	if math.IsInf(f, 0) {
		return byte(sign | (1<<s.exponent-1)<<s.mantissa), s.inf
	}
	// Codes rise with their values: find the last one that is not above f.
	lo, hi := 0, s.highest()
	if f < s.value(0) {
		return 0, false
	}
	for lo < hi {
		if mid := (lo + hi + 1) / 2; s.value(byte(mid)) <= f {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	below := s.value(byte(lo))
	if lo == s.highest() {
		// Beyond the largest value, half a step more still rounds to it.
		step := below - s.value(byte(lo-1))
		if over := f - below; over > step/2 || over == step/2 && lo&1 == 1 {
			return 0, false
		}
	} else if rest := f - below - (s.value(byte(lo+1)) - f); rest > 0 || rest == 0 && lo&1 == 1 {
		lo++
	}
	if lo == 0 && neg && !s.nanSign && s.nan == 0x80 {
		return 0, true // these types have no negative zero
	}
	return byte(sign | lo), true
}
