package onnx

import (
	"math"

	"github.com/scorefn/scorefn/function/tensor"
)

// valueInfo reads a ValueInfoProto: 1 name, 2 type.
func valueInfo(b []byte) (s tensor.Spec, err error) {
	s.Kind = tensor.KindOpaque // until the type says better
	err = fields(b, func(num int, _ uint64, d []byte) (err error) {
		switch num {
		case 1:
			s.Name = string(d)
		case 2:
			s.Type, err = typeProto(d, 0)
		}
		return err
	})
	return s, err
}

// typeProto reads a TypeProto: 1 tensor, 4 sequence, 5 map, 7 opaque, 8 sparse tensor, 9 optional.
func typeProto(b []byte, depth int) (tensor.Type, error) {
	t := tensor.Type{Kind: tensor.KindOpaque}
	if depth > maxDepth {
		return t, errNotModel
	}
	elem := func(d []byte) error {
		u, err := typeProto(d, depth+1)
		t.Elem = &u
		return err
	}
	err := fields(b, func(num int, _ uint64, d []byte) (err error) {
		switch num {
		case 1:
			t, err = tensorType(d)
			t.Kind = tensor.KindTensor
		case 8:
			t, err = tensorType(d)
			t.Kind = tensor.KindSparse
		case 4, 9: // 1 elem_type
			t = tensor.Type{Kind: tensor.KindSequence}
			if num == 9 {
				t.Kind = tensor.KindOptional
			}
			return fields(d, func(num int, _ uint64, d []byte) error {
				if num == 1 {
					return elem(d)
				}
				return nil
			})
		case 5: // 1 key_type, 2 value_type
			t = tensor.Type{Kind: tensor.KindMap}
			return fields(d, func(num int, v uint64, d []byte) error {
				switch num {
				case 1:
					t.DType = dtype(v)
				case 2:
					return elem(d)
				}
				return nil
			})
		}
		return err
	})
	return t, err
}

// tensorType reads a TypeProto.Tensor: 1 elem_type, 2 shape. Without a shape the rank is open; a shape without a
// dimension is rank 0.
func tensorType(b []byte) (t tensor.Type, err error) {
	err = fields(b, func(num int, v uint64, d []byte) error {
		switch num {
		case 1:
			t.DType = dtype(v)
		case 2: // TensorShapeProto: 1 dim
			t.Ranked = true
			return fields(d, func(num int, _ uint64, d []byte) error {
				if num != 1 {
					return nil
				}
				n, symbol := int64(-1), ""
				err := fields(d, func(num int, v uint64, d []byte) error {
					switch num {
					case 1: // dim_value; some exporters write -1 for "free"
						if n = int64(v); n < 0 {
							n = -1
						}
					case 2: // dim_param
						symbol = string(d)
					}
					return nil
				})
				t.Shape, t.Symbols = append(t.Shape, n), append(t.Symbols, symbol)
				return err
			})
		}
		return nil
	})
	return t, err
}

// dtype keeps a number that does not fit from looking like one that does.
func dtype(v uint64) tensor.DType { return tensor.DType(min(v, math.MaxUint8)) }
