package function

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// undecodable is the error of a body that is no JSON, in the words of the reference server: those of Python's json.loads,
// with line, column and character, where it has words for it.
func undecodable(err error, body []byte, offset int) error {
	scan, ok := asScan(err)
	if !ok {
		return err
	}
	at := min(scan.Offset+offset, len(body))
	text, at := pythonText(scan.Msg, body, at)
	before := body[:at]
	line := 1 + bytes.Count(before, []byte{'\n'})
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return Errorf(Invalid, "POST body could not be decoded as JSON: %s: line %d column %d (char %d)", text, line, column, utf8.RuneCount(before))
}

// pythonText is Python's text for a mistake that jsonscan found at body[at], and the place that Python names.
func pythonText(msg string, body []byte, at int) (string, int) {
	const value, name, comma = "Expecting value", "Expecting property name enclosed in double quotes", "Expecting ',' delimiter"
	switch {
	case strings.HasPrefix(msg, "unexpected text after"):
		return "Extra data", at
	case strings.HasPrefix(msg, "expected a member name"):
		return name, at
	case strings.HasPrefix(msg, "expected ':'"):
		return "Expecting ':' delimiter", at
	case strings.HasPrefix(msg, "expected ','"):
		return comma, at
	case strings.HasPrefix(msg, "expected a value"), strings.HasPrefix(msg, "the text ends where a value"):
		return value, at
	case strings.HasPrefix(msg, "the text ends inside a string"):
		return "Unterminated string starting at", lastString(body)
	case strings.HasPrefix(msg, "the text ends inside an"):
		before := bytes.TrimRight(body[:at], " \t\r\n")
		switch c := before[len(before)-1]; { // there is the opening bracket at least
		case c == '{', c == ',' && strings.HasSuffix(msg, "an object"):
			return name, at
		case c == '[', c == ',', c == ':':
			return value, at
		}
		return comma, at
	case strings.HasPrefix(msg, "a control character"):
		return "Invalid control character at", at
	}
	return msg, at
}

// lastString is where the string starts that body ends inside.
func lastString(body []byte) int {
	for i := 0; ; {
		q := bytes.IndexByte(body[i:], '"')
		if q < 0 {
			return len(body)
		}
		end, _, err := jsonscan.String(body, i+q)
		if err != nil {
			return i + q
		}
		i = end
	}
}

func notUTF8(body []byte) error {
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && n == 1 {
			return Errorf(Invalid, "Input cannot be decoded as UTF-8: 'utf-8' codec can't decode byte %#x in position %d: %s", body[i], i, whyNotUTF8(body[i:]))
		}
		i += n
	}
	return nil
}

// whyNotUTF8 is Python's reason for a sequence that is not UTF-8.
func whyNotUTF8(b []byte) string {
	switch c := b[0]; {
	case c < 0xc2 || c > 0xf4:
		return "invalid start byte"
	case !utf8.FullRune(b):
		return "unexpected end of data"
	}
	return "invalid continuation byte"
}
