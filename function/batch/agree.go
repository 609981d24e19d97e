package batch

import (
	"bytes"
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
		g, w := &got[i], &want[i]
		if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) {
			return fmt.Errorf("output %d is %v%v in a joined run and %v%v alone", i, g.DType, g.Shape, w.DType, w.Shape)
		}
		fraction, float := tolerance(w.DType)
		if !float {
			if !bytes.Equal(g.Data, w.Data) || !slices.Equal(g.Strings, w.Strings) {
				return fmt.Errorf("output %d differs between a joined run and one alone", i)
			}
			continue
		}
		if err := close64(g.Tensor, w.Tensor, fraction); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

// close64 compares floats. Equal infinities and NaN in the same place are equal.
func close64(got, want tensor.Tensor, fraction float64) error {
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
