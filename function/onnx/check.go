package onnx

import (
	"fmt"
	"strconv"

	"github.com/scorefn/scorefn/function/tensor"
)

// check finds what ONNX Runtime would refuse later, blame on the wrong side, or not notice at all (a shape where rank 0 is
// declared, memory that does not belong to the shape). The error is a *tensor.Error.
func (s *Session) check(in []tensor.Value) error {
	if len(in) > len(s.inputs) {
		return &tensor.Error{Offset: -1, Msg: fmt.Sprintf("%d inputs, but the model takes %d", len(in), len(s.inputs))}
	}
	for i := range s.inputs {
		spec := &s.inputs[i]
		if i >= len(in) || in[i].Kind == tensor.KindNone {
			if spec.Optional {
				continue
			}
			if spec.Kind == tensor.KindOptional && i < len(in) {
				return fault(spec.Name, "an absent optional cannot be given to ONNX Runtime, only a value of type %v", *spec.Elem)
			}
			return fault(spec.Name, "is missing, expected %v", spec.Type)
		}
		if err := checkValue(spec.Name, &spec.Type, &in[i]); err != nil {
			return err
		}
	}
	return nil
}

// disagreement compares the dimensions that the model gives one name, after a run that failed: ONNX Runtime meets a
// difference inside an operator, where it looks like a fault of the server. It is not looked for before the run, for the
// names of real models are not always meant so, and what runs is right.
func (s *Session) disagreement(in []tensor.Value) error {
	type size struct {
		value int64
		input string
	}
	known := map[string]size{}
	for i := range in {
		spec := &s.inputs[i]
		if spec.Kind != tensor.KindTensor || in[i].Kind != tensor.KindTensor {
			continue
		}
		for axis, name := range spec.Symbols {
			if name == "" || spec.Shape[axis] >= 0 {
				continue
			}
			got := in[i].Shape[axis]
			before, ok := known[name]
			if ok && before.value != got {
				return fault(spec.Name, "is %v, expected %v: %s is %d here, but %d in input %q", found(&in[i]), spec.Type,
					name, got, before.value, before.input)
			}
			known[name] = size{got, spec.Name}
		}
	}
	return nil
}

func checkValue(path string, t *tensor.Type, v *tensor.Value) error {
	switch t.Kind {
	case tensor.KindOptional:
		return checkValue(path, t.Elem, v)
	case tensor.KindTensor:
		return checkTensor(path, t, v)
	case tensor.KindSequence:
		if v.Kind != tensor.KindSequence {
			break
		}
		if len(v.Items) == 0 {
			return fault(path, "an empty sequence cannot be given to ONNX Runtime, expected %v", *t)
		}
		for i := range v.Items {
			if err := checkValue(path+"["+strconv.Itoa(i)+"]", t.Elem, &v.Items[i]); err != nil {
				return err
			}
		}
		return nil
	case tensor.KindMap:
		if v.Kind != tensor.KindMap {
			break
		}
		return checkMap(path, t, v)
	default:
		return fault(path, "inputs of type %v are not supported", *t)
	}
	return fault(path, "is %s, expected %v", found(v), *t)
}

func checkMap(path string, t *tensor.Type, v *tensor.Value) error {
	if len(v.Items) != 2 {
		return fault(path, "a map is two tensors, keys and values, not %d", len(v.Items))
	}
	if t.Elem.Kind != tensor.KindTensor {
		return fault(path, "inputs of type %v are not supported", *t)
	}
	keys, values := tensor.Type{DType: t.DType}, tensor.Type{DType: t.Elem.DType} // whose declared shape is that of one value
	if err := checkTensor(path+" keys", &keys, &v.Items[0]); err != nil {
		return err
	}
	if err := checkTensor(path+" values", &values, &v.Items[1]); err != nil {
		return err
	}
	n, _ := tensor.Elements(v.Items[0].Shape)
	if m, _ := tensor.Elements(v.Items[1].Shape); m != n {
		return fault(path, "%d keys and %d values", n, m)
	}
	return nil
}

func checkTensor(path string, t *tensor.Type, v *tensor.Value) error {
	if v.Kind != tensor.KindTensor || v.DType != t.DType {
		return fault(path, "is %s, expected %v", found(v), *t)
	}
	n, ok := tensor.Elements(v.Shape)
	if !ok {
		for axis, size := range v.Shape {
			if size < 0 {
				return fault(path, "shape %v is negative in dimension %d, expected %v", v.Shape, axis, *t)
			}
		}
		return fault(path, "shape %v has too many elements, expected %v", v.Shape, *t)
	}
	if t.Ranked {
		if len(v.Shape) != len(t.Shape) {
			return fault(path, "is %s, expected %v: %d dimensions, not %d", found(v), *t, len(v.Shape), len(t.Shape))
		}
		for axis, size := range v.Shape {
			if t.Shape[axis] >= 0 && size != t.Shape[axis] {
				return fault(path, "is %s, expected %v: dimension %d is %d, not %d", found(v), *t, axis, size, t.Shape[axis])
			}
		}
	}
	if v.DType == tensor.String {
		if len(v.Strings) != n {
			return fault(path, "shape %v needs %d strings, not %d", v.Shape, n, len(v.Strings))
		}
		return nil
	}
	size, ok := v.DType.Bytes(n)
	if !ok {
		return fault(path, "shape %v has too many elements, expected %v", v.Shape, *t)
	}
	if len(v.Data) != size {
		return fault(path, "%s needs %d bytes, not %d", found(v), size, len(v.Data))
	}
	return nil
}

// found describes v for a message, in the words of a declared type.
func found(v *tensor.Value) string {
	switch v.Kind {
	case tensor.KindTensor:
		return tensor.Type{DType: v.DType, Ranked: true, Shape: v.Shape}.String()
	case tensor.KindSequence:
		return "a sequence"
	case tensor.KindMap:
		return "a map"
	default:
		return "absent"
	}
}

func fault(path, format string, args ...any) error {
	return &tensor.Error{Path: path, Offset: -1, Msg: fmt.Sprintf(format, args...)}
}
