package tensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// ErrNotInV2 is what the Open Inference Protocol cannot express: sequences, maps, element types that it does not name.
var ErrNotInV2 = errors.New("cannot be expressed in this protocol")

// AppendV2 writes an answer: the JSON part, and after it the bytes of the outputs for which binary is true, in their order.
// jsonLength is the length of the JSON part, the header Inference-Header-Content-Length where anyBinary is true. Elements in
// JSON are a flat list. It is an error that wraps [ErrNotInV2] when a value has no place in the protocol.
func AppendV2(dst []byte, r *V2Response, names []string, values []Value, binary []bool, o EncodeOptions) (out []byte, jsonLength int, anyBinary bool, err error) {
	start := len(dst)
	dst, err = appendV2Head(dst, r)
	for i := range values {
		if err != nil {
			return dst, 0, false, err
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		anyBinary = anyBinary || binary[i]
		if dst, err = appendV2Output(dst, names[i], &values[i], binary[i], o); err != nil {
			err = fmt.Errorf("output %q: %w", names[i], err)
		}
	}
	if err != nil {
		return dst, 0, false, err
	}
	dst = append(dst, "]}"...)
	jsonLength = len(dst) - start
	for i := range values {
		if binary[i] {
			dst = appendV2Bytes(dst, &values[i].Tensor)
		}
	}
	return dst, jsonLength, anyBinary, nil
}

func appendV2Head(dst []byte, r *V2Response) ([]byte, error) {
	dst = append(dst, `{"model_name":`...)
	dst, err := AppendString(dst, r.ModelName)
	if err == nil && r.ModelVersion != "" {
		dst, err = AppendString(append(dst, `,"model_version":`...), r.ModelVersion)
	}
	if err == nil && r.HasID {
		dst, err = AppendString(append(dst, `,"id":`...), r.ID)
	}
	if r.Parameters != nil {
		dst = append(append(dst, `,"parameters":`...), r.Parameters...)
	}
	return append(dst, `,"outputs":[`...), err
}

func appendV2Output(dst []byte, name string, v *Value, asBytes bool, o EncodeOptions) ([]byte, error) {
	if v.Kind != KindTensor || V2DType(v.DType) == "" {
		return dst, ErrNotInV2
	}
	n, err := check(&v.Tensor)
	if err != nil {
		return dst, err
	}
	dst, err = AppendString(append(dst, `{"name":`...), name)
	if err != nil {
		return dst, err
	}
	dst = append(append(append(dst, `,"datatype":"`...), V2DType(v.DType)...), `","shape":[`...)
	for i, d := range v.Shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, d, 10)
	}
	if asBytes {
		dst = append(dst, `],"parameters":{"binary_data_size":`...)
		dst = strconv.AppendInt(dst, int64(v2Size(&v.Tensor)), 10)
		return append(dst, "}}"...), nil
	}
	dst, err = appendRow(append(dst, `],"data":[`...), &v.Tensor, 0, n, o)
	return append(dst, "]}"...), err
}

// v2Size is the length of a tensor as bytes: a string is four bytes of length and its own.
func v2Size(t *Tensor) int {
	size := len(t.Data)
	for _, s := range t.Strings {
		size += 4 + len(s)
	}
	return size
}

func appendV2Bytes(dst []byte, t *Tensor) []byte {
	for _, s := range t.Strings {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return append(dst, t.Data...)
}
