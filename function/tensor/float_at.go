package tensor

// Float is element i of a tensor of float16, bfloat16, float32 or float64; ok is false for other types.
func (t Tensor) Float(i int) (v float64, ok bool) {
	switch t.DType {
	case Float32:
		return float64(view[float32](t.Data, i+1)[i]), true
	case Float64:
		return view[float64](t.Data, i+1)[i], true
	case Float16:
		return fromFloat16(view[uint16](t.Data, i+1)[i]), true
	case BFloat16:
		return fromBFloat16(view[uint16](t.Data, i+1)[i]), true
	default:
		return 0, false
	}
}
