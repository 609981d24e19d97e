package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
)

// object is a JSON object whose members keep their order, which encoding/json's maps do not and which the documents need.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, int, int64, bool, nil
}

// appendValue writes v as Python's json.dumps does, byte for byte: ", " and ": " between things, ASCII only.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case object:
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendValue(append(appendString(dst, m.name), ": "...), m.value)
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendValue(dst, item)
		}
		return append(dst, ']')
	case string:
		return appendString(dst, v)
	case json.Number:
		return append(dst, v...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case bool:
		return strconv.AppendBool(dst, v)
	default:
		return append(dst, "null"...)
	}
}

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	unit := func(c rune) { dst = append(dst, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15]) }
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c >= ' ' && c <= '~':
			dst = append(dst, byte(c))
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			unit(high)
			unit(low)
		default:
			unit(c)
		}
	}
	return append(dst, '"')
}

// parse reads one JSON value as appendValue takes it. Numbers keep their text: 1.0 must not become 1. Of members of the same
// name the last one counts, in the place of the first, as in a Python dict.
func parse(text json.RawMessage) (any, error) {
	if !json.Valid(text) {
		return nil, errors.New("not a JSON value") // and never nested so deeply that reading it would be a danger
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return read(d)
}

func read(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			item, err := read(d)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		o, at := object{}, map[string]int{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := read(d)
			if err != nil {
				return nil, err
			}
			m := member{name: name.(string), value: value}
			if i, again := at[m.name]; again {
				o[i] = m
				continue
			}
			at[m.name] = len(o)
			o = append(o, m)
		}
		_, err = d.Token()
		return o, err
	default:
		return token, nil
	}
}
