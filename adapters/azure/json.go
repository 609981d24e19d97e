package azure

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// raw is the text of one JSON value inside an invocation, nil where there is none. It is a part of the invocation's memory.
type raw []byte

// absent tells that the value is not there, or null.
func (r raw) absent() bool { return len(r) == 0 || string(r) == "null" }

func (r raw) starts(c byte) bool { return len(r) > 0 && r[0] == c }

// unquote is the string that r is: a part of r where nothing in it is escaped, as of base64.
func (r raw) unquote() ([]byte, error) {
	if end, escaped, err := jsonscan.String(r, 0); err == nil && !escaped && end == len(r) {
		return r[1 : end-1 : end-1], nil
	}
	text, end, err := jsonscan.Unquote(r, 0, nil)
	if err == nil && end != len(r) {
		err = fmt.Errorf("unexpected text after the string %.20q", r)
	}
	return text, err
}

// text is the string that r is, "" when it is absent.
func (r raw) text() (string, error) {
	if r.absent() {
		return "", nil
	}
	b, err := r.unquote()
	return string(b), err
}

// object walks the members of an object; an absent one has none.
func (r raw) object(do func(name string, value raw) error) error {
	if r.absent() {
		return nil
	}
	return jsonscan.Object(r, func(name []byte, from, to int) error { return do(string(name), r[from:to]) })
}

// member is the last member of that name, nil when there is none or r is no object.
func (r raw) member(name string) (found raw) {
	if !r.starts('{') {
		return nil
	}
	if err := r.object(func(n string, value raw) error {
		if n == name {
			found = value
		}
		return nil
	}); err != nil {
		return nil
	}
	return found
}

// elements are the values of the array that is the whole of r.
func (r raw) elements() ([]raw, error) {
	i := jsonscan.Space(r, 0)
	if i >= len(r) || r[i] != '[' {
		return nil, fmt.Errorf("expected an array, found %.20q", r)
	}
	var list []raw
	if i = jsonscan.Space(r, i+1); i < len(r) && r[i] == ']' {
		return list, r.tail(i + 1)
	}
	for {
		end, err := jsonscan.Skip(r, i, jsonscan.MaxDepth)
		if err != nil {
			return nil, err
		}
		list = append(list, r[i:end])
		i = jsonscan.Space(r, end)
		switch {
		case i < len(r) && r[i] == ',':
			i = jsonscan.Space(r, i+1)
		case i < len(r) && r[i] == ']':
			return list, r.tail(i + 1)
		default:
			return nil, fmt.Errorf("expected ',' or ']' after element %d", len(list)-1)
		}
	}
}

func (r raw) tail(i int) error {
	if i = jsonscan.Space(r, i); i != len(r) {
		return fmt.Errorf("unexpected text after the array: %.20q", r[i:])
	}
	return nil
}

// isValue tells that text is exactly one JSON value.
func isValue(text []byte) bool {
	end, err := jsonscan.Skip(text, jsonscan.Space(text, 0), jsonscan.MaxDepth)
	return err == nil && jsonscan.Space(text, end) == len(text)
}

// appendString appends text as a JSON string. What is not UTF-8 in it is replaced.
func appendString(dst []byte, text string) []byte {
	out, err := tensor.AppendString(dst, text)
	if err != nil {
		out, _ = tensor.AppendString(dst, string(bytes.ToValidUTF8([]byte(text), []byte("\uFFFD")))) // it is valid now
	}
	return out
}

// appendBase64 appends bytes as a JSON string in base64.
func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}
