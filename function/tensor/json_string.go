package tensor

import (
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// AppendString appends s as a JSON string. Only what JSON demands is escaped: not <, > and &. A string that is not valid UTF-8 is
// an error.
func AppendString(dst []byte, s string) ([]byte, error) {
	const hex = "0123456789abcdef"
	plain := scanText(s, 0, true)
	if plain < len(s) { // what is ASCII is valid
		if err := validUTF8(s); err != nil {
			return dst, err
		}
	}
	dst = append(dst, '"')
	start := 0
	for i := scanText(s, plain, false); i < len(s); i = scanText(s, i+1, false) {
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c := s[i]; c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), nil
}

// scanText is the place in s, from i on, of the first byte that has to be escaped, or, where ascii counts too, that is none of
// ASCII; len(s) when there is none. It looks at eight bytes at once.
func scanText(s string, i int, ascii bool) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// The top bit of a byte says that the byte is below a space, a quote or a backslash. A borrow may set it in bytes above
		// such a one, but not below the first.
		quote, backslash := w^(ones*'"'), w^(ones*'\\')
		found := (w - ones*' ') | (quote - ones) | (backslash - ones)
		found &= ^w & tops
		if ascii {
			found |= w & tops
		}
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || ascii && c >= utf8.RuneSelf {
			return i
		}
	}
	return i
}

func validUTF8(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("tensor: a string is not valid UTF-8: %.40q", s)
	}
	return nil
}
