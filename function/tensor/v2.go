package tensor

import (
	"encoding/json"
	"strconv"
)

// V2Request is a request of the Open Inference Protocol without its tensors, which are in a [Batch]. It may be used again:
// its memory is kept.
type V2Request struct {
	ID           string
	HasID        bool
	Parameters   json.RawMessage // as sent; nil when absent or null
	Outputs      []V2Output      // those that are asked for, in order; none means all
	BinaryOutput bool            // binary_data_output: outputs are answered as bytes unless they say otherwise

	bytes []v2Bytes
}

// V2Output is an output that a request asks for.
type V2Output struct {
	Name              string
	Binary, HasBinary bool // binary_data
}

// v2Bytes is an input whose elements follow the JSON part.
type v2Bytes struct {
	input, size, at int // at: offset of the size in the JSON part
	shape           []int64
}

// V2Response is an answer of the protocol without its tensors.
type V2Response struct {
	ModelName, ModelVersion string
	ID                      string
	HasID                   bool
	Parameters              json.RawMessage
}

// v2Names are the protocol's names of element types (inference_rest.md, "Tensor Data Types"); BF16 is Triton's.
var v2Names = [...]struct {
	name string
	d    DType
}{
	{"BOOL", Bool},
	{"UINT8", Uint8},
	{"UINT16", Uint16},
	{"UINT32", Uint32},
	{"UINT64", Uint64},
	{"INT8", Int8},
	{"INT16", Int16},
	{"INT32", Int32},
	{"INT64", Int64},
	{"FP16", Float16},
	{"FP32", Float32},
	{"FP64", Float64},
	{"BF16", BFloat16},
	{"BYTES", String},
}

// V2DType is the protocol's name of an element type; "" when it has none, as float8 and int4.
func V2DType(d DType) string {
	for _, n := range v2Names {
		if n.d == d {
			return n.name
		}
	}
	return ""
}

// ParseV2DType is the element type of a name of the protocol.
func ParseV2DType(name string) (d DType, ok bool) {
	for _, n := range v2Names {
		if n.name == name {
			return n.d, true
		}
	}
	return Undefined, false
}

// AppendV2Metadata writes a model's metadata: names, versions, and its inputs and outputs with -1 for free dimensions. An
// open rank is the shape [-1]. What the protocol has no type for (sequences, maps, small floats) has the datatype "".
func AppendV2Metadata(dst []byte, name string, versions []string, inputs, outputs []Spec) ([]byte, error) {
	type io struct {
		Name     string  `json:"name"`
		DataType string  `json:"datatype"`
		Shape    []int64 `json:"shape"`
	}
	list := func(specs []Spec) []io {
		out := []io{}
		for i := range specs {
			t := &specs[i].Type
			for t.Kind == KindOptional && t.Elem != nil {
				t = t.Elem
			}
			e := io{Name: specs[i].Name, Shape: []int64{-1}}
			if t.Kind == KindTensor {
				e.DataType = V2DType(t.DType)
				if t.Ranked {
					e.Shape = append([]int64{}, t.Shape...)
				}
			}
			out = append(out, e)
		}
		return out
	}
	b, err := json.Marshal(struct {
		Name     string   `json:"name"`
		Versions []string `json:"versions"`
		Platform string   `json:"platform"`
		Inputs   []io     `json:"inputs"`
		Outputs  []io     `json:"outputs"`
	}{name, versions, "onnx_onnxv1", list(inputs), list(outputs)})
	return append(dst, b...), err
}

func v2Index(part string, i int) string { return part + "[" + strconv.Itoa(i) + "]" }
