package batch

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// tolerance is by how much two answers may differ, as a fraction of the largest magnitude in the row; ok is false for types
// that must be equal.
func tolerance(d tensor.DType) (fraction float64, ok bool) {
	switch d {
	case tensor.Float32:
		return 1e-5, true
	case tensor.Float64:
		return 1e-9, true
	case tensor.Float16:
		return 4e-3, true
	case tensor.BFloat16:
		return 3e-2, true
	default:
		return 0, false
	}
}

// agree compares the outputs for one row: got in a joined run, want in a run of its own.
func agree(got, want []tensor.Value) error {
	for i := range want {
		if err := agreeValue(&got[i], &want[i]); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

var errDiffers = errors.New("it differs between a joined run and one alone")

func agreeValue(got, want *tensor.Value) error {
	if got.Kind != want.Kind || got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || len(got.Items) != len(want.Items) {
		return fmt.Errorf("it is %v%v in a joined run and %v%v alone", got.DType, got.Shape, want.DType, want.Shape)
	}
	for i := range want.Items {
		if err := agreeValue(&got.Items[i], &want.Items[i]); err != nil {
			return err
		}
	}
	if fraction, float := tolerance(want.DType); float {
		return agreeFloats(got.Tensor, want.Tensor, fraction)
	}
	if !bytes.Equal(got.Data, want.Data) || !slices.Equal(got.Strings, want.Strings) {
		return errDiffers
	}
	return nil
}

// agreeFloats compares floats. Equal infinities and NaN in the same place are equal.
func agreeFloats(got, want tensor.Tensor, fraction float64) error {
	n, _ := tensor.Elements(want.Shape)
	largest := 0.0
	for i := range n {
		if v, _ := want.Float(i); !math.IsNaN(v) && !math.IsInf(v, 0) {
			largest = max(largest, math.Abs(v))
		}
	}
	for i := range n {
		g, _ := got.Float(i)
		w, _ := want.Float(i)
		if g != w && !(math.IsNaN(g) && math.IsNaN(w)) && !(math.Abs(g-w) <= fraction*largest) {
			return fmt.Errorf("element %d is %v in a joined run and %v alone", i, g, w)
		}
	}
	return nil
}
