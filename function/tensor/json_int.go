package tensor

import (
	"encoding/binary"
	"math"

	"github.com/scorefn/scorefn/function/jsonscan"
)

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// intRange is the range of an integer type; ok is false for other types.
func intRange(d DType) (lo int64, hi uint64, ok bool) {
	bits := d.Bits()
	switch d {
	case Int2, Int4, Int8, Int16, Int32, Int64:
		return -1 << (bits - 1), 1<<(bits-1) - 1, true
	case Uint2, Uint4, Uint8, Uint16, Uint32, Uint64:
		return 0, math.MaxUint64 >> (64 - bits), true
	default:
		return 0, 0, false
	}
}

// lexInt reads an integer of 1 to 15 digits; length is 0 where the text is anything else.
func lexInt(b []byte, i int) (value int64, length int) {
	w := b[i : i+24 : i+24]
	var neg int64
	if w[0] == '-' {
		neg = -1
	}
	p := uint(-neg)
	c := w[p]
	v, n := digits8(binary.LittleEndian.Uint64(w[p:]))
	if n == 0 || c == '0' && n > 1 {
		return 0, 0
	}
	p += n
	if n == 8 {
		low, k := digits8(binary.LittleEndian.Uint64(w[p:]))
		if k == 8 {
			return 0, 0
		}
		v = v*pow10u[k] + low
		p += k
	}
	if w[p] == '.' || w[p]|0x20 == 'e' {
		return 0, 0
	}
	return (int64(v) ^ neg) - neg, int(p)
}

// intAt reads the number at text[i] as a sign and a magnitude, exactly.
func (s *scan) intAt(i int) (u uint64, neg bool, end int, err error) {
	b := s.text
	if c := b[i]; c-'0' > 9 && c != '-' {
		switch {
		case c == '"' && s.quoted(i):
			u, neg, end, err = s.intAt(i + 1)
			return u, neg, end + 1, err
		case s.o.Lenient && jsonscan.Has(b, i, "true"):
			return 1, false, i + 4, nil
		case s.o.Lenient && jsonscan.Has(b, i, "false"):
			return 0, false, i + 5, nil
		}
		return 0, false, i, s.notA(i)
	}
	if end, err = jsonscan.Number(b, i); err != nil {
		return 0, false, i, scanError(err)
	}
	neg = b[i] == '-'
	for k := i; k < end; k++ {
		d := b[k] - '0'
		switch {
		case d <= 9:
			if u > (math.MaxUint64-uint64(d))/10 {
				return 0, false, i, s.outOfRange(i, end)
			}
			u = u*10 + uint64(d)
		case b[k] != '-':
			u, err = s.wholeAt(i, end)
			return u, neg, end, err
		}
	}
	return u, neg, end, nil
}

// wholeAt is the magnitude of the number text[i:end], which has a point or an exponent. It must be whole and at most 2^53: beyond
// that the same text means another number to those who read it as a float64. The decimal is worked out exactly.
func (s *scan) wholeAt(i, end int) (uint64, error) {
	const most = 1 << 53
	u, over := uint64(0), false // digits up to the last one that is not 0
	exp, point, pending := 0, false, 0
	k := i
	for ; k < end && s.text[k]|0x20 != 'e'; k++ {
		c := s.text[k]
		switch {
		case c == '.':
			point = true
			continue
		case c == '-':
			continue
		case point:
			exp--
		}
		if pending++; c == '0' {
			continue
		}
		for ; pending > 0 && !over; pending-- {
			u *= 10
			over = u > 10*most
		}
		pending = 0
		u += uint64(c - '0')
	}
	exp += pending
	if u == 0 {
		return 0, nil
	}
	if k < end {
		e, minus := 0, false
		for k++; k < end; k++ {
			switch c := s.text[k]; c {
			case '-':
				minus = true
			case '+':
			default:
				e = min(e*10+int(c-'0'), 1e8)
			}
		}
		if minus {
			e = -e
		}
		exp += e
	}
	if exp < 0 {
		return 0, s.fault(i, "%s is not a whole number", s.literal(i, end))
	}
	for ; exp > 0 && !over; exp-- {
		u *= 10
		over = u > most
	}
	if over || u > most {
		if _, hi, _ := intRange(s.d); hi <= most {
			return 0, s.outOfRange(i, end)
		}
		return 0, s.fault(i, "%s is over 2^53: such a whole number must be written without a point or exponent", s.literal(i, end))
	}
	return u, nil
}

// narrow is ±u as a T; ok is false when T cannot hold it.
func narrow[T integer](u uint64, neg bool) (v T, ok bool) {
	if neg {
		v = T(-u)
		return v, u == 0 || v < 0 && int64(v) == -int64(u) && u <= 1<<63
	}
	v = T(u)
	return v, v >= 0 && uint64(v) == u
}

func putInt[T integer](s *scan, i, k int) (int, error) {
	u, neg, end, err := s.intAt(i)
	if err != nil {
		return i, err
	}
	v, ok := narrow[T](u, neg)
	if !ok {
		return i, s.outOfRange(i, end)
	}
	view[T](s.mem, k+1)[k] = v
	return end, nil
}

// putSmall reads an element of under 8 bits into a byte of its own; pack puts them together at the end.
func putSmall(s *scan, i, k int) (int, error) {
	u, neg, end, err := s.intAt(i)
	if err != nil {
		return i, err
	}
	v, ok := narrow[int8](u, neg)
	lo, hi, _ := intRange(s.d)
	if !ok || int64(v) < lo || int64(v) > int64(hi) {
		return i, s.outOfRange(i, end)
	}
	s.mem[k] = byte(v)
	return end, nil
}

// pack puts n elements of bits bits, one a byte in mem, together: the first one in the lowest bits, as ONNX does.
func pack(mem []byte, n, bits int) []byte {
	per, mask := 8/bits, byte(1<<bits-1)
	for k := range n {
		v := (mem[k] & mask) << (k % per * bits)
		if k%per == 0 {
			mem[k/per] = v // behind what is read
		} else {
			mem[k/per] |= v
		}
	}
	return mem[:(n+per-1)/per]
}

func cellInt[T integer](s *scan, i, k int) (int, error) {
	if i+24 <= len(s.wide) {
		if v, length := lexInt(s.wide, i); length > 0 {
			if t := T(v); int64(t) == v && (t < 0) == (v < 0) {
				view[T](s.mem, k+1)[k] = t
				return i + length, nil
			}
		}
	}
	return putInt[T](s, i, k)
}

func rowInt[T integer](s *scan, i int) (int, error) {
	b, w := s.text, s.wide
	dst := view[T](s.mem, s.n+s.limit)[s.n:]
	for k := 0; ; {
		if k >= len(dst) {
			s.got, s.more = k, true
			return i, nil
		}
		ok := false
		if i+24 <= len(w) {
			if v, length := lexInt(w, i); length > 0 {
				if t := T(v); int64(t) == v && (t < 0) == (v < 0) {
					dst[k], ok = t, true
					i += length
				}
			}
		}
		var err error
		if !ok {
			if i, err = putInt[T](s, i, s.n+k); err != nil {
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
