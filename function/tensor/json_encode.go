package tensor

import (
	"errors"
	"fmt"
	"slices"
)

// NonFinite says how NaN and the infinities are written, which JSON does not have.
type NonFinite uint8

// The ways to write what JSON does not have.
const (
	NonFiniteNull  NonFinite = iota // null: the text is always valid JSON
	NonFiniteToken                  // NaN, Infinity, -Infinity, as Python's json writes them
)

// EncodeOptions says how values are written. The zero value writes valid JSON.
type EncodeOptions struct {
	NonFinite NonFinite
}

// AppendJSON appends v as JSON without spaces. A tensor is nested arrays, a bare value for rank 0; a sequence is a list; a map is
// an object with its keys as text, in their order; what is absent is null. Floats have the fewest digits that read back as the same
// number (of their own type) and always a point or an exponent. It is an error when a tensor's elements do not fit its shape, when
// a string is not valid UTF-8, and for complex numbers; dst then holds a part of the text.
func (v Value) AppendJSON(dst []byte, o EncodeOptions) ([]byte, error) {
	return appendValue(dst, &v, o)
}

// MarshalJSON is v as [Value.AppendJSON] writes it, NaN and infinities as null: values may be parts of what a script returns.
func (v Value) MarshalJSON() ([]byte, error) { return appendValue(nil, &v, EncodeOptions{}) }

// AppendObject appends {"name": value, …} with the values under the names, one each, in this order. Its errors are those of
// [Value.AppendJSON] and [AppendString].
func AppendObject(dst []byte, names []string, values []Value, o EncodeOptions) ([]byte, error) {
	if len(names) != len(values) {
		return dst, fmt.Errorf("tensor: %d names for %d values", len(names), len(values))
	}
	dst = append(dst, '{')
	for i := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = AppendString(dst, names[i]); err != nil {
			return dst, err
		}
		dst = append(dst, ':')
		if dst, err = appendValue(dst, &values[i], o); err != nil {
			return dst, fmt.Errorf("output %q: %w", names[i], err)
		}
	}
	return append(dst, '}'), nil
}

func appendValue(dst []byte, v *Value, o EncodeOptions) (_ []byte, err error) {
	switch v.Kind {
	case KindTensor:
		return appendTensor(dst, &v.Tensor, o)
	case KindNone:
		return append(dst, "null"...), nil
	case KindSequence:
		dst = append(dst, '[')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendValue(dst, &v.Items[i], o); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case KindMap:
		return appendMap(dst, v.Items, o)
	default:
		return dst, errors.New("tensor: a value of unknown kind")
	}
}

func appendMap(dst []byte, items []Value, o EncodeOptions) ([]byte, error) {
	if len(items) != 2 {
		return dst, errors.New("tensor: a map needs keys and values")
	}
	keys, values := &items[0].Tensor, &items[1].Tensor
	n, err := check(keys)
	if err != nil {
		return dst, err
	}
	if m, err := check(values); err != nil {
		return dst, err
	} else if m != n {
		return dst, fmt.Errorf("tensor: a map of %d keys and %d values", n, m)
	}
	_, _, whole := intRange(keys.DType)
	if keys.DType != String && !whole {
		return dst, fmt.Errorf("tensor: a map with keys of type %v", keys.DType)
	}
	dst = append(dst, '{')
	for k := range n {
		if k > 0 {
			dst = append(dst, ',')
		}
		if whole {
			dst = append(dst, '"')
		}
		if dst, err = appendRow(dst, keys, k, k+1, o); err != nil {
			return dst, err
		}
		if whole {
			dst = append(dst, '"')
		}
		dst = append(dst, ':')
		if dst, err = appendRow(dst, values, k, k+1, o); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// check counts t's elements; that they are not there is an error.
func check(t *Tensor) (n int, err error) {
	n, ok := Elements(t.Shape)
	if !ok {
		return 0, fmt.Errorf("tensor: shape %v is not possible", t.Shape)
	}
	if t.DType == String {
		if len(t.Strings) != n {
			return 0, fmt.Errorf("tensor: %d strings for shape %v", len(t.Strings), t.Shape)
		}
		return n, nil
	}
	size, ok := t.DType.Bytes(n)
	if !ok || t.DType == Complex64 || t.DType == Complex128 {
		return 0, fmt.Errorf("tensor: %v is not written as JSON", t.DType)
	}
	if len(t.Data) != size {
		return 0, fmt.Errorf("tensor: %d bytes for %v of shape %v", len(t.Data), t.DType, t.Shape)
	}
	return n, nil
}

// mostEmpty bounds the brackets of a tensor without elements, whose shape may name any number of them.
const mostEmpty = 1 << 24

func appendTensor(dst []byte, t *Tensor, o EncodeOptions) ([]byte, error) {
	n, err := check(t)
	if err != nil {
		return dst, err
	}
	shape, err := written(t, n)
	if err != nil {
		return dst, err
	}
	dst = grow(dst, t, n)
	return appendNested(dst, t, shape, 0, n, o)
}

// written is how much of the shape of t, which has n elements, its text shows: [3,0,2] is [[],[],[]], for what is inside an empty
// array cannot be written.
func written(t *Tensor, n int) ([]int64, error) {
	if n > 0 {
		return t.Shape, nil
	}
	shape := t.Shape[:slices.Index(t.Shape, 0)+1]
	total := int64(1)
	for _, d := range shape[:len(shape)-1] {
		if d > mostEmpty/total {
			return nil, fmt.Errorf("tensor: shape %v has too many empty arrays to be written", t.Shape)
		}
		total *= d
	}
	return shape, nil
}

// grow makes room for the text of n elements: growing step by step would cost more. Memory that has room for short ones is left
// as it is: it is mostly that of an answer before, and the guess is mostly too high.
func grow(dst []byte, t *Tensor, n int) []byte {
	const short = len("0.0,")
	if cap(dst)-len(dst) >= short*n {
		return dst
	}
	return slices.Grow(dst, textSize(t, n))
}

// textSize guesses the length of the text of n elements.
func textSize(t *Tensor, n int) int {
	switch t.DType {
	case Float32:
		return 13 * n
	case Float64:
		return 20 * n
	default:
		return 4 * n
	}
}

// appendNested writes the elements from to to, which are of the given shape.
func appendNested(dst []byte, t *Tensor, shape []int64, from, to int, o EncodeOptions) (_ []byte, err error) {
	switch len(shape) {
	case 0:
		return appendRow(dst, t, from, to, o)
	case 1:
		dst = append(dst, '[')
		if dst, err = appendRow(dst, t, from, to, o); err != nil {
			return dst, err
		}
		return append(dst, ']'), nil
	}
	dst = append(dst, '[')
	part := 0
	if n := int(shape[0]); n > 0 {
		part = (to - from) / n
	}
	for i := range int(shape[0]) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendNested(dst, t, shape[1:], from+i*part, from+(i+1)*part, o); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}
