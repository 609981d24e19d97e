package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// plain is the offset of the first byte of b at or after i that is not simply itself in a string: a quote, a backslash, a
// control character or a byte of a longer UTF-8 sequence; len(b) when there is none. Eight bytes are tested at once: a borrow
// in the subtractions can only spoil bytes after the first one that is flagged.
func plain(b []byte, i int) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^('"'*ones), w^('\\'*ones)
		if m := ((quote-ones)&^quote | (slash-ones)&^slash | (w-0x20*ones)&^w | w) & tops; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(b) && b[i] >= 0x20 && b[i] < utf8.RuneSelf && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// String is the offset after the JSON string at b[i] == '"', which is checked; escaped tells that it holds a backslash, so
// that its text is not simply b[i+1:end-1].
func String(b []byte, i int) (end int, escaped bool, err error) {
	for i++; ; {
		if i = plain(b, i); i >= len(b) {
			return 0, false, fail(len(b), "the text ends inside a string")
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped, nil
		case c == '\\':
			escaped = true
			if _, i, err = escape(b, i); err != nil {
				return 0, false, err
			}
		case c < 0x20:
			return 0, false, fail(i, "a control character in a string")
		default:
			if i, err = sequence(b, i); err != nil {
				return 0, false, err
			}
		}
	}
}

// Unquote appends the text of the JSON string at b[i] to dst and gives the offset after the string. An escaped surrogate
// without its partner becomes U+FFFD. It is an error when there is no string or a wrong one; what was appended to dst until
// then is of no use. Time is linear in the text.
func Unquote(b []byte, i int, dst []byte) (text []byte, end int, err error) {
	if i >= len(b) || b[i] != '"' {
		return dst, i, fail(min(i, len(b)), "expected a string")
	}
	for i++; ; {
		start := i
		if i = plain(b, i); i >= len(b) {
			return dst, i, fail(len(b), "the text ends inside a string")
		}
		for err == nil && i < len(b) && b[i] >= utf8.RuneSelf {
			i, err = sequence(b, i)
		}
		if err != nil {
			return dst, i, err
		}
		dst = append(dst, b[start:i]...)
		if i >= len(b) {
			continue
		}
		switch c := b[i]; {
		case c == '"':
			return dst, i + 1, nil
		case c == '\\':
			var r rune
			if r, i, err = escape(b, i); err != nil {
				return dst, i, err
			}
			dst = utf8.AppendRune(dst, r)
		case c < 0x20:
			return dst, i, fail(i, "a control character in a string")
		}
	}
}

// sequence is the offset after the UTF-8 sequence of more than one byte at b[i].
func sequence(b []byte, i int) (int, error) {
	r, n := utf8.DecodeRune(b[i:])
	if r == utf8.RuneError && n == 1 {
		return i, fail(i, "a string is not valid UTF-8")
	}
	return i + n, nil
}

// escape reads the escape at b[i] == '\\', of two characters when they are a surrogate pair.
func escape(b []byte, i int) (r rune, end int, err error) {
	if i+1 >= len(b) {
		return 0, i, fail(len(b), "the text ends inside a string")
	}
	switch c := b[i+1]; c {
	case '"', '\\', '/':
		return rune(c), i + 2, nil
	case 'n':
		return '\n', i + 2, nil
	case 't':
		return '\t', i + 2, nil
	case 'r':
		return '\r', i + 2, nil
	case 'b':
		return '\b', i + 2, nil
	case 'f':
		return '\f', i + 2, nil
	case 'u':
		r, ok := hex4(b, i+2)
		if !ok {
			return 0, i, fail(i, "four hexadecimal digits are expected after \\u")
		}
		i += 6
		if !utf16.IsSurrogate(r) {
			return r, i, nil
		}
		if Has(b, i, `\u`) {
			if low, ok := hex4(b, i+2); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, i + 6, nil
				}
			}
		}
		return utf8.RuneError, i, nil
	}
	return 0, i, fail(i, "an unknown escape in a string")
}

func hex4(b []byte, i int) (r rune, ok bool) {
	if len(b)-i < 4 {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
