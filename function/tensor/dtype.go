package tensor

import "strconv"

// DType is the type of a tensor's elements, numbered as TensorProto.DataType in onnx.proto.
type DType uint8

// The element types of ONNX. Float8, the 4-bit and the 2-bit types travel as packed raw bytes.
const (
	Undefined DType = iota
	Float32
	Uint8
	Int8
	Uint16
	Int16
	Int32
	Int64
	String
	Bool
	Float16
	Float64
	Uint32
	Uint64
	Complex64
	Complex128
	BFloat16
	Float8E4M3FN
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Uint4
	Int4
	Float4E2M1
	Float8E8M0
	Uint2
	Int2
)

var dtypes = [...]struct {
	name string
	bits int
}{
	{"undefined", 0},
	{"float32", 32},
	{"uint8", 8},
	{"int8", 8},
	{"uint16", 16},
	{"int16", 16},
	{"int32", 32},
	{"int64", 64},
	{"string", 0},
	{"bool", 8},
	{"float16", 16},
	{"float64", 64},
	{"uint32", 32},
	{"uint64", 64},
	{"complex64", 64},
	{"complex128", 128},
	{"bfloat16", 16},
	{"float8e4m3fn", 8},
	{"float8e4m3fnuz", 8},
	{"float8e5m2", 8},
	{"float8e5m2fnuz", 8},
	{"uint4", 4},
	{"int4", 4},
	{"float4e2m1", 4},
	{"float8e8m0", 8},
	{"uint2", 2},
	{"int2", 2},
}

// String is the name that numpy and onnx.proto use, in lower case: float32, int64, float8e4m3fn. A number that ONNX
// does not define reads dtype99.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return "dtype" + strconv.Itoa(int(d))
}

// Bits is the size of one element in bits; 0 for strings and for types that ONNX does not define.
func (d DType) Bits() int {
	if int(d) < len(dtypes) {
		return dtypes[d].bits
	}
	return 0
}

// Bytes is the size of n elements, n >= 0. Types under 8 bits are packed, the last byte padded. ok is false for strings,
// for unknown types and when the size overflows an int.
func (d DType) Bytes(n int) (size int, ok bool) {
	bits := d.Bits()
	if bits == 0 || n > (maxInt-7)/bits {
		return 0, false
	}
	return (n*bits + 7) / 8, true
}

const maxInt = int(^uint(0) >> 1)
