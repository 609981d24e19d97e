package jsonscan

import "bytes"

// Strict is a configuration file as RFC 8259 has JSON: spaces stand in place of what readers of .NET and editors let through,
// a byte order mark at the start, // and /* */ comments, and a comma behind the last element. Offsets stay. What it returns
// need not be JSON: that is for its reader to tell.
func Strict(text []byte) []byte {
	out := bytes.Clone(text)
	i := 0
	if Has(out, 0, "\ufeff") {
		i = blank(out, 0, len("\ufeff"))
	}
	last, before := -1, -1 // the last bytes that count
	for i < len(out) {
		switch {
		case isSpace(out[i]):
			i++
			continue
		case Has(out, i, "//"):
			i = blank(out, i, bytes.IndexByte(out[i:], '\n'))
			continue
		case Has(out, i, "/*"):
			n := bytes.Index(out[i+2:], []byte("*/"))
			if n >= 0 {
				n += len("/**/")
			}
			i = blank(out, i, n)
			continue
		case (out[i] == '}' || out[i] == ']') && before >= 0 && out[last] == ',' && !opens(out[before]):
			out[last] = ' '
		}
		last, before = i, last
		if out[i] != '"' {
			i++
		} else if i = stringEnd(out, i); i < 0 {
			i = len(out)
		}
	}
	return out
}

// opens tells the bytes behind which an element is expected.
func opens(c byte) bool { return c == '[' || c == '{' || c == ',' || c == ':' }

// blank overwrites n bytes from i, all that is left when n is negative, and returns where they end.
func blank(b []byte, i, n int) int {
	if n < 0 {
		n = len(b) - i
	}
	for j := i; j < i+n; j++ {
		b[j] = ' '
	}
	return i + n
}
