package batch

import (
	"fmt"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// line is what every value in joined memory begins at a multiple of: see [tensor.Batch.Arena].
const line = 64

func aligned(n int) int { return (n + line - 1) &^ (line - 1) }

// join puts the rows of calls that are alike one behind the other into memory of into.
func (l *layout) join(calls [][]tensor.Value, into *tensor.Batch) {
	into.Reset(len(l.roles))
	size := 0
	for i, r := range l.roles {
		for _, in := range l.parts(calls, r) {
			size += len(at(in, i).Data)
		}
		size = aligned(size)
	}
	arena := into.Arena(size)
	from := 0
	for i, r := range l.roles {
		first := at(calls[0], i)
		if first.Kind == tensor.KindNone {
			continue
		}
		to, rows := from, int64(0)
		var strs []string
		for _, in := range l.parts(calls, r) {
			to += copy(arena[to:], in[i].Data)
			strs = append(strs, in[i].Strings...)
			if r == rowsOf {
				rows += in[i].Shape[0]
			}
		}
		into.SetTensor(i, first.DType, first.Shape, arena[from:to:to])
		into.Values[i].Strings = strs
		if r == rowsOf {
			into.Values[i].Shape[0] = rows // the shape is into's own
		}
		from = aligned(to)
	}
}

// parts is the calls whose value of an input goes into the joined one: what is equal is needed once.
func (l *layout) parts(calls [][]tensor.Value, r role) [][]tensor.Value {
	if r == rowsOf {
		return calls
	}
	return calls[:1]
}

// misaligned is the reason why outputs cannot be split into rows; nil when they can.
func misaligned(out []tensor.Value, rows int) error {
	for i := range out {
		v := &out[i]
		if v.Kind == tensor.KindSequence {
			if len(v.Items) != rows {
				return fmt.Errorf("output %d of %d rows is a sequence of %d: not a value for each row", i, rows, len(v.Items))
			}
			continue
		}
		if v.Kind != tensor.KindTensor || !byteSized(v.DType) || len(v.Shape) == 0 || v.Shape[0] != int64(rows) {
			t := tensor.Type{Kind: v.Kind, DType: v.DType, Ranked: true, Shape: v.Shape}
			return fmt.Errorf("output %d of %d rows is %v: not a row for each row", i, rows, t)
		}
	}
	return nil
}

// split copies rows from, from+1, … of outputs that are aligned into memory of into.
func split(out []tensor.Value, from, n, rows int, into *tensor.Batch) {
	into.Reset(len(out))
	size := 0
	for i := range out {
		size += aligned(len(out[i].Data) / rows * n)
	}
	arena := into.Arena(size)
	at := 0
	for i := range out {
		v := &out[i]
		if v.Kind == tensor.KindSequence {
			into.Values[i] = tensor.Value{Kind: v.Kind, Items: slices.Clone(v.Items[from : from+n])} // what it holds is nobody's to reuse
			continue
		}
		each := len(v.Data) / rows
		end := at + copy(arena[at:], v.Data[from*each:(from+n)*each])
		into.SetTensor(i, v.DType, v.Shape, arena[at:end:end])
		into.Values[i].Shape[0] = int64(n)
		if v.DType == tensor.String {
			each = len(v.Strings) / rows
			into.Values[i].Strings = slices.Clone(v.Strings[from*each : (from+n)*each])
		}
		at = aligned(end)
	}
}
