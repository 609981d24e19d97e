package tensor

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// V2Response is what an inference response says besides its outputs.
type V2Response struct {
	ModelName    string
	ModelVersion string          // left out when ""
	ID           string          // what the request said
	HasID        bool            // false leaves id out
	Parameters   json.RawMessage // an object, which is not checked; left out when empty
}

// AppendV2 appends an inference response of the Open Inference Protocol (inference_rest.md): output names[i] is values[i], in this
// order. Where binary[i] is true its bytes follow the JSON, as [Decoder.V2] reads them (extension_binary_data.md), elsewhere its
// elements are in the JSON as one flat array, written as [Value.AppendJSON] writes them. A nil binary is all false. jsonLen is the
// length of the JSON part, the value of the response header Inference-Header-Content-Length; anyBinary tells that the header is
// needed because an output is binary.
//
// It is an error when a value is not a tensor or of a type that the protocol does not have, when its elements do not fit its shape, and
// when a string of the JSON is not valid UTF-8; dst then holds a part of the text.
func AppendV2(dst []byte, r *V2Response, names []string, values []Value, binary []bool, o EncodeOptions) (out []byte, jsonLen int, anyBinary bool, err error) {
	if len(names) != len(values) || binary != nil && len(binary) != len(values) {
		return dst, 0, false, fmt.Errorf("tensor: %d names and %d flags for %d values", len(names), len(binary), len(values))
	}
	start := len(dst)
	if dst, err = appendV2Head(dst, r); err != nil {
		return dst, 0, false, err
	}
	for i := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		bytes := binary != nil && binary[i]
		anyBinary = anyBinary || bytes
		if dst, err = appendV2Output(dst, names[i], &values[i], bytes, o); err != nil {
			return dst, 0, false, fmt.Errorf("output %q: %w", names[i], err)
		}
	}
	dst = append(dst, "]}"...)
	jsonLen = len(dst) - start
	for i := range values {
		if binary != nil && binary[i] {
			dst = appendV2Bytes(dst, &values[i].Tensor)
		}
	}
	return dst, jsonLen, anyBinary, nil
}

func appendV2Head(dst []byte, r *V2Response) ([]byte, error) {
	dst = append(dst, `{"model_name":`...)
	dst, err := AppendString(dst, r.ModelName)
	if err == nil && r.ModelVersion != "" {
		dst = append(dst, `,"model_version":`...)
		dst, err = AppendString(dst, r.ModelVersion)
	}
	if err == nil && r.HasID {
		dst = append(dst, `,"id":`...)
		dst, err = AppendString(dst, r.ID)
	}
	if len(r.Parameters) > 0 {
		dst = append(dst, `,"parameters":`...)
		dst = append(dst, r.Parameters...)
	}
	return append(dst, `,"outputs":[`...), err
}

// appendV2Output appends the JSON of one output. That its bytes can be appended afterwards is checked here.
func appendV2Output(dst []byte, name string, v *Value, bytes bool, o EncodeOptions) ([]byte, error) {
	datatype := ""
	if v.Kind == KindTensor {
		datatype = V2DType(v.DType)
	}
	if datatype == "" {
		return dst, fmt.Errorf("tensor: %s cannot be expressed in this protocol", v2What(v))
	}
	t := &v.Tensor
	n, err := check(t)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `{"name":`...)
	if dst, err = AppendString(dst, name); err != nil {
		return dst, err
	}
	dst = append(dst, `,"datatype":"`...)
	dst = append(dst, datatype...)
	dst = append(dst, `","shape":`...)
	dst = appendV2Shape(dst, t.Shape)
	if bytes {
		size, err := v2Size(t)
		dst = append(dst, `,"parameters":{"binary_data_size":`...)
		dst = strconv.AppendInt(dst, int64(size), 10)
		return append(dst, '}', '}'), err
	}
	dst = append(dst, `,"data":[`...)
	dst = grow(dst, t, n)
	if dst, err = appendRow(dst, t, 0, n, o); err != nil {
		return dst, fmt.Errorf(`%w: it has to be asked for with the parameter "binary_data": true`, err)
	}
	return append(dst, ']', '}'), nil
}

// v2What is v in the message that it cannot be written.
func v2What(v *Value) string {
	switch v.Kind {
	case KindTensor:
		return v.DType.String()
	case KindSequence:
		return "a sequence"
	case KindMap:
		return "a map"
	case KindNone:
		return "an absent value"
	default:
		return "a value of unknown kind"
	}
}

func appendV2Shape(dst []byte, shape []int64) []byte {
	dst = append(dst, '[')
	for i, n := range shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, n, 10)
	}
	return append(dst, ']')
}

// v2Size is how many bytes appendV2Bytes writes.
func v2Size(t *Tensor) (size int, err error) {
	size = len(t.Data)
	for _, s := range t.Strings {
		if uint64(len(s)) > math.MaxUint32 {
			return 0, fmt.Errorf("tensor: a string of %d bytes is too long for this protocol", len(s))
		}
		size += 4 + len(s)
	}
	return size, nil
}

func appendV2Bytes(dst []byte, t *Tensor) []byte {
	if t.DType != String {
		return append(dst, t.Data...)
	}
	for _, s := range t.Strings {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// AppendV2Metadata appends a model's metadata as the protocol has it: {"name", "versions", "platform": "onnx_onnxv1", "inputs",
// "outputs"}, versions only if there are some. A free dimension is -1, and so is the shape of an open rank, [-1], for which the
// protocol has no word. What the protocol cannot express at all, such as sequences, maps and float8, is left out.
func AppendV2Metadata(dst []byte, name string, versions []string, inputs, outputs []Spec) ([]byte, error) {
	dst = append(dst, `{"name":`...)
	dst, err := AppendString(dst, name)
	for i, v := range versions {
		if err != nil {
			break
		}
		if i == 0 {
			dst = append(dst, `,"versions":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst, err = AppendString(dst, v)
	}
	if len(versions) > 0 {
		dst = append(dst, ']')
	}
	dst = append(dst, `,"platform":"onnx_onnxv1","inputs":[`...)
	if err == nil {
		dst, err = appendV2Specs(dst, inputs)
	}
	dst = append(dst, `],"outputs":[`...)
	if err == nil {
		dst, err = appendV2Specs(dst, outputs)
	}
	return append(dst, "]}"...), err
}

func appendV2Specs(dst []byte, specs []Spec) (_ []byte, err error) {
	first := true
	for i := range specs {
		t := tensorType(&specs[i].Type)
		if t == nil || V2DType(t.DType) == "" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, `{"name":`...)
		if dst, err = AppendString(dst, specs[i].Name); err != nil {
			return dst, err
		}
		dst = append(dst, `,"datatype":"`...)
		dst = append(dst, V2DType(t.DType)...)
		dst = append(dst, `","shape":[`...)
		shape := t.Shape
		if !t.Ranked {
			shape = []int64{-1}
		}
		for k, n := range shape {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(dst, max(n, -1), 10)
		}
		dst = append(dst, "]}"...)
	}
	return dst, nil
}
