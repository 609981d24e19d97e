package azure

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// withoutComments is JSON with spaces in place of // and /* */ comments.
func withoutComments(text []byte) []byte {
	if !bytes.Contains(text, []byte("//")) && !bytes.Contains(text, []byte("/*")) {
		return text
	}
	out := bytes.Clone(text)
	for i := 0; i < len(out); {
		switch {
		case out[i] == '"':
			for i++; i < len(out) && out[i] != '"'; i++ {
				if out[i] == '\\' {
					i++
				}
			}
			i++
		case bytes.HasPrefix(out[i:], []byte("//")):
			i = blank(out, i, bytes.IndexByte(out[i:], '\n'))
		case bytes.HasPrefix(out[i:], []byte("/*")):
			end := bytes.Index(out[i+2:], []byte("*/"))
			if end >= 0 {
				end += 4
			}
			i = blank(out, i, end)
		default:
			i++
		}
	}
	return out
}

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

var spanPattern = regexp.MustCompile(`^(?:(\d{1,7})\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$`)

// timeSpan reads [d.]hh:mm[:ss[.fff]], as .NET writes times; -1 is none, which is 0 here.
func timeSpan(text string) (time.Duration, error) {
	if text == "-1" || text == "-00:00:00.0010000" || text == "-00:00:01" {
		return 0, nil
	}
	m := spanPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q: expected hh:mm:ss, or -1 for none", text)
	}
	n := func(i int) int {
		v, _ := strconv.Atoi(m[i]) // digits, or none
		return v
	}
	if n(2) > 23 || n(3) > 59 || n(4) > 59 {
		return 0, fmt.Errorf("%q: expected hh:mm:ss, or -1 for none", text)
	}
	d := time.Duration(((n(1)*24+n(2))*60+n(3))*60+n(4)) * time.Second
	if m[5] != "" {
		fraction, _ := strconv.Atoi((m[5] + "000000000")[:9]) // digits
		d += time.Duration(fraction)
	}
	if d == 0 {
		return 0, fmt.Errorf("%q: expected a time longer than none", text)
	}
	return d, nil
}
