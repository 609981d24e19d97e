package tensor

import (
	"fmt"
	"strings"
)

// AppendCSV appends the values, tensors of rank 1 or 2, as text/csv without a header: the rows of rank 2, a column for rank 1,
// those of several values side by side when they have the same number of rows. Numbers are as in JSON. What is not finite is an empty
// cell, in quotes when the line has no other, or with [NonFiniteToken] NaN, Infinity or -Infinity. Lines end in LF. Strings are in
// quotes where they need to be; [Decoder.CSV] reads them back.
func AppendCSV(dst []byte, values []Value, o EncodeOptions) ([]byte, error) {
	rows, width := 0, 0
	for k := range values {
		t := &values[k].Tensor
		if values[k].Kind != KindTensor || len(t.Shape) != 1 && len(t.Shape) != 2 {
			return dst, fmt.Errorf("tensor: output %d is not written as CSV: it is no tensor of rank 1 or 2", k)
		}
		if _, err := check(t); err != nil {
			return dst, fmt.Errorf("output %d: %w", k, err)
		}
		n := int(t.Shape[0])
		if k > 0 && n != rows {
			return dst, fmt.Errorf("tensor: output %d has %s and output 0 has %d: they are not written side by side as CSV", k, counted(n, "row"), rows)
		}
		rows = n
		width += csvWidth(t)
	}
	if width == 0 {
		return dst, nil
	}
	for r := range rows {
		first := true
		for k := range values {
			t := &values[k].Tensor
			w := csvWidth(t)
			for c := r * w; c < (r+1)*w; c++ {
				if !first {
					dst = append(dst, ',')
				}
				first = false
				var err error
				if dst, err = appendCell(dst, t, c, width == 1, o); err != nil {
					return dst, fmt.Errorf("output %d: %w", k, err)
				}
			}
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

func csvWidth(t *Tensor) int {
	if len(t.Shape) == 1 {
		return 1
	}
	return int(t.Shape[1])
}

// appendCell appends element k of t; alone tells that the line has no other.
func appendCell(dst []byte, t *Tensor, k int, alone bool, o EncodeOptions) ([]byte, error) {
	if t.DType == String {
		return appendQuoted(dst, t.Strings[k], alone)
	}
	start := len(dst)
	dst, err := appendRow(dst, t, k, k+1, o)
	if err == nil && len(dst) > start && dst[start] == 'n' { // null
		if dst = dst[:start]; alone {
			dst = append(dst, `""`...)
		}
	}
	return dst, err
}

func appendQuoted(dst []byte, text string, alone bool) ([]byte, error) {
	if err := validUTF8(text); err != nil {
		return dst, err
	}
	needed := text == "" && alone || strings.ContainsAny(text, ",\"\r\n") || strings.HasPrefix(text, "\ufeff") ||
		strings.Trim(text, " \t") != text
	if !needed {
		return append(dst, text...), nil
	}
	dst = append(dst, '"')
	for part := range strings.SplitSeq(text, `"`) {
		dst = append(dst, part...)
		dst = append(dst, '"', '"')
	}
	return dst[:len(dst)-1], nil
}
