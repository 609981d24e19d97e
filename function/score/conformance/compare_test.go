//go:build conformance

package conformance

import (
	"fmt"
	"math"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// half is a float of 16 bits.
type half struct{ mantissa, bias int }

func halfOf(d tensor.DType) half {
	if d == tensor.BFloat16 {
		return half{7, 127}
	}
	return half{10, 15}
}

func (h half) infinity() uint16 { return uint16(2*h.bias+1) << h.mantissa }

// value is what the bits are worth, exactly.
func (h half) value(bits uint16) float64 {
	m, e := int(bits)&(1<<h.mantissa-1), int(bits&0x7fff)>>h.mantissa
	var v float64
	switch {
	case bits&0x7fff == h.infinity():
		v = math.Inf(1)
	case bits&0x7fff > h.infinity():
		return math.NaN()
	case e == 0:
		v = math.Ldexp(float64(m), 1-h.bias-h.mantissa)
	default:
		v = math.Ldexp(float64(m|1<<h.mantissa), e-h.bias-h.mantissa)
	}
	if bits>>15 == 1 {
		v = -v
	}
	return v
}

// round is the nearest of the finite floats, the even one of two, found among all of them: their bits rise with their value.
func (h half) round(f float64) uint16 {
	sign := uint16(math.Float64bits(f) >> 63 << 15)
	switch f = math.Abs(f); {
	case math.IsNaN(f):
		return h.infinity() + 1
	case math.IsInf(f, 0):
		return sign | h.infinity()
	}
	low, high := uint16(0), h.infinity()-1
	for low < high {
		if middle := (low + high + 1) / 2; h.value(middle) <= f {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if next := low + 1; next < h.infinity() {
		below, above := f-h.value(low), h.value(next)-f
		if above < below || above == below && low%2 == 1 {
			low = next
		}
	}
	return sign | low
}

func isFloat(d tensor.DType) bool {
	switch d {
	case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
		return true
	}
	return false
}

// rule compares element i of two tensors of one type and shape.
type rule func(got, want *tensor.Tensor, i int) bool

// alike is an error when two values differ in kind, element type, shape or, by the rule, in an element.
func alike(got, want *tensor.Value, equal rule) error {
	if got.Kind != want.Kind {
		return fmt.Errorf("got kind %d, want %d", got.Kind, want.Kind)
	}
	if got.Kind != tensor.KindTensor {
		if len(got.Items) != len(want.Items) {
			return fmt.Errorf("got %d items, want %d", len(got.Items), len(want.Items))
		}
		for i := range got.Items {
			if err := alike(&got.Items[i], &want.Items[i], equal); err != nil {
				return fmt.Errorf("item %d: %w", i, err)
			}
		}
		return nil
	}
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got %v%v, want %v%v", got.DType, got.Shape, want.DType, want.Shape)
	}
	n, _ := tensor.Elements(want.Shape)
	for i := range n {
		if !equal(&got.Tensor, &want.Tensor, i) {
			return fmt.Errorf("element %d differs: got %s, want %s", i, appendElement(nil, &got.Tensor, i), appendElement(nil, &want.Tensor, i))
		}
	}
	return nil
}

// sameBits is the rule for the forms: not a bit may be lost, only a NaN is as good as another.
func sameBits(got, want *tensor.Tensor, i int) bool {
	if want.DType == tensor.String {
		return got.Strings[i] == want.Strings[i]
	}
	return bitsOf(got, i) == bitsOf(want, i) ||
		isFloat(want.DType) && math.IsNaN(floatOf(got, i)) && math.IsNaN(floatOf(want, i))
}

// near is the suite's own rule (onnx/backend/test/runner): |got-want| <= atol + rtol*|want|, as numpy's assert_allclose.
func (c *testCase) near(got, want *tensor.Tensor, i int) bool {
	if want.DType == tensor.String || bitsOf(got, i) == bitsOf(want, i) {
		return want.DType != tensor.String || got.Strings[i] == want.Strings[i]
	}
	g, w := numberOf(got, i), numberOf(want, i)
	if math.IsNaN(w) || math.IsInf(w, 0) {
		return g == w || math.IsNaN(g) && math.IsNaN(w)
	}
	return math.Abs(g-w) <= c.atol+c.rtol*math.Abs(w)
}

// numberOf is element i as a float64, rounded where that cannot hold it.
func numberOf(t *tensor.Tensor, i int) float64 {
	switch t.DType {
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
		return float64(intOf(t, i))
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Bool:
		return float64(bitsOf(t, i))
	default:
		return floatOf(t, i)
	}
}

// anything is the rule for random answers: their type and shape are all that can be compared.
func anything(_, _ *tensor.Tensor, _ int) bool { return true }
