package lambda

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// raw is the text of one JSON value inside an event, nil where the event has none. It is a part of the event's memory.
type raw []byte

// absent tells that the value is not there, or null.
func (r raw) absent() bool { return len(r) == 0 || r[0] == 'n' }

// yes tells that the value is true.
func (r raw) yes() bool { return string(r) == "true" }

// text is the string that r is, "" when it is absent.
func (r raw) text() (string, error) {
	if r.absent() {
		return "", nil
	}
	if r[0] == '"' {
		if end, escaped, err := jsonscan.String(r, 0); err == nil && end == len(r) && !escaped {
			return string(r[1 : end-1]), nil
		}
	}
	b, err := r.appendText(nil)
	return string(b), err
}

// appendText appends the string that r is to dst.
func (r raw) appendText(dst []byte) ([]byte, error) {
	if r.absent() {
		return dst, nil
	}
	dst, end, err := jsonscan.Unquote(r, 0, dst)
	if err == nil && end != len(r) {
		err = fmt.Errorf("unexpected text after the string %.20q", r)
	}
	return dst, err
}

// appendBase64 appends what the string r, base64 of RFC 4648 with padding, stands for.
func (r raw) appendBase64(dst []byte) ([]byte, error) {
	if r.absent() {
		return dst, nil
	}
	if len(r) < 2 || r[0] != '"' || r[len(r)-1] != '"' {
		return dst, fmt.Errorf("expected a string in base64, found %.20q", r)
	}
	text := []byte(r[1 : len(r)-1])
	if bytes.IndexByte(text, '\\') >= 0 { // "/" may be written as "\/"
		var err error
		if text, err = r.appendText(nil); err != nil {
			return dst, err
		}
	}
	return base64.StdEncoding.AppendDecode(dst, text)
}

// members finds the values of an object's members. The last of two members of one name counts, as with encoding/json.
func members(object raw, names ...string) ([]raw, error) {
	found := make([]raw, len(names))
	if object.absent() {
		return found, nil
	}
	err := jsonscan.Object(object, func(name []byte, from, to int) error {
		if i := slices.Index(names, string(name)); i >= 0 {
			found[i] = object[from:to]
		}
		return nil
	})
	return found, err
}

// texts are the strings of an object's members.
func texts(object raw, names ...string) ([]string, error) {
	values, err := members(object, names...)
	if err != nil {
		return nil, err
	}
	found := make([]string, len(values))
	for i, v := range values {
		if found[i], err = v.text(); err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return found, nil
}

// elements calls do with each element of an array. An absent one has none.
func elements(array raw, do func(raw) error) error {
	if array.absent() {
		return nil
	}
	if array[0] != '[' {
		return fmt.Errorf("expected an array, found %.20q", array)
	}
	i := jsonscan.Space(array, 1)
	for first := true; ; first = false {
		if i < len(array) && array[i] == ']' && first {
			return nil
		}
		end, err := jsonscan.Skip(array, i, jsonscan.MaxDepth)
		if err != nil {
			return err
		}
		if err := do(array[i:end]); err != nil {
			return err
		}
		i = jsonscan.Space(array, end)
		switch {
		case i < len(array) && array[i] == ',':
			i = jsonscan.Space(array, i+1)
		case i < len(array) && array[i] == ']':
			return nil
		default:
			return fmt.Errorf("expected ',' or ']' after %.20q", array[:end])
		}
	}
}

// firstElement is the first element of an array, nil when there is none.
func firstElement(array raw) raw {
	if len(array) == 0 || array[0] != '[' {
		return nil
	}
	i := jsonscan.Space(array, 1)
	end, err := jsonscan.Skip(array, i, jsonscan.MaxDepth)
	if err != nil {
		return nil
	}
	return array[i:end]
}

// appendString appends text as a JSON string. What is not UTF-8 in it is replaced.
func appendString(dst []byte, text string) []byte {
	out, err := tensor.AppendString(dst, text)
	if err != nil {
		out, _ = tensor.AppendString(dst, string(bytes.ToValidUTF8([]byte(text), []byte("\uFFFD")))) // it is valid now
	}
	return out
}

// appendBase64String appends bytes as a JSON string in base64.
func appendBase64String(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}
