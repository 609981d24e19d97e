//go:build conformance

package conformance

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"

	"github.com/scorefn/scorefn/function/tensor"
)

// message is protobuf under construction: bytes for a counted field, an int for a number.
func message(parts ...any) (b []byte) {
	for i := 0; i < len(parts); i += 2 {
		num := parts[i].(int)
		switch v := parts[i+1].(type) {
		case int:
			b = binary.AppendUvarint(b, uint64(num)<<3)
			b = binary.AppendUvarint(b, uint64(v))
		case []byte:
			b = binary.AppendUvarint(b, uint64(num)<<3|2)
			b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		}
	}
	return b
}

func packed(numbers ...uint64) (b []byte) {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// The suite has most numbers in raw_data: the other fields are read right, too.
func TestReaderKnowsEveryField(t *testing.T) {
	float := tensor.Type{DType: tensor.Float32}
	one := message(1, 1, 2, 1, 4, binary.LittleEndian.AppendUint32(nil, math.Float32bits(2.5)))
	two := tensor.Of([]float32{2.5})
	for _, tt := range []struct {
		name string
		of   tensor.Type
		in   []byte
		want tensor.Value
	}{
		{"float_data", float, one, two},
		{"double_data", float, message(1, 1, 2, 11, 10, binary.LittleEndian.AppendUint64(nil, math.Float64bits(-0.5))), tensor.Of([]float64{-0.5})},
		{"int32_data of int8", float, message(1, 2, 2, 3, 5, packed(7, 1<<64-1)), tensor.Of([]int8{7, -1})},
		{"int32_data of bool, not packed", float, message(1, 2, 2, 9, 5, 1, 5, 0), tensor.Of([]bool{true, false})},
		{"int32_data of float16", float, message(1, 1, 2, 10, 5, packed(0x3c00)), tensor.Value{Tensor: tensor.Tensor{
			DType: tensor.Float16, Shape: []int64{1}, Data: []byte{0, 0x3c},
		}}},
		{"int64_data", float, message(1, 1, 1, 2, 2, 7, 7, packed(1<<63, 3)), tensor.Of([]int64{math.MinInt64, 3}, 1, 2)},
		{"uint64_data of uint32", float, message(1, 1, 2, 12, 11, packed(1<<32-1)), tensor.Of([]uint32{math.MaxUint32})},
		{"string_data", float, message(1, packed(2), 2, 8, 6, []byte("a\x00"), 6, []byte("")), tensor.OfStrings([]string{"a\x00", ""})},
		{"rank 0", float, message(2, 6, 9, []byte{1, 0, 0, 0}), tensor.Scalar(int32(1))},
		{"sequence", tensor.Type{Kind: tensor.KindSequence, Elem: &float}, message(1, []byte("s"), 2, 1, 3, one, 3, one), tensor.Value{
			Kind: tensor.KindSequence, Items: []tensor.Value{two, two},
		}},
		{"optional", tensor.Type{Kind: tensor.KindOptional, Elem: &float}, message(2, 1, 3, one), two},
		{"absent optional", tensor.Type{Kind: tensor.KindOptional, Elem: &float}, message(2, 1), tensor.None()},
		{"map", tensor.Type{Kind: tensor.KindMap}, message(2, 7, 3, packed(4, 5), 5, message(2, 1, 3, one, 3, one)), tensor.Value{
			Kind: tensor.KindMap, Items: []tensor.Value{tensor.Of([]int64{4, 5}), tensor.Of([]float32{2.5, 2.5})},
		}},
	} {
		got, err := readValue(&tt.of, tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if err := alike(&got, &tt.want, sameBits); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, bad := range [][]byte{{0x08}, {0x12, 5, 0}, {0x0f}, message(1, 2, 2, 1, 9, []byte{0, 0, 0, 0})} {
		if v, err := readValue(&float, bad); err == nil {
			t.Errorf("% x: got %v, want an error", bad, v)
		}
	}
}

func TestHalvesComeBack(t *testing.T) {
	for _, d := range []tensor.DType{tensor.Float16, tensor.BFloat16} {
		h := halfOf(d)
		for bits := range 1 << 16 {
			f := h.value(uint16(bits))
			if got := h.round(f); got != uint16(bits) && !math.IsNaN(f) {
				t.Fatalf("%v: %#x is %v, which is rounded to %#x", d, bits, f, got)
			}
		}
	}
	// Halfway between two neighbours, and on either side of it.
	for f, want := range map[float64]uint16{1 + 0x1p-11: 0x3c00, 1 + 0x3p-11: 0x3c02, 1 + 0x1.01p-11: 0x3c01, -0x1p-25: 0x8000, 0x1.8p-25: 1, 65519: 0x7bff} {
		if got := halfOf(tensor.Float16).round(f); got != want {
			t.Errorf("%v is rounded to %#x, want %#x", f, got, want)
		}
	}
}

func TestAnswersAreReadExactly(t *testing.T) {
	got, err := parse([]byte(`{"NaN": [NaN, -Infinity, 1.50], "b": "Infinity \" NaN"}`))
	want, _ := parse([]byte(`{"NaN": ["\u0000NaN", "\u0000-Infinity", 1.50], "b": "Infinity \" NaN"}`))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for text, of := range map[string]tensor.DType{
		`1.0`: tensor.Int64, `128`: tensor.Int8, `-1`: tensor.Uint8, `1`: tensor.Bool, `true`: tensor.Float32, `"NaN"`: tensor.Float32,
		`1e39`: tensor.Float32, `null`: tensor.Float64, `2`: tensor.String, `[]`: tensor.Int32, `[[1],[]]`: tensor.Int32,
		`[1,[2]]`: tensor.Int32, `[1] 2`: tensor.Int32, `[01]`: tensor.Int32,
	} {
		tree, err := parse([]byte(text))
		if err != nil {
			continue
		}
		rank0 := tensor.Type{DType: of}
		if v, err := fromTree(tree, &rank0); err == nil && len(v.Data) > 0 {
			t.Errorf("%s as %v: got %v, want an error", text, of, v)
		}
	}
}
