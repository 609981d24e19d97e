package tensor

import "encoding/json"

// The Open Inference Protocol, version 2, over REST: inference_rest.md of kserve/open-inference-protocol. Tensors as bytes after the
// JSON are Triton's extension to it: docs/protocol/extension_binary_data.md of triton-inference-server/server.

// V2Request is what an inference request says besides its inputs. It is made to be used again: [Decoder.V2] resets it and keeps its
// memory. The Parameters are parts of the body and valid as long as that is.
type V2Request struct {
	ID           string          // what the answer must repeat; "" without HasID
	HasID        bool            // false when id is absent or null
	Parameters   json.RawMessage // the request's parameters as they were sent, an object; nil when absent or null
	Outputs      []V2Output      // the outputs that are asked for, in order, no name twice; empty when the request wants all of them
	BinaryOutput bool            // outputs are to be bytes where they do not say otherwise themselves (binary_data_output)

	was   string              // the ID of the request before
	names map[string]struct{} // of many outputs
	call  v2                  // the call that fills it: on the stack it would not stay there
}

// V2Output is an output that a request asks for. Whether the model has it is not checked.
type V2Output struct {
	Name      string
	Binary    bool // it is to be bytes (binary_data)
	HasBinary bool // the request says so, or that it is not to be
}

const (
	mostOutputs = 10_000  // outputs of a request: it costs more memory to note one than to ask for it
	keepOutputs = 1 << 10 // outputs that are kept from request to request
	keepText    = 1 << 12 // bytes of a string
)

// Reset makes r what it is for a request that says nothing, and keeps its memory.
func (r *V2Request) Reset() {
	if r.ID != "" && len(r.ID) <= keepText {
		r.was = r.ID
	}
	r.ID, r.HasID, r.Parameters, r.BinaryOutput = "", false, nil, false
	if cap(r.Outputs) > keepOutputs {
		r.Outputs = nil
	}
	for i := range r.Outputs {
		if o := &r.Outputs[i]; len(o.Name) > keepText {
			*o = V2Output{}
		} else {
			*o = V2Output{Name: o.Name} // the next request probably has the same: see again
		}
	}
	r.Outputs = r.Outputs[:0]
	r.names = nil
}

// again is text as a string: old, without a copy, when it says the same.
func again(old string, text []byte) string {
	if old == string(text) {
		return old
	}
	return string(text)
}

var v2Types = [...]struct {
	d    DType
	name string
}{
	{Float32, "FP32"},
	{Int64, "INT64"},
	{Float64, "FP64"},
	{String, "BYTES"},
	{Uint8, "UINT8"},
	{Int32, "INT32"},
	{Bool, "BOOL"},
	{Float16, "FP16"},
	{BFloat16, "BF16"},
	{Int8, "INT8"},
	{Int16, "INT16"},
	{Uint16, "UINT16"},
	{Uint32, "UINT32"},
	{Uint64, "UINT64"},
}

// V2DType is the protocol's name of d: "FP32", "INT64", "BYTES" for strings, and "BF16", which Triton has added. It is "" for types
// that the protocol does not have: those of 8 bits and less other than integers of 8, and complex numbers.
func V2DType(d DType) string {
	for i := range v2Types {
		if v2Types[i].d == d {
			return v2Types[i].name
		}
	}
	return ""
}

// ParseV2DType is the type that the protocol calls name, as [V2DType] writes it.
func ParseV2DType(name string) (d DType, ok bool) {
	for i := range v2Types {
		if v2Types[i].name == name {
			return v2Types[i].d, true
		}
	}
	return Undefined, false
}
