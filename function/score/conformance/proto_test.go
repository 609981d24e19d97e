//go:build conformance

package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/scorefn/scorefn/function/tensor"
)

// The files of the suite are messages of onnx.proto and onnx-data.proto without a header: which one is in a file, the
// declared type of the input or output tells.

var errDamaged = errors.New("damaged protobuf")

// field is one field of a protobuf message: number is its value unless it is counted bytes.
type field struct {
	num, wire int
	number    uint64
	bytes     []byte
}

// fields takes a message apart.
func fields(b []byte) (list []field, err error) {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errDamaged
		}
		b = b[n:]
		f := field{num: int(tag >> 3), wire: int(tag & 7)}
		var size int
		switch f.wire {
		case 0:
			if f.number, size = binary.Uvarint(b); size <= 0 {
				return nil, errDamaged
			}
		case 1, 5:
			if size = 8; f.wire == 5 {
				size = 4
			}
			if len(b) < size {
				return nil, errDamaged
			}
			f.bytes = b[:size]
		case 2:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)-n) {
				return nil, errDamaged
			}
			size = n + int(length)
			f.bytes = b[n:size]
		default:
			return nil, errDamaged
		}
		b = b[size:]
		list = append(list, f)
	}
	return list, nil
}

// varints are the numbers of a repeated field, packed or not.
func (f field) varints() (list []uint64, err error) {
	if f.wire == 0 {
		return []uint64{f.number}, nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errDamaged
		}
		list, b = append(list, v), b[n:]
	}
	return list, nil
}

// readValue reads the message that a value of type t is stored as.
func readValue(t *tensor.Type, b []byte) (tensor.Value, error) {
	switch t.Kind {
	case tensor.KindTensor:
		return readTensor(b)
	case tensor.KindSequence:
		return readSequence(t, b)
	case tensor.KindOptional:
		return readOptional(t, b)
	case tensor.KindMap:
		return readMap(b)
	default:
		return tensor.None(), fmt.Errorf("a value of type %v is not read", *t)
	}
}

// readTensor reads a TensorProto. Numbers are in raw_data, little-endian, or in the list that their type has.
func readTensor(b []byte) (tensor.Value, error) {
	list, err := fields(b)
	if err != nil {
		return tensor.None(), err
	}
	var t tensor.Tensor
	var data []byte
	for _, f := range list {
		switch f.num {
		case 1, 5, 7, 11: // dims, int32_data, int64_data, uint64_data
			numbers, err := f.varints()
			if err != nil {
				return tensor.None(), err
			}
			for _, v := range numbers {
				if f.num == 1 {
					t.Shape = append(t.Shape, int64(v))
				} else if data, err = appendBits(data, t.DType, v); err != nil {
					return tensor.None(), err
				}
			}
		case 2: // data_type, which every writer puts before the data
			t.DType = tensor.DType(f.number)
		case 4, 9, 10: // float_data, raw_data, double_data
			data = append(data, f.bytes...)
		case 6: // string_data
			t.Strings = append(t.Strings, string(f.bytes))
		case 13, 14: // external_data, data_location
			return tensor.None(), errors.New("data in another file is not read")
		}
	}
	n, ok := tensor.Elements(t.Shape)
	size, _ := t.DType.Bytes(n)
	if !ok || len(data) != size || t.DType == tensor.String && len(t.Strings) != n {
		return tensor.None(), fmt.Errorf("%d bytes, %d strings for %v%v", len(data), len(t.Strings), t.DType, t.Shape)
	}
	t.Data = make([]byte, len(data)) // as aligned as its elements ask for
	copy(t.Data, data)
	return tensor.Value{Tensor: t}, nil
}

// appendBits appends an element of one of the lists of integers, which hold the narrower types and the bits of floats, too.
func appendBits(dst []byte, d tensor.DType, v uint64) ([]byte, error) {
	switch d.Bits() {
	case 8, 4, 2: // packed types have a byte's worth of elements in each number
		return append(dst, byte(v)), nil
	case 16:
		return binary.LittleEndian.AppendUint16(dst, uint16(v)), nil
	case 32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v)), nil
	case 64:
		return binary.LittleEndian.AppendUint64(dst, v), nil
	}
	return nil, fmt.Errorf("integers for %v", d)
}

// readSequence reads a SequenceProto: 3 tensor_values, 5 sequence_values, 6 map_values, 7 optional_values.
func readSequence(t *tensor.Type, b []byte) (tensor.Value, error) {
	v := tensor.Value{Kind: tensor.KindSequence}
	list, err := fields(b)
	if err != nil {
		return v, err
	}
	for _, f := range list {
		if f.num < 3 {
			continue // name, elem_type
		}
		item, err := readValue(t.Elem, f.bytes)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, item)
	}
	return v, nil
}

// readOptional reads an OptionalProto: 3 tensor_value, 5 sequence_value and so on; without one it is absent.
func readOptional(t *tensor.Type, b []byte) (tensor.Value, error) {
	list, err := fields(b)
	if err != nil {
		return tensor.None(), err
	}
	for _, f := range list {
		if f.num >= 3 {
			return readValue(t.Elem, f.bytes)
		}
	}
	return tensor.None(), nil
}

// readMap reads a MapProto: 2 key_type, 3 keys, 4 string_keys, 5 values, which is a SequenceProto of tensors.
func readMap(b []byte) (tensor.Value, error) {
	list, err := fields(b)
	if err != nil {
		return tensor.None(), err
	}
	var keys, values tensor.Tensor
	for _, f := range list {
		switch f.num {
		case 2:
			keys.DType = tensor.DType(f.number)
		case 3:
			numbers, err := f.varints()
			if err != nil {
				return tensor.None(), err
			}
			for _, v := range numbers {
				if keys.Data, err = appendBits(keys.Data, keys.DType, v); err != nil {
					return tensor.None(), err
				}
			}
		case 4:
			keys.Strings = append(keys.Strings, string(f.bytes))
		case 5:
			items, err := readSequence(&tensor.Type{Elem: &tensor.Type{}}, f.bytes)
			if err != nil {
				return tensor.None(), err
			}
			for _, item := range items.Items {
				values.DType = item.DType
				values.Data = append(values.Data, item.Data...)
				values.Strings = append(values.Strings, item.Strings...)
			}
			n := int64(len(items.Items))
			keys.Shape, values.Shape = []int64{n}, []int64{n}
		}
	}
	return tensor.Value{Kind: tensor.KindMap, Items: []tensor.Value{{Tensor: keys}, {Tensor: values}}}, nil
}

// The bits of element i of a tensor.
func bitsOf(t *tensor.Tensor, i int) uint64 {
	switch t.DType.Bits() {
	case 8:
		return uint64(t.Data[i])
	case 16:
		return uint64(binary.LittleEndian.Uint16(t.Data[2*i:]))
	case 32:
		return uint64(binary.LittleEndian.Uint32(t.Data[4*i:]))
	default:
		return binary.LittleEndian.Uint64(t.Data[8*i:])
	}
}

// floatOf is element i of a tensor of floats, exactly.
func floatOf(t *tensor.Tensor, i int) float64 {
	bits := bitsOf(t, i)
	switch t.DType {
	case tensor.Float32:
		return float64(math.Float32frombits(uint32(bits)))
	case tensor.Float64:
		return math.Float64frombits(bits)
	default:
		return halfOf(t.DType).value(uint16(bits))
	}
}

// intOf is element i of a tensor of signed integers.
func intOf(t *tensor.Tensor, i int) int64 {
	free := 64 - t.DType.Bits()
	return int64(bitsOf(t, i)) << free >> free
}
