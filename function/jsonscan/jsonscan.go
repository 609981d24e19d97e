// Package jsonscan walks JSON text without building values: where a value ends, what the members of an object are, what a
// string says. It is for those who decode the parts themselves. It reads RFC 8259 strictly: no leading zeros, no text after
// a value, no control character and no invalid UTF-8 in a string. It knows nothing about tensors or events.
package jsonscan

import "strconv"

// Error is a mistake in the text.
type Error struct {
	Offset int    // of the byte that is wrong, or of the start of the number that is; len of the text at its end
	Msg    string // what is wrong and what was expected
}

// Error is "expected ':' after a member name at byte 12".
func (e *Error) Error() string { return e.Msg + " at byte " + strconv.Itoa(e.Offset) }

func fail(i int, msg string) error { return &Error{Offset: i, Msg: msg} }

// Space is the offset of the first byte of b at or after i that is not JSON whitespace; len(b) when there is none.
func Space(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// trimEnd is the end of b[start:end] without the whitespace at its end.
func trimEnd(b []byte, start, end int) int {
	for end > start && isSpace(b[end-1]) {
		end--
	}
	return end
}

// Has reports whether the text of b at i is lit: null, true, false, NaN.
func Has(b []byte, i int, lit string) bool {
	return i >= 0 && len(b)-i >= len(lit) && string(b[i:i+len(lit)]) == lit
}

// Number is the offset after the JSON number at b[i].
func Number(b []byte, i int) (end int, err error) {
	start := i
	if i < len(b) && b[i] == '-' {
		i++
	}
	n := digits(b, i)
	switch {
	case n == i && i > start:
		return 0, fail(start, "a digit is expected after '-'")
	case n == i:
		return 0, fail(start, "expected a number")
	case b[i] == '0' && n > i+1:
		return 0, fail(start, "a number has a leading zero")
	}
	i = n
	if i < len(b) && b[i] == '.' {
		if n = digits(b, i+1); n == i+1 {
			return 0, fail(start, "a digit is expected after the point")
		}
		i = n
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if n = digits(b, i); n == i {
			return 0, fail(start, "a digit is expected in the exponent")
		}
		i = n
	}
	return i, nil
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}
