package onnx

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/scorefn/scorefn/function/tensor"
)

// collect makes out of what a run left: plain tensors over the arena, where C has copied them one after the other, and
// everything else by further calls.
func (r *run) collect(arena []byte, out *tensor.Batch) error {
	at := 0
	for i := range r.out {
		o := &r.out[i]
		if o.kind == C.ORT_UNKNOWN {
			continue // out was reset to KindNone: an absent optional
		}
		if o.kind != C.ORT_TENSOR {
			v, err := readValue(unsafe.Slice(r.c.out_values, len(r.out))[i])
			if err != nil {
				return fmt.Errorf("onnx: output %q: %w", r.s.outputs[i].Name, err)
			}
			out.Values[i] = v
			continue
		}
		size := int(o.bytes)
		data := arena[at : at+size : at+size]
		at += (size + 7) &^ 7 // as round8 of run.c does
		shape := unsafe.Slice((*int64)(unsafe.Pointer(o.dims)), int(o.rank))
		if o.dtype == C.ORT_STRING {
			out.Values[i] = tensor.Value{Tensor: tensor.Tensor{
				DType: tensor.String, Shape: slices.Clone(shape), Strings: readStrings(data, int(o.strings)),
			}}
			continue
		}
		d := fromORT(o.dtype)
		if err := plausible(d, shape, size); err != nil {
			return fmt.Errorf("onnx: output %q: %w", r.s.outputs[i].Name, err)
		}
		out.SetTensor(i, d, shape, data)
	}
	return nil
}

// plausible holds ONNX Runtime to the contract that a tensor of ours has: an element type that we number differently must
// not pass as another.
func plausible(d tensor.DType, shape []int64, size int) error {
	if n, ok := tensor.Elements(shape); ok {
		if want, ok := d.Bytes(n); ok && want == size {
			return nil
		}
	}
	return &Error{Code: CodeNotImplemented, Msg: fmt.Sprintf("%d bytes for element type %v and shape %v", size, d, shape)}
}

// readStrings makes n strings of their offsets (one size_t each) and bytes.
func readStrings(data []byte, n int) []string {
	strs := make([]string, n)
	if n == 0 {
		return strs
	}
	offsets := unsafe.Slice((*C.size_t)(unsafe.Pointer(&data[0])), n)
	text := string(data[n*int(unsafe.Sizeof(offsets[0])):])
	for i := range strs {
		end := len(text)
		if i+1 < n {
			end = int(offsets[i+1])
		}
		strs[i] = text[offsets[i]:end]
	}
	return strs
}

// readValue makes a copy of v, which its owner keeps.
func readValue(v *C.OrtValue) (tensor.Value, error) {
	var o C.sfn_out
	if err := take(C.sfn_describe(v, &o)); err != nil {
		return tensor.Value{}, err
	}
	switch o.kind {
	case C.ORT_UNKNOWN:
		return tensor.None(), nil
	case C.ORT_TENSOR:
		t, err := readTensor(v, &o)
		return tensor.Value{Tensor: t}, err
	case C.ORT_SEQUENCE:
		var n C.size_t
		if err := take(C.sfn_count(v, &n)); err != nil {
			return tensor.Value{}, err
		}
		items, err := readItems(v, int(n))
		return tensor.Value{Kind: tensor.KindSequence, Items: items}, err
	case C.ORT_MAP:
		items, err := readItems(v, 2) // keys, values
		return tensor.Value{Kind: tensor.KindMap, Items: items}, err
	}
	return tensor.Value{}, &Error{Code: CodeNotImplemented, Msg: fmt.Sprintf("a value of ONNX type %d", int(o.kind))}
}

func readTensor(v *C.OrtValue, o *C.sfn_out) (tensor.Tensor, error) {
	words := make([]uint64, (int(o.bytes)+7)/8) // aligned for every element type
	data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), int(o.bytes))
	if err := take(C.sfn_copy(v, o, unsafe.Pointer(unsafe.SliceData(words)))); err != nil {
		return tensor.Tensor{}, err
	}
	t := tensor.Tensor{DType: fromORT(o.dtype), Shape: slices.Clone(unsafe.Slice((*int64)(unsafe.Pointer(o.dims)), int(o.rank)))}
	if t.DType == tensor.String {
		t.Strings = readStrings(data, int(o.strings))
		return t, nil
	}
	t.Data = data
	return t, plausible(t.DType, t.Shape, len(data))
}

func readItems(v *C.OrtValue, n int) ([]tensor.Value, error) {
	items := make([]tensor.Value, 0, n)
	for i := range n {
		item, err := readItem(v, i)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func readItem(v *C.OrtValue, i int) (tensor.Value, error) {
	var item *C.OrtValue
	if err := take(C.sfn_get(v, C.int(i), &item)); err != nil {
		return tensor.Value{}, err
	}
	defer C.sfn_release_value(item)
	return readValue(item)
}
