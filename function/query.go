package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// queryBody is the JSON object that a GET request's query stands for: each value as the JSON that it is, else as text;
// repeated names make a list. Its text is that of Python's json.dumps, which a script that takes the whole body sees.
func queryBody(rawQuery string) ([]byte, error) {
	var names []string
	values := map[string][]string{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, errN := url.QueryUnescape(name)
		v, errV := url.QueryUnescape(value)
		if errN != nil || errV != nil || !utf8.ValidString(n) || !utf8.ValidString(v) {
			return nil, Errorf(Invalid, "The query could not be decoded: %.100q", pair)
		}
		if _, ok := values[n]; !ok {
			names = append(names, n)
		}
		values[n] = append(values[n], v)
	}
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendASCII(b, name), ": "...)
		list := values[name]
		if len(list) > 1 {
			b = append(b, '[')
		}
		for k, v := range list {
			if k > 0 {
				b = append(b, ", "...)
			}
			b = appendPython(b, v)
		}
		if len(list) > 1 {
			b = append(b, ']')
		}
	}
	return append(b, '}'), nil
}

// appendPython is text as json.dumps writes what json.loads read of it, or as a string when it is no JSON.
func appendPython(b []byte, text string) []byte {
	end, err := jsonscan.Skip([]byte(text), 0, jsonscan.MaxDepth)
	if err != nil || jsonscan.Space([]byte(text), end) != len(text) {
		return appendASCII(b, text)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	start := len(b)
	if b, err = appendTokens(b, d); err != nil {
		return appendASCII(b[:start], text)
	}
	return b
}

// appendTokens writes one value of d.
func appendTokens(b []byte, d *json.Decoder) ([]byte, error) {
	t, err := d.Token()
	if err != nil {
		return b, err
	}
	switch v := t.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendASCII(b, v), nil
	case json.Number:
		return appendNumber(b, string(v))
	}
	open := t.(json.Delim)
	b = append(b, byte(open))
	for n := 0; d.More(); n++ {
		if n > 0 {
			b = append(b, ", "...)
		}
		if open == '{' {
			if b, err = appendTokens(b, d); err != nil {
				return b, err
			}
			b = append(b, ": "...)
		}
		if b, err = appendTokens(b, d); err != nil {
			return b, err
		}
	}
	if t, err = d.Token(); err != nil {
		return b, err
	}
	return append(b, byte(t.(json.Delim))), nil
}

// appendNumber writes a number as Python does: whole numbers with all their digits, the others as the nearest float64.
func appendNumber(b []byte, text string) ([]byte, error) {
	if !strings.ContainsAny(text, ".eE") {
		n, ok := new(big.Int).SetString(text, 10)
		if !ok {
			return b, strconv.ErrSyntax
		}
		return n.Append(b, 10), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return b, err
	}
	return tensor.Scalar(f).AppendJSON(b, tensor.EncodeOptions{})
}

// appendASCII is a JSON string with everything beyond ASCII escaped.
func appendASCII(b []byte, s string) []byte {
	var q bytes.Buffer
	e := json.NewEncoder(&q)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string never fails
	for _, r := range strings.TrimSuffix(q.String(), "\n") {
		if r < 0x80 {
			b = append(b, byte(r))
			continue
		}
		for _, u := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, u)
		}
	}
	return b
}
