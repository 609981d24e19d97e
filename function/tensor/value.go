package tensor

import (
	"fmt"
	"unsafe"
)

// Tensor is a dense array. Data holds the elements little-endian in row-major order, aligned for its type; strings are in
// Strings instead, as bytes of any content. An empty Shape is rank 0: one element.
type Tensor struct {
	DType   DType
	Shape   []int64
	Data    []byte
	Strings []string
}

// Value is what an input takes or an output gives. The zero Kind is a tensor, whose fields are promoted.
type Value struct {
	Kind Kind
	Tensor
	Items []Value // of a sequence: its elements; of a map: two tensors of one length, keys and values
}

// None is the value of an input that is left out, and of an absent optional output.
func None() Value { return Value{Kind: KindNone} }

// Element is a Go type that holds an element of the DType of the same name. Float16 and bfloat16 are uint16 bit patterns.
type Element interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | bool
}

// Of makes a tensor over data without a copy. No shape means rank 1; Shape(nil...) is not rank 0: use [Scalar] for that.
// It panics when the shape does not hold len(data) elements: that is a mistake in the program.
func Of[T Element](data []T, shape ...int64) Value {
	if len(shape) == 0 {
		shape = []int64{int64(len(data))}
	}
	if n, ok := Elements(shape); !ok || n != len(data) {
		panic(fmt.Sprintf("tensor: %d elements for shape %v", len(data), shape))
	}
	return Value{Tensor: Tensor{DType: dtypeOf[T](), Shape: shape, Data: bytesOf(data)}}
}

// Scalar makes a tensor of rank 0.
func Scalar[T Element](v T) Value {
	return Value{Tensor: Tensor{DType: dtypeOf[T](), Data: bytesOf([]T{v})}}
}

// OfStrings makes a string tensor over data without a copy; no shape means rank 1. It panics like [Of].
func OfStrings(data []string, shape ...int64) Value {
	if len(shape) == 0 {
		shape = []int64{int64(len(data))}
	}
	if n, ok := Elements(shape); !ok || n != len(data) {
		panic(fmt.Sprintf("tensor: %d strings for shape %v", len(data), shape))
	}
	return Value{Tensor: Tensor{DType: String, Shape: shape, Strings: data}}
}

// Data is the elements of t as a slice over the same memory. It is an error when T is not t's element type.
func Data[T Element](t Tensor) ([]T, error) {
	if want := dtypeOf[T](); t.DType != want {
		return nil, fmt.Errorf("tensor: elements are %v, not %v", t.DType, want)
	}
	var zero T
	return view[T](t.Data, len(t.Data)/int(unsafe.Sizeof(zero))), nil
}

// Elements is the number of elements of a shape; ok is false when a dimension is negative or the product overflows.
func Elements(shape []int64) (n int, ok bool) {
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		zero = zero || d == 0
	}
	if zero {
		return 0, true // whatever the other dimensions are
	}
	n = 1
	for _, d := range shape {
		if d > int64(maxInt/n) {
			return 0, false
		}
		n *= int(d)
	}
	return n, true
}

func dtypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case bool:
		return Bool
	}
	return Undefined
}

func bytesOf[T Element](data []T) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
}

// view reads n elements of b; b is aligned, see Tensor.
func view[T Element](b []byte, n int) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}
