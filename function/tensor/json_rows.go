package tensor

import (
	"errors"
	"fmt"
)

// AppendRows appends the values as a JSON list of what belongs to each row, as TensorFlow Serving's predictions are: [row, …] for one
// value, [{"name": row, …}, …] for several, with the names in this order. The rows of a tensor are its parts along the first
// dimension, those of a sequence its items. It is an error when the values do not have the same number of them; the others are those of
// [AppendObject].
func AppendRows(dst []byte, names []string, values []Value, o EncodeOptions) ([]byte, error) {
	if len(names) != len(values) {
		return dst, fmt.Errorf("tensor: %d names for %d values", len(names), len(values))
	}
	if len(values) == 0 {
		return dst, errors.New("tensor: no values to write rows of")
	}
	parts := make([]rowsOf, len(values))
	for k := range values {
		var err error
		if parts[k], err = rows(&values[k]); err != nil {
			return dst, fmt.Errorf("output %q: %w", names[k], err)
		}
		if n := parts[k].n; n != parts[0].n {
			return dst, fmt.Errorf("tensor: output %q has %s and output %q has %d: they do not go together", names[k], counted(n, "row"), names[0], parts[0].n)
		}
	}
	dst = append(dst, '[')
	for r := range parts[0].n {
		if r > 0 {
			dst = append(dst, ',')
		}
		for k := range parts {
			var err error
			if len(parts) > 1 {
				dst = append(dst, "{,"[min(k, 1)])
				if dst, err = AppendString(dst, names[k]); err != nil {
					return dst, err
				}
				dst = append(dst, ':')
			}
			if dst, err = parts[k].append(dst, r, o); err != nil {
				return dst, fmt.Errorf("output %q: %w", names[k], err)
			}
		}
		if len(parts) > 1 {
			dst = append(dst, '}')
		}
	}
	return append(dst, ']'), nil
}

// rowsOf is a value as n rows.
type rowsOf struct {
	v     *Value
	n     int
	shape []int64 // of a row of a tensor, as far as it is written
	size  int     // elements of it
}

func rows(v *Value) (rowsOf, error) {
	switch {
	case v.Kind == KindSequence:
		return rowsOf{v: v, n: len(v.Items)}, nil
	case v.Kind != KindTensor || len(v.Shape) == 0:
		return rowsOf{}, errors.New("tensor: neither a list nor a tensor of rank 1 or more: it has no rows")
	}
	n, err := check(&v.Tensor)
	if err != nil {
		return rowsOf{}, err
	}
	shape, err := written(&v.Tensor, n)
	if err != nil {
		return rowsOf{}, err
	}
	r := rowsOf{v: v, n: int(shape[0]), shape: shape[1:]}
	if r.n > 0 {
		r.size = n / r.n
	}
	return r, nil
}

func (r *rowsOf) append(dst []byte, k int, o EncodeOptions) ([]byte, error) {
	if r.v.Kind == KindSequence {
		return appendValue(dst, &r.v.Items[k], o)
	}
	return appendNested(dst, &r.v.Tensor, r.shape, k*r.size, (k+1)*r.size, o)
}
