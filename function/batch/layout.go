package batch

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// role is what an input is when calls are joined.
type role uint8

const (
	rowsOf role = iota // its first dimension counts rows, which are put one behind the other
	equal              // it has no rows: calls share a run when they give the same value
	absent             // it has a default and rows cannot be told: calls share a run when they leave it out
)

// layout is what the declaration of a model says about its rows.
type layout struct {
	inputs []tensor.Spec
	roles  []role
}

// maxEqual is the size in bytes up to which values are compared.
const maxEqual = 4 << 10

// newLayout is an error when the declaration already says that calls cannot be joined.
func newLayout(inputs, outputs []tensor.Spec) (l layout, err error) {
	l.inputs = inputs
	for i := range inputs {
		in := &inputs[i]
		free := in.Kind == tensor.KindTensor && in.Ranked && len(in.Shape) > 0 && in.Shape[0] < 0
		switch {
		case in.Kind == tensor.KindTensor && free && !in.Optional && byteSized(in.DType):
			l.roles = append(l.roles, rowsOf)
		case in.Kind == tensor.KindTensor && in.Ranked && !free && (in.Optional || len(in.Shape) == 0):
			l.roles = append(l.roles, equal)
		case in.Optional:
			l.roles = append(l.roles, absent)
		default:
			return l, fmt.Errorf("input %q is %v: it has no free first dimension of whole bytes", in.Name, in.Type)
		}
	}
	for i := range outputs {
		out := &outputs[i]
		if out.Kind == tensor.KindSequence { // of a map for each row, as classifiers answer
			continue
		}
		if out.Kind != tensor.KindTensor || !byteSized(out.DType) || out.Ranked && (len(out.Shape) == 0 || out.Shape[0] >= 0) {
			return l, fmt.Errorf("output %q is %v: it has no free first dimension of whole bytes", out.Name, out.Type)
		}
	}
	if !slices.Contains(l.roles, rowsOf) || len(outputs) == 0 {
		return l, errors.New("the model has no rows")
	}
	return l, nil
}

// byteSized tells the types whose rows begin at a byte.
func byteSized(d tensor.DType) bool { return d == tensor.String || d.Bits() >= 8 }

// rows is how many rows a call has; ok is false when it cannot share a run. The inputs have been checked against the model.
func (l *layout) rows(in []tensor.Value) (n int, ok bool) {
	n = -1
	for i, r := range l.roles {
		given := i < len(in) && in[i].Kind != tensor.KindNone
		switch {
		case r == absent && given, r == equal && given && len(in[i].Data) > maxEqual:
			return 0, false
		case r != rowsOf:
			continue
		}
		if !given || len(in[i].Shape) == 0 || n >= 0 && int64(n) != in[i].Shape[0] {
			return 0, false
		}
		n = int(in[i].Shape[0])
	}
	return n, n > 0
}

// alike tells whether two calls that have rows may share a run: all but the first dimension is the same.
func (l *layout) alike(a, b []tensor.Value) bool {
	for i, r := range l.roles {
		switch r {
		case rowsOf:
			if a[i].DType != b[i].DType || !slices.Equal(a[i].Shape[1:], b[i].Shape[1:]) {
				return false
			}
		case equal:
			if !sameValue(at(a, i), at(b, i)) {
				return false
			}
		case absent:
		}
	}
	return true
}

// at is value i of a call, which may leave out the last ones.
func at(in []tensor.Value, i int) tensor.Value {
	if i < len(in) {
		return in[i]
	}
	return tensor.None()
}

func sameValue(a, b tensor.Value) bool {
	return a.Kind == b.Kind && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && bytes.Equal(a.Data, b.Data) &&
		slices.Equal(a.Strings, b.Strings) && slices.EqualFunc(a.Items, b.Items, sameValue)
}
