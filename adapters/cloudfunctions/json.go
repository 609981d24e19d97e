package cloudfunctions

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// raw is the text of one JSON value inside an event, nil where the event has none. It is a part of the event's memory.
type raw []byte

// absent tells that the value is not there, or null.
func (r raw) absent() bool { return len(r) == 0 || string(r) == "null" }

// text is the string that r is, "" when it is absent.
func (r raw) text() (string, error) {
	if r.absent() {
		return "", nil
	}
	b, end, err := jsonscan.Unquote(r, 0, nil)
	if err == nil && end != len(r) {
		err = fmt.Errorf("unexpected text after the string %.20q", r)
	}
	return string(b), err
}

// number is the digits of a whole number, which Google writes as a string or bare; "" when it is absent.
func (r raw) number() (string, error) {
	text := string(r)
	if r.absent() {
		return "", nil
	}
	if r[0] == '"' {
		var err error
		if text, err = r.text(); err != nil {
			return "", err
		}
	}
	const longest = 20 // of 64 bits
	if text == "" || len(text) > longest || len(bytes.Trim([]byte(text), "0123456789")) > 0 {
		return "", fmt.Errorf("expected a whole number, found %.30q", r)
	}
	return text, nil
}

// base64 is what the string r, base64 of RFC 4648 with padding, stands for; nil when it is absent.
func (r raw) base64() ([]byte, error) {
	text, err := r.text()
	if err != nil || text == "" {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("not base64: %w", err)
	}
	return b, nil
}

// members finds the values of an object's members; an absent object has none. A member that is there twice is an error: which
// one counts is what receivers disagree on.
func members(object raw, names ...string) ([]raw, error) {
	found := make([]raw, len(names))
	if object.absent() {
		return found, nil
	}
	err := jsonscan.Object(object, func(name []byte, from, to int) error {
		i := slices.Index(names, string(name))
		if i < 0 {
			return nil
		}
		if found[i] != nil {
			return fmt.Errorf("the member %q is there twice", name)
		}
		found[i] = object[from:to]
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

// elements are the values of the array that is the whole of b, each of them checked.
func elements(b []byte, most int) ([]raw, error) {
	i := jsonscan.Space(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil, errors.New("expected an array")
	}
	var list []raw
	i = jsonscan.Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		i++
	} else {
		for {
			end, err := jsonscan.Skip(b, i, jsonscan.MaxDepth)
			if err != nil {
				return nil, err
			}
			if len(list) == most {
				return nil, fmt.Errorf("expected at most %d elements", most)
			}
			list = append(list, b[i:end])
			i = jsonscan.Space(b, end)
			if i < len(b) && b[i] == ',' {
				i = jsonscan.Space(b, i+1)
				continue
			}
			if i >= len(b) || b[i] != ']' {
				return nil, fmt.Errorf("expected ',' or ']' at byte %d", i)
			}
			i++
			break
		}
	}
	if i = jsonscan.Space(b, i); i < len(b) {
		return nil, fmt.Errorf("unexpected text at byte %d, after the array", i)
	}
	return list, nil
}
