package tensor

import (
	"bytes"
	"encoding/base64"
	"errors"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// Bytes come as {"b64": "…"}, as TensorFlow Serving has it: in place of a string, and, for uint8, in place of an innermost array.
// Only the standard alphabet with its padding is read: a text must have one meaning, and the URL alphabet is what comes when
// somebody has encoded for another purpose.
var strictBase64 = base64.StdEncoding.Strict()

// base64 appends the bytes of the object at text[i] to dst and gives the offset after it.
func (s *scan) base64(i int, dst []byte) (out []byte, end int, err error) {
	b := s.text
	start := i
	if i = jsonscan.Space(b, i+1); !jsonscan.Has(b, i, `"b64"`) {
		return dst, start, s.notA(start)
	}
	if i = jsonscan.Space(b, i+len(`"b64"`)); !jsonscan.Has(b, i, ":") {
		return dst, i, s.syntax(i, "expected ':' after a member name")
	}
	if i = jsonscan.Space(b, i+1); !jsonscan.Has(b, i, `"`) {
		return dst, i, s.unexpected(i, "a string of base64")
	}
	end, escaped, err := jsonscan.String(b, i)
	if err != nil {
		return dst, i, scanError(err)
	}
	text := b[i+1 : end-1]
	if escaped { // some writers escape '/'
		if s.key, _, err = jsonscan.Unquote(b, i, s.key[:0]); err != nil {
			return dst, i, scanError(err)
		}
		text = s.key
	}
	bad := bytes.IndexAny(text, "\r\n") // which the package ignores
	if bad < 0 {
		dst, err = strictBase64.AppendDecode(dst, text)
		if e, ok := errors.AsType[base64.CorruptInputError](err); ok {
			bad = int(e)
		}
	}
	if bad >= 0 {
		at := i
		if !escaped {
			at += 1 + bad
		}
		return dst, at, s.fault(at, "not base64 of the standard alphabet with padding: wrong at or after character %d", bad+1)
	}
	if i = jsonscan.Space(b, end); !jsonscan.Has(b, i, "}") {
		return dst, i, s.syntax(i, "expected '}' after the base64, found %s", s.found(i))
	}
	return dst, i + 1, nil
}

// rowBase64 reads the elements of an innermost array of bytes from the object at text[i], whose last byte it gives.
func rowBase64(s *scan, i int) (int, error) {
	var end int
	var err error
	if s.bytes, end, err = s.base64(i, s.bytes[:0]); err != nil {
		return i, err
	}
	if n := len(s.bytes); n > s.limit {
		if s.limit < s.left {
			return i, s.fault(i, "%d bytes, expected %d", n, s.limit)
		}
		return i, s.tooMany(i)
	}
	s.got = copy(s.mem[s.n:], s.bytes)
	return end - 1, nil
}

// isBase64 tells that the object at text[i] is bytes for an input of type t, not inputs by name or a record.
func (d *Decoder) isBase64(text []byte, i int, t *Type) bool {
	if t.Kind != KindTensor || t.DType != String && t.DType != Uint8 {
		return false
	}
	if _, ok := d.byName["b64"]; ok {
		return false
	}
	return jsonscan.Has(text, jsonscan.Space(text, i+1), `"b64"`)
}
