package onnx

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/scorefn/scorefn/function/tensor"
)

// feed puts checked inputs into the context and says how many there are. Numbers stay where they are in Go memory;
// everything else is made into a value of ONNX Runtime's.
func (r *run) feed(in []tensor.Value) (n int, err error) {
	rank := 0
	for i := range in {
		rank += len(in[i].Shape)
	}
	if C.size_t(rank) > r.c.ndims && C.sfn_ctx_dims(r.c, C.size_t(rank)) == 0 {
		return 0, &Error{Code: CodeFail, Msg: "out of memory"}
	}
	dims := unsafe.Slice((*int64)(unsafe.Pointer(r.c.dims)), rank)
	dim := 0
	for i := range in {
		v := &in[i]
		if v.Kind == tensor.KindNone {
			continue
		}
		slot := &r.in[n]
		slot.name = r.s.names[i]
		if v.Kind != tensor.KindTensor || v.DType == tensor.String {
			r.dirty = true // should a later one fail
			if slot.made, err = makeValue(v); err != nil {
				return 0, fmt.Errorf("onnx: input %q: %w", r.s.inputs[i].Name, err)
			}
			n++
			continue
		}
		var data unsafe.Pointer
		if len(v.Data) > 0 {
			data = unsafe.Pointer(unsafe.SliceData(v.Data))
		}
		if n < byArgument {
			r.args[n] = (*C.uint8_t)(data)
		} else if data != nil {
			r.pins.Pin(data)
			r.pinned = true
		}
		if n >= byArgument {
			slot.data = data // pinned, so C memory may hold it until the call returns
		}
		slot.bytes, slot.dtype = C.size_t(len(v.Data)), toORT(v.DType)
		slot.dim, slot.rank = C.size_t(dim), C.size_t(len(v.Shape))
		dim += copy(dims[dim:], v.Shape)
		n++
	}
	return n, nil
}

// makeValue makes a value that the caller releases, or that sfn_run takes over.
func makeValue(v *tensor.Value) (*C.OrtValue, error) {
	var made *C.OrtValue
	switch v.Kind {
	case tensor.KindTensor:
		dims, rank := shapeArgs(v.Shape)
		if v.DType != tensor.String {
			err := take(C.sfn_new_tensor(toORT(v.DType), dims, rank, unsafe.Pointer(unsafe.SliceData(v.Data)), C.size_t(len(v.Data)), &made))
			return made, err
		}
		text := strings.Join(v.Strings, "")
		lengths := make([]C.size_t, len(v.Strings))
		for i, s := range v.Strings {
			lengths[i] = C.size_t(len(s))
		}
		err := take(C.sfn_new_strings(dims, rank, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), unsafe.SliceData(lengths),
			C.size_t(len(lengths)), &made))
		return made, err
	case tensor.KindSequence, tensor.KindMap:
		kind := C.int(C.ORT_SEQUENCE)
		if v.Kind == tensor.KindMap {
			kind = C.ORT_MAP
		}
		parts := make([]*C.OrtValue, 0, len(v.Items))
		defer func() { // the new value shares them
			for _, p := range parts {
				C.sfn_release_value(p)
			}
		}()
		for i := range v.Items {
			p, err := makeValue(&v.Items[i])
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
		err := take(C.sfn_new_value(unsafe.SliceData(parts), C.size_t(len(parts)), kind, &made))
		return made, err
	default:
		return nil, &Error{Code: CodeInvalidArgument, Msg: "a value of this kind cannot be given to ONNX Runtime"}
	}
}

func shapeArgs(shape []int64) (*C.int64_t, C.size_t) {
	if len(shape) == 0 {
		return nil, 0
	}
	return (*C.int64_t)(unsafe.Pointer(&shape[0])), C.size_t(len(shape))
}
