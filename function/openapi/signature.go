package openapi

import (
	"encoding/json"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// InputOf is the schema of the body {"data": …} of a model with these inputs. A single required input is data itself, as it is
// for [tensor.Decoder]: old models list their weights as optional inputs, and nobody wants to read those. Otherwise data is an
// object of inputs by name.
//
// The decoder takes more than the schema says, such as null and "NaN" for a float: a client that keeps to the schema is right,
// one that does not may be.
func InputOf(inputs []tensor.Spec) Schema {
	data := Schema{Type: "object"}
	if k, ok := only(inputs); ok {
		data = top(inputs[k].Type, false)
	} else {
		for _, in := range inputs {
			data.Properties = append(data.Properties, Property{in.Name, top(in.Type, false)})
			if !in.Optional {
				data.Required = append(data.Required, in.Name)
			}
		}
	}
	return Parameters(Property{"data", data})
}

// OutputOf is the schema of the answer of a model when these outputs are chosen: the value itself of a single one, otherwise an
// object by name. Floats may be null, which is how NaN and the infinities are answered.
func OutputOf(outputs []tensor.Spec) Schema {
	if len(outputs) == 1 {
		return top(outputs[0].Type, true)
	}
	answer := Schema{Type: "object"}
	for _, out := range outputs {
		answer.Properties = append(answer.Properties, Property{out.Name, top(out.Type, true)})
		answer.Required = append(answer.Required, out.Name)
	}
	return answer
}

// only is the index of the single required input.
func only(inputs []tensor.Spec) (k int, ok bool) {
	required := func(in tensor.Spec) bool { return !in.Optional }
	k = slices.IndexFunc(inputs, required)
	return k, k >= 0 && !slices.ContainsFunc(inputs[k+1:], required)
}

// top is a value that is not a part of another one: a tensor carries the reference's mark of an array.
func top(t tensor.Type, answer bool) Schema {
	s := valueOf(t, answer)
	if t.Kind == tensor.KindTensor && s.Type == "array" {
		s.Format = FormatArray
	}
	return s
}

// valueOf is the schema of a value of type t, part of an answer or of a request. What JSON does not carry is any value: a model
// can have such an output as long as nobody chooses it.
func valueOf(t tensor.Type, answer bool) Schema {
	switch t.Kind {
	case tensor.KindTensor:
		s := element(t.DType, answer)
		if !t.Ranked {
			return Schema{Nullable: s.Nullable} // a bare value or nested arrays of it
		}
		for _, size := range slices.Backward(t.Shape) {
			s = Schema{Type: "array", Items: new(s)}
			if size >= 0 {
				s.Len = new(size)
			}
		}
		return s
	case tensor.KindSequence:
		if t.Elem != nil {
			return Schema{Type: "array", Items: new(valueOf(*t.Elem, answer))}
		}
	case tensor.KindMap:
		if t.Elem != nil && t.Elem.Kind == tensor.KindTensor {
			return Schema{Type: "object", Values: new(element(t.Elem.DType, answer))} // one value a key, whatever the rank says
		}
	case tensor.KindOptional:
		if t.Elem != nil {
			s := valueOf(*t.Elem, answer)
			s.Nullable = answer // the runtime takes no absent optional
			return s
		}
	default: // sparse, opaque, none
	}
	return Schema{}
}

// element is the schema of one element, by the rules of the reference's schema library, which goes as far as numpy's types.
func element(d tensor.DType, answer bool) Schema {
	switch d {
	case tensor.Float64:
		return Schema{Type: "number", Format: "double", Nullable: answer}
	case tensor.Float32, tensor.Float16, tensor.BFloat16,
		tensor.Float8E4M3FN, tensor.Float8E4M3FNUZ, tensor.Float8E5M2, tensor.Float8E5M2FNUZ, tensor.Float8E8M0, tensor.Float4E2M1:
		return Schema{Type: "number", Format: "float", Nullable: answer}
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Int4, tensor.Int2,
		tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Uint4, tensor.Uint2:
		return Schema{Type: "integer", Format: d.String()}
	case tensor.Bool:
		return Schema{Type: "boolean"}
	case tensor.String:
		return Schema{Type: "string"}
	default: // complex numbers are not carried in JSON
		return Schema{}
	}
}

// mostExample is how many elements an example may have: what is longer nobody reads.
const mostExample = 1024

// ExampleOf is a body that the schema of [InputOf] and the model accept, for when there is no sample: ones, also for free
// dimensions. It is nil when it would be very long or when JSON does not carry an input.
func ExampleOf(inputs []tensor.Spec) json.RawMessage {
	left := mostExample
	var data any
	if k, ok := only(inputs); ok {
		data, ok = one(inputs[k].Type, &left)
		if !ok {
			return nil
		}
	} else {
		named := object{}
		for _, in := range inputs {
			if in.Optional {
				continue
			}
			value, ok := one(in.Type, &left)
			if !ok {
				return nil
			}
			named = append(named, member{in.Name, value})
		}
		data = named
	}
	return appendValue(nil, object{{"data", data}})
}

// one is a value of type t; not ok when there is none or when left elements do not suffice.
func one(t tensor.Type, left *int) (value any, ok bool) {
	switch t.Kind {
	case tensor.KindTensor:
		return ones(t.DType, t.Shape, left)
	case tensor.KindSequence:
		if t.Elem != nil {
			value, ok = one(*t.Elem, left)
			return []any{value}, ok
		}
	case tensor.KindMap:
		if t.Elem != nil && t.Elem.Kind == tensor.KindTensor {
			value, ok = ones(t.Elem.DType, nil, left)
			return object{{"0", value}}, ok
		}
	case tensor.KindOptional:
		if t.Elem != nil {
			return one(*t.Elem, left)
		}
	default: // sparse, opaque, none
	}
	return nil, false
}

func ones(d tensor.DType, shape []int64, left *int) (value any, ok bool) {
	if len(shape) == 0 {
		*left--
		switch element(d, false).Type {
		case "number":
			value = json.Number("1.0") // float8e8m0 has no zero
		case "integer":
			value = 1
		case "boolean":
			value = false
		case "string":
			value = ""
		}
		return value, value != nil && *left >= 0
	}
	size := shape[0]
	if size < 0 {
		size = 1
	}
	if size > int64(*left) {
		return nil, false
	}
	list := make([]any, size)
	for i := range list {
		if list[i], ok = ones(d, shape[1:], left); !ok {
			return nil, false
		}
	}
	return list, true
}
