//go:build conformance

package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/scorefn/scorefn/function/tensor"
)

// appendElement writes element i as JSON, as Python's json does: a float is the double that it is worth, NaN and the
// infinities are bare words.
func appendElement(dst []byte, t *tensor.Tensor, i int) []byte {
	switch t.DType {
	case tensor.String:
		return appendText(dst, t.Strings[i])
	case tensor.Bool:
		return strconv.AppendBool(dst, bitsOf(t, i) != 0)
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
		return strconv.AppendInt(dst, intOf(t, i), 10)
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64:
		return strconv.AppendUint(dst, bitsOf(t, i), 10)
	}
	switch f := floatOf(t, i); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 0):
		return append(dst, map[bool]string{true: "Infinity", false: "-Infinity"}[f > 0]...)
	default:
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
}

func appendText(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil || !utf8.ValidString(s) {
		panic(fmt.Sprintf("%q is no text", s)) // the suite has none
	}
	return append(dst, quoted...)
}

// errUnsaid marks what a form has no words for.
var errUnsaid = errors.New("the form has no words for")

// appendValue writes a value as nested lists.
func appendValue(dst []byte, v *tensor.Value) ([]byte, error) {
	switch v.Kind {
	case tensor.KindSequence:
		dst = append(dst, '[')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendValue(dst, &v.Items[i]); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case tensor.KindNone:
		return append(dst, "null"...), nil
	case tensor.KindTensor:
		n, _ := tensor.Elements(v.Shape)
		return appendNested(dst, &v.Tensor, v.Shape, 0, n), nil
	default:
		return nil, fmt.Errorf("%w a map", errUnsaid)
	}
}

// appendNested writes the elements from and up to but not including to, which have that shape. What an empty list holds
// cannot be seen: [0,3] is [].
func appendNested(dst []byte, t *tensor.Tensor, shape []int64, from, to int) []byte {
	if len(shape) == 0 {
		return appendElement(dst, t, from)
	}
	dst = append(dst, '[')
	rows := int(shape[0])
	for i := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		each := (to - from) / rows
		dst = appendNested(dst, t, shape[1:], from+i*each, from+(i+1)*each)
	}
	return append(dst, ']')
}

// word stands in front of the text of a bare word in what parse returns.
const word = "\x00"

// parse reads an answer: encoding/json with the numbers as they are written, and with NaN and the infinities, which JSON
// does not have, as strings that start with word.
func parse(text []byte) (tree any, err error) {
	d := json.NewDecoder(bytes.NewReader(quoteWords(text)))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w: %.200s", err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the answer: %.200s", text)
	}
	return tree, nil
}

func quoteWords(text []byte) []byte {
	out := make([]byte, 0, len(text))
	inString := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case inString && c == '\\' && i+1 < len(text):
			out = append(out, c)
			i++
			c = text[i]
		case c == '"':
			inString = !inString
		case !inString:
			if w := wordAt(text[i:]); w != "" {
				out = append(append(append(out, `"\u0000`...), w...), '"')
				i += len(w) - 1
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

func wordAt(text []byte) string {
	for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(text, []byte(w)) {
			return w
		}
	}
	return ""
}

// fromTree reads a value of type t out of nested lists.
func fromTree(tree any, t *tensor.Type) (v tensor.Value, err error) {
	switch t.Kind {
	case tensor.KindOptional:
		if tree == nil {
			return tensor.None(), nil
		}
		return fromTree(tree, t.Elem)
	case tensor.KindSequence:
		list, ok := tree.([]any)
		if !ok {
			return v, fmt.Errorf("a sequence is a %T", tree)
		}
		v.Kind = tensor.KindSequence
		for _, part := range list {
			item, err := fromTree(part, t.Elem)
			if err != nil {
				return v, err
			}
			v.Items = append(v.Items, item)
		}
		return v, nil
	case tensor.KindTensor:
		v.DType = t.DType
		v.Shape = shapeOf(tree, t)
		return v, appendTree(&v.Tensor, tree, v.Shape)
	default:
		return v, fmt.Errorf("a value of type %v is not read", *t)
	}
}

// shapeOf is the shape of nested lists. Behind an empty list the declared dimensions count, which the reader of an answer
// knows as well as the server.
func shapeOf(tree any, t *tensor.Type) []int64 {
	shape := []int64{}
	for list, ok := tree.([]any); ok; list, ok = tree.([]any) {
		shape = append(shape, int64(len(list)))
		if len(list) == 0 {
			break
		}
		tree = list[0]
	}
	if n := len(shape); n > 0 && shape[n-1] == 0 && t.Ranked && n < len(t.Shape) {
		shape = append(shape, t.Shape[n:]...)
	}
	return shape
}

// appendTree puts the elements of nested lists into t; they must have exactly that shape.
func appendTree(t *tensor.Tensor, tree any, shape []int64) error {
	if len(shape) == 0 {
		return appendLeaf(t, tree)
	}
	list, ok := tree.([]any)
	if !ok || int64(len(list)) != shape[0] {
		return fmt.Errorf("ragged lists: expected %d parts", shape[0])
	}
	for _, part := range list {
		if err := appendTree(t, part, shape[1:]); err != nil {
			return err
		}
	}
	return nil
}

// appendLeaf reads one element exactly: no digit more than its type has, no number of another type.
func appendLeaf(t *tensor.Tensor, leaf any) (err error) {
	bits := t.DType.Bits()
	number, _ := leaf.(json.Number)
	var v uint64
	switch t.DType {
	case tensor.String:
		s, ok := leaf.(string)
		if !ok {
			return fmt.Errorf("%v is no string", leaf)
		}
		t.Strings = append(t.Strings, s)
		return nil
	case tensor.Bool:
		b, ok := leaf.(bool)
		if !ok {
			return fmt.Errorf("%v is no boolean", leaf)
		}
		if b {
			v = 1
		}
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
		var n int64
		n, err = strconv.ParseInt(number.String(), 10, bits)
		v = uint64(n)
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64:
		v, err = strconv.ParseUint(number.String(), 10, bits)
	default:
		v, err = floatBits(t.DType, leaf)
	}
	if err != nil {
		return fmt.Errorf("element %v: %w", leaf, err)
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	t.Data = append(t.Data, b[:bits/8]...)
	return nil
}

// floatBits reads a float of type d as its bits.
func floatBits(d tensor.DType, leaf any) (uint64, error) {
	var text string
	bits := 64
	switch l := leaf.(type) {
	case json.Number:
		text = l.String()
	case string:
		if len(l) == 0 || l[:1] != word {
			return 0, errors.New("a string instead of a number")
		}
		text = l[1:]
	default:
		return 0, errors.New("expected a number")
	}
	if d == tensor.Float32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(text, bits) // it knows the words, too
	switch d {
	case tensor.Float32:
		return uint64(math.Float32bits(float32(f))), err
	case tensor.Float64:
		return math.Float64bits(f), err
	default:
		return uint64(halfOf(d).round(f)), err
	}
}
