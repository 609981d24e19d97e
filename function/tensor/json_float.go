package tensor

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/scorefn/scorefn/function/jsonscan"
)

const (
	zeros = 0x3030303030303030 // "00000000"
	tens  = 0x7676767676767676 // 0x80 - 10 in each byte: adding it sets the top bit of every byte >= 10
	tops  = 0x8080808080808080
)

// digits8 counts the decimal digits at the start of the 8 bytes of v, first byte lowest, and gives their value. A digit byte XOR
// '0' is its value, every other byte becomes >= 10: one addition flags the others (a carry can only reach bytes after the first
// flagged one). The digits are shifted up so that leading zeros fill the word, then neighbours are combined: 8 digits, 4 pairs,
// 2 fours, 1 eight.
func digits8(v uint64) (value uint64, n uint) {
	t := v ^ zeros
	n = uint(bits.TrailingZeros64(((t+tens)|t)&tops)) >> 3 // 8 when all are digits
	if n == 0 {
		return 0, 0
	}
	t <<= (64 - 8*n) & 63
	t = (t*10 + t>>8) & 0x00FF00FF00FF00FF
	t = (t*100 + t>>16) & 0x0000FFFF0000FFFF
	return (t*10000 + t>>32) & 0xFFFFFFFF, n
}

// lexRoom is how many bytes lex may look at.
const lexRoom = 48

// lex takes apart a number of at most 19 digits: ±mantissa * 10^exp. length is 0 where the text is anything else, a wrong number
// among it: the general reader decides then.
func lex(b []byte, i int) (mantissa uint64, exp int, neg uint32, length int) {
	w := b[i : i+lexRoom : i+lexRoom]
	if w[0] == '-' {
		neg = 1
	}
	p := uint(neg)
	c := w[p]
	if c-'0' > 9 {
		return 0, 0, 0, 0
	}
	mantissa, n := digits8(binary.LittleEndian.Uint64(w[p:]))
	if c == '0' && n > 1 {
		return 0, 0, 0, 0
	}
	p += n
	if n == 8 {
		v, k := digits8(binary.LittleEndian.Uint64(w[p:]))
		if k == 8 {
			return 0, 0, 0, 0
		}
		mantissa = mantissa*pow10u[k] + v
		p += k
		n += k
	}
	if w[p] == '.' {
		p++
		v, k := digits8(binary.LittleEndian.Uint64(w[p:]))
		if k == 0 {
			return 0, 0, 0, 0
		}
		mantissa = mantissa*pow10u[k] + v
		p += k
		f := k
		if k == 8 {
			v, k = digits8(binary.LittleEndian.Uint64(w[p:]))
			mantissa = mantissa*pow10u[k] + v
			p += k
			f += k
			if k == 8 {
				v, k = digits8(binary.LittleEndian.Uint64(w[p:]))
				mantissa = mantissa*pow10u[k] + v
				p += k
				f += k
				if k == 8 {
					return 0, 0, 0, 0
				}
			}
		}
		if n+f > 19 {
			return 0, 0, 0, 0
		}
		exp = -int(f)
	}
	if w[p]|0x20 == 'e' {
		p++
		minus := false
		switch w[p] {
		case '-':
			minus = true
			p++
		case '+':
			p++
		}
		e := int(w[p] - '0')
		if e > 9 {
			return 0, 0, 0, 0
		}
		p++
		if d := w[p] - '0'; d <= 9 {
			e = e*10 + int(d)
			p++
			if w[p]-'0' <= 9 {
				return 0, 0, 0, 0
			}
		}
		if minus {
			e = -e
		}
		exp += e
	}
	return mantissa, exp, neg, int(p)
}

// toFloat32 is mantissa * 10^exp rounded to float64 and then to float32, as json and numpy do it. ok is false where the short
// way is not sure of that: x is within 3 units in the last place of the float64, so the float32 can only be wrong when x lies
// that close to the middle between two float32 (the low 29 bits are near 1<<28), or outside their normal range.
func toFloat32(mantissa uint64, exp int) (f float32, ok bool) {
	x := float64(mantissa)
	if exp == 0 {
		return float32(x), true // below 2^64: x is correctly rounded
	}
	if uint(exp+60) > 120 {
		return 0, false
	}
	x *= pow10[exp+60]
	low := math.Float64bits(x) & (1<<29 - 1)
	if low-(1<<28-8) < 16 || ((x < 1.2e-38 || x > 3.4e38) && mantissa != 0) {
		return 0, false
	}
	return float32(x), true
}

// toFloat64 is mantissa * 10^exp where one exact operation gives it.
func toFloat64(mantissa uint64, exp int) (f float64, ok bool) {
	if mantissa > 1<<53 {
		return 0, false
	}
	switch {
	case exp == 0:
		return float64(mantissa), true
	case exp > 0 && exp <= 22:
		return float64(mantissa) * pow10[60+exp], true
	case exp < 0 && exp >= -22:
		return float64(mantissa) / pow10[60-exp], true
	}
	return 0, false
}

// float64At reads the number at text[i], or what stands for one: NaN, Infinity and -Infinity, bare or as strings, null for NaN,
// and booleans if they are allowed. The result is correctly rounded; finite text beyond the range is an error.
func (s *scan) float64At(i int) (f float64, end int, err error) {
	b := s.text
	switch c := b[i]; {
	case c-'0' <= 9 || c == '-' && !jsonscan.Has(b, i, "-I"):
		if end, err = jsonscan.Number(b, i); err != nil {
			return 0, i, scanError(err)
		}
		// The text is a number: the only error left is that it is out of range.
		if f, err = strconv.ParseFloat(unsafe.String(&b[i], end-i), 64); err != nil {
			return 0, i, s.outOfRange(i, end)
		}
		return f, end, nil
	case c == '"':
		if s.quoted(i) {
			f, end, err = s.float64At(i + 1)
			return f, end + 1, err
		}
		for _, n := range nonFinite {
			if len(b)-i > len(n.text)+1 && b[i+1+len(n.text)] == '"' && jsonscan.Has(b, i+1, n.text) {
				return n.value(), i + len(n.text) + 2, nil
			}
		}
	case jsonscan.Has(b, i, "null"):
		return math.NaN(), i + 4, nil
	case s.o.Lenient && jsonscan.Has(b, i, "true"):
		return 1, i + 4, nil
	case s.o.Lenient && jsonscan.Has(b, i, "false"):
		return 0, i + 5, nil
	default:
		for _, n := range nonFinite {
			if jsonscan.Has(b, i, n.text) {
				return n.value(), i + len(n.text), nil
			}
		}
	}
	return 0, i, s.notA(i)
}

// quoted tells that text[i], a quote, begins a number in quotes, which lenient numeric inputs take.
func (s *scan) quoted(i int) bool {
	if !s.o.Lenient {
		return false
	}
	end, err := jsonscan.Number(s.text, i+1)
	return err == nil && jsonscan.Has(s.text, end, `"`)
}

type nonFiniteText struct {
	text string
	sign int // 0 is NaN
}

var nonFinite = [...]nonFiniteText{{"NaN", 0}, {"Infinity", 1}, {"-Infinity", -1}}

func (n nonFiniteText) value() float64 {
	if n.sign == 0 {
		return math.NaN()
	}
	return math.Inf(n.sign)
}

func putFloat32(s *scan, i, k int) (int, error) {
	f, end, err := s.float64At(i)
	if err != nil {
		return i, err
	}
	v := float32(f)
	if math.IsInf(float64(v), 0) && !math.IsInf(f, 0) {
		return i, s.outOfRange(i, end)
	}
	view[float32](s.mem, k+1)[k] = v
	return end, nil
}

func putFloat64(s *scan, i, k int) (int, error) {
	f, end, err := s.float64At(i)
	if err != nil {
		return i, err
	}
	view[float64](s.mem, k+1)[k] = f
	return end, nil
}

func cellFloat32(s *scan, i, k int) (int, error) {
	if i+lexRoom <= len(s.wide) {
		if mantissa, exp, neg, length := lex(s.wide, i); length > 0 {
			if f, ok := toFloat32(mantissa, exp); ok {
				view[float32](s.mem, k+1)[k] = math.Float32frombits(math.Float32bits(f) | neg<<31)
				return i + length, nil
			}
		}
	}
	return putFloat32(s, i, k)
}

func cellFloat64(s *scan, i, k int) (int, error) {
	if i+lexRoom <= len(s.wide) {
		if mantissa, exp, neg, length := lex(s.wide, i); length > 0 {
			if f, ok := toFloat64(mantissa, exp); ok {
				view[float64](s.mem, k+1)[k] = math.Float64frombits(math.Float64bits(f) | uint64(neg)<<63)
				return i + length, nil
			}
		}
	}
	return putFloat64(s, i, k)
}

func rowFloat32(s *scan, i int) (int, error) {
	b, w := s.text, s.wide
	dst := view[float32](s.mem, s.n+s.limit)[s.n:]
	for k := 0; ; {
		if k >= len(dst) {
			s.got, s.more = k, true
			return i, nil
		}
		ok := false
		if i+lexRoom <= len(w) {
			// A lone digit needs no arithmetic. The comma is asked for first: whether a number has a sign cannot be foretold.
			if c := w[i] - '0'; w[i+1] == ',' && c <= 9 {
				dst[k], ok = float32(c), true
				i++
			} else if mantissa, exp, neg, length := lex(w, i); length > 0 {
				var f float32
				if f, ok = toFloat32(mantissa, exp); ok {
					dst[k] = math.Float32frombits(math.Float32bits(f) | neg<<31)
					i += length
				}
			}
		}
		if !ok {
			var err error
			if i, err = putFloat32(s, i, s.n+k); err != nil {
				s.got = k
				return i, err
			}
		}
		k++
		if i+2 < len(b) && b[i] == ',' { // the usual separators: a comma, then perhaps one space
			j := i + 1
			if b[j] == ' ' {
				j++
			}
			if b[j] > ' ' {
				i = j
				continue
			}
		}
		var more bool
		var err error
		if i, more, err = s.next(i); !more {
			s.got = k
			return i, err
		}
	}
}

func rowFloat64(s *scan, i int) (int, error) {
	b, w := s.text, s.wide
	dst := view[float64](s.mem, s.n+s.limit)[s.n:]
	for k := 0; ; {
		if k >= len(dst) {
			s.got, s.more = k, true
			return i, nil
		}
		ok := false
		if i+lexRoom <= len(w) {
			if mantissa, exp, neg, length := lex(w, i); length > 0 {
				var f float64
				if f, ok = toFloat64(mantissa, exp); ok {
					dst[k] = math.Float64frombits(math.Float64bits(f) | uint64(neg)<<63)
					i += length
				}
			}
		}
		var err error
		if !ok {
			if i, err = putFloat64(s, i, s.n+k); err != nil {
				s.got = k
				return i, err
			}
		}
		k++
		if i+2 < len(b) && b[i] == ',' { // the usual separators: a comma, then perhaps one space
			j := i + 1
			if b[j] == ' ' {
				j++
			}
			if b[j] > ' ' {
				i = j
				continue
			}
		}
		var more bool
		if i, more, err = s.next(i); !more {
			s.got = k
			return i, err
		}
	}
}
