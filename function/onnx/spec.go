package onnx

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/scorefn/scorefn/function/tensor"
)

// fromORT and toORT bridge two numberings of element types. ONNX numbers 24 FLOAT8E8M0, 25 UINT2, 26 INT2; ONNX Runtime's
// header has 24 UINT2, 25 INT2 and no FLOAT8E8M0. Version 1.27.0 reports types by its header but makes tensors by ONNX's
// numbers, so only one direction needs a change. TestNarrowTypes notices when a version is different.
func fromORT(dtype C.int) tensor.DType {
	switch {
	case dtype == 24 || dtype == 25:
		return tensor.DType(dtype + 1)
	case dtype < 0 || dtype > 255:
		return tensor.Undefined
	}
	return tensor.DType(dtype)
}

func toORT(d tensor.DType) C.int { return C.int(d) }

// The session's lists, as sfn_name and sfn_type number them.
const (
	listInputs = iota
	listDefaults
	listOutputs
	lists
)

// sessionSpecs asks a session for its own signature: required inputs, overridable initializers, outputs.
func sessionSpecs(s *C.OrtSession) (specs [lists][]tensor.Spec, err error) {
	var n [lists]C.size_t
	if err := take(C.sfn_counts(s, &n[0])); err != nil {
		return specs, err
	}
	for list := range specs {
		for i := range n[list] {
			spec, err := sessionSpec(s, C.int(list), i)
			if err != nil {
				return specs, err
			}
			spec.Optional = list == listDefaults
			specs[list] = append(specs[list], spec)
		}
	}
	return specs, nil
}

func sessionSpec(s *C.OrtSession, list C.int, i C.size_t) (tensor.Spec, error) {
	var name *C.char
	if err := take(C.sfn_name(s, list, i, &name)); err != nil {
		return tensor.Spec{}, err
	}
	defer C.sfn_free_name(name)
	var info *C.OrtTypeInfo
	if err := take(C.sfn_type(s, list, i, &info)); err != nil {
		return tensor.Spec{}, err
	}
	defer C.sfn_release_type(info)
	t, err := typeInfo(info, 0)
	return tensor.Spec{Name: C.GoString(name), Type: t}, err
}

// typeInfo makes a Type of an OrtTypeInfo, whose caller keeps it.
func typeInfo(info *C.OrtTypeInfo, depth int) (t tensor.Type, err error) {
	if info == nil || depth > maxDepth {
		return t, &Error{Code: CodeNotImplemented, Msg: "a type that ONNX Runtime does not describe"}
	}
	var kind C.int
	if err := take(C.sfn_type_kind(info, &kind)); err != nil {
		return t, err
	}
	switch kind {
	case C.ORT_TENSOR, C.ORT_SPARSE:
		if t, err = tensorInfo(info); kind == C.ORT_SPARSE {
			t.Kind = tensor.KindSparse
		}
		return t, err
	case C.ORT_SEQUENCE:
		t.Kind = tensor.KindSequence
	case C.ORT_OPTIONAL:
		t.Kind = tensor.KindOptional
	case C.ORT_MAP:
		t.Kind = tensor.KindMap
	default:
		return tensor.Type{Kind: tensor.KindOpaque}, nil
	}
	var key C.int
	var elem *C.OrtTypeInfo
	if err := take(C.sfn_type_elem(info, kind, &key, &elem)); err != nil {
		return t, err
	}
	defer C.sfn_release_type(elem)
	if t.Kind == tensor.KindMap {
		t.DType = fromORT(key)
	}
	u, err := typeInfo(elem, depth+1)
	t.Elem = &u
	return t, err
}

func tensorInfo(info *C.OrtTypeInfo) (t tensor.Type, err error) {
	var dtype, ranked C.int
	var rank C.size_t
	if err := take(C.sfn_type_tensor(info, &dtype, &ranked, &rank)); err != nil {
		return t, err
	}
	t.DType, t.Ranked = fromORT(dtype), ranked != 0
	if !t.Ranked || rank == 0 {
		return t, nil
	}
	t.Shape, t.Symbols = make([]int64, rank), make([]string, rank)
	symbols := make([]*C.char, rank)
	if err := take(C.sfn_type_dims(info, (*C.int64_t)(unsafe.Pointer(&t.Shape[0])), &symbols[0], rank)); err != nil {
		return t, err
	}
	for i, p := range symbols {
		t.Symbols[i] = C.GoString(p)
	}
	return t, nil
}

// agree compares the file's signature with the session's own. The session decides what may be fed, the file has the
// better types (an open rank, say), so both must speak of the same model. An output's dimensions may be inferred, so only
// kinds and element types are compared.
//
// A file may leave an output's type to be inferred; then it is the session's.
func agree(sig *Signature, own [lists][]tensor.Spec) error {
	defaults := 0
	for _, in := range sig.Inputs {
		if in.Optional {
			defaults++
		}
	}
	required := len(sig.Inputs) - defaults
	for list, pair := range [lists][2][]tensor.Spec{
		listInputs:   {sig.Inputs[:required], own[listInputs]},
		listDefaults: {sig.Inputs[required:], own[listDefaults]},
		listOutputs:  {sig.Outputs, own[listOutputs]},
	} {
		what := [lists]string{"input", "input with a default", "output"}[list]
		file, session := pair[0], pair[1]
		if len(file) != len(session) {
			return fmt.Errorf("onnx: the file lists %d of kind %q, the session %d", len(file), what, len(session))
		}
		for i := range file {
			if list == listOutputs && file[i].Kind == tensor.KindOpaque {
				file[i].Type = session[i].Type
			}
			if file[i].Name != session[i].Name || !sameType(file[i].Type, session[i].Type) {
				return fmt.Errorf("onnx: %s %d is %q %v in the file, %q %v in the session",
					what, i, file[i].Name, file[i].Type, session[i].Name, session[i].Type)
			}
		}
	}
	return nil
}

func sameType(a, b tensor.Type) bool {
	if a.Kind != b.Kind || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil && !sameType(*a.Elem, *b.Elem) {
		return false
	}
	return a.DType == b.DType || a.DType == tensor.Float8E8M0 // which the session cannot name
}
