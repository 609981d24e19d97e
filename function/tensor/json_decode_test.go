package tensor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// in is an input of name x; a negative dimension is free and has the symbol N, M, K by its place.
func in(d DType, shape ...int64) Spec {
	t := Type{DType: d, Ranked: true, Shape: shape, Symbols: make([]string, len(shape))}
	for i, n := range shape {
		if n < 0 {
			t.Symbols[i] = string("NMKL"[i%4])
		}
	}
	return Spec{Name: "x", Type: t}
}

func open(d DType) Spec { return Spec{Name: "x", Type: Type{DType: d}} }

func named(name string, s Spec) Spec {
	s.Name = name
	return s
}

func optional(s Spec) Spec {
	s.Optional = true
	return s
}

func of(kind Kind, elem Type) Spec { return Spec{Name: "x", Type: Type{Kind: kind, Elem: &elem}} }

func mapOf(key, value DType) Type {
	return Type{Kind: KindMap, DType: key, Elem: &Type{DType: value}}
}

// show is a value as text: the type, the shape and the elements of each tensor.
func show(v Value) string {
	switch v.Kind {
	case KindNone:
		return "none"
	case KindTensor:
		text, err := v.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%v%v %s", v.DType, v.Shape, text)
	}
	var parts []string
	for _, item := range v.Items {
		parts = append(parts, show(item))
	}
	return fmt.Sprintf("%d(%s)", v.Kind, strings.Join(parts, "; "))
}

func decode(t *testing.T, inputs []Spec, o DecodeOptions, text string) ([]Value, error) {
	t.Helper()
	b := new(Batch)
	err := NewDecoder(inputs, o).JSON([]byte(text), b)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Offset > len(text) || len(b.Values) != 0 {
			t.Errorf("%s: %#v, %d values", text, err, len(b.Values))
		}
	}
	return b.Values, err
}

func TestDecodeAccepts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in         Spec
		text, want string
	}{
		{in(Float32, -1, 2), `[[1,2],[3,4]]`, "float32[2 2] [[1.0,2.0],[3.0,4.0]]"},
		{in(Float32, -1, 2), " [\n[ 1 , 2 ]\t,\r\n[3, 4] ] ", "float32[2 2] [[1.0,2.0],[3.0,4.0]]"},
		{in(Float32, -1, 3), `[]`, "float32[0 3] []"},
		{in(Float32, 0, 3), `[]`, "float32[0 3] []"},
		{in(Float32, -1, -1), `[[],[]]`, "float32[2 0] [[],[]]"},
		{in(Float32, -1, -1, 4), `[[],[]]`, "float32[2 0 4] [[],[]]"},
		{open(Float32), `[]`, "float32[0] []"},
		{open(Float32), `[[],[]]`, "float32[2 0] [[],[]]"},
		{open(Float32), `[[[1,2]]]`, "float32[1 1 2] [[[1.0,2.0]]]"},
		{open(Float32), `-0.0`, "float32[] -0.0"},
		{in(Float32), `7`, "float32[] 7.0"},
		{in(Float32, -1), `[NaN,Infinity,-Infinity,null,"NaN","Infinity","-Infinity",-0.0,-0]`, "float32[9] [NaN,Infinity,-Infinity,NaN,NaN,Infinity,-Infinity,-0.0,-0.0]"},
		{in(Float32, -1), `[7.038531e-26,1e-400,3.4028235e38,16777217,1e-46]`, "float32[5] [7.0385313e-26,0.0,3.4028235e+38,16777216.0,0.0]"},
		{in(Float64, -1), `[0.1,1e308,5e-324,9007199254740993]`, "float64[4] [0.1,1e+308,5e-324,9007199254740992.0]"},
		{in(Float16, -1), `[0.1,65519.99,1e-8,NaN,null,2049,-0.0]`, "float16[7] [0.1,65500.0,0.0,NaN,NaN,2048.0,-0.0]"},
		{in(BFloat16, -1), `[0.1,3.38e38,256.5,257]`, "bfloat16[4] [0.1,3.38e+38,256.0,256.0]"},
		{in(Int64, -1), `[9223372036854775807,-9223372036854775808,1.0,1e2,-12.50e1,-0,0.0,9007199254740993,9007199254740992.0]`, "int64[9] [9223372036854775807,-9223372036854775808,1,100,-125,0,0,9007199254740993,9007199254740992]"},
		{in(Uint64, -1), `[18446744073709551615,0]`, "uint64[2] [18446744073709551615,0]"},
		{in(Int8, -1), `[127,-128]`, "int8[2] [127,-128]"},
		{in(Uint8, -1), `[255, 0]`, "uint8[2] [255,0]"},
		{in(Int16, -1), `[-32768]`, "int16[1] [-32768]"},
		{in(Uint32, -1), `[4294967295]`, "uint32[1] [4294967295]"},
		{in(Int4, -1, 3), `[[-8,7,1],[0,-1,2]]`, "int4[2 3] [[-8,7,1],[0,-1,2]]"},
		{in(Uint4, -1), `[15,0,9]`, "uint4[3] [15,0,9]"},
		{in(Int2, -1), `[-2,1,0,-1,1]`, "int2[5] [-2,1,0,-1,1]"},
		{in(Uint2, -1), `[3,0,1,2,3]`, "uint2[5] [3,0,1,2,3]"},
		{in(Float8E4M3FN, -1), `[0.1,448,-1.5,NaN]`, "float8e4m3fn[4] [0.1015625,448.0,-1.5,NaN]"},
		{in(Float4E2M1, -1), `[6,-0.5,0.7]`, "float4e2m1[3] [6.0,-0.5,0.5]"},
		{in(Bool, -1), `[true,false]`, "bool[2] [true,false]"},
		{in(String, -1), `["a","\u0000b","é\u2028",""]`, `string[4] ["a","\u0000b","é` + "\u2028" + `",""]`},
		{in(String), `"a\ud83d\ude00"`, `string[] "a😀"`},
		{of(KindSequence, in(Float32, -1).Type), `[[1,2],[],[3]]`, "1(float32[2] [1.0,2.0]; float32[0] []; float32[1] [3.0])"},
		{of(KindSequence, in(Int8, -1).Type), `[[1,2,3], [4]]`, "1(int8[3] [1,2,3]; int8[1] [4])"},
		{of(KindSequence, in(String, -1).Type), `[["a"],["b","c"]]`, `1(string[1] ["a"]; string[2] ["b","c"])`},
		{of(KindSequence, mapOf(Int64, Float32)), `[{"0":0.5,"-7":1},{}]`, "1(2(int64[2] [0,-7]; float32[2] [0.5,1.0]); 2(int64[0] []; float32[0] []))"},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":1,"b" : 2 }`, `2(string[2] ["a","b"]; float32[2] [1.0,2.0])`},
		{Spec{Name: "x", Type: mapOf(String, String)}, `{"x":{"x":"y"}}`, `2(string[1] ["x"]; string[1] ["y"])`},
		{of(KindOptional, in(Float32, -1).Type), `[1]`, "float32[1] [1.0]"},
		{named("data", in(Float32, -1)), `{"data":[1]}`, "float32[1] [1.0]"},
		{optional(in(Float32, -1)), ` null `, "none"},
		{optional(in(Float32, -1)), `[ ]`, "none"},
		{optional(in(Float32, -1)), `{}`, "none"},
		{optional(in(Float32, -1)), `{"x":[5]}`, "float32[1] [5.0]"},
	} {
		v, err := decode(t, []Spec{c.in}, DecodeOptions{}, c.text)
		if err != nil {
			t.Errorf("%s for %v: %v", c.text, c.in.Type, err)
		} else if got := show(v[0]); got != c.want {
			t.Errorf("%s for %v:\n got %s\nwant %s", c.text, c.in.Type, got, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	image := named("image", in(Float32, -1, 3))
	const of3 = ` (input "image" float32[N,3]) `
	for _, c := range []struct {
		in         Spec
		text, want string
	}{
		{image, `[[1,2,3],[4,5]]`, `data[1]: 2 values, expected 3` + of3 + `(at byte 13)`},
		{image, `[[1,2,3,4],[1]]`, `data[0]: 4 values, expected 3` + of3 + `(at byte 8)`},
		{image, `[1,2,3]`, `data: an array of rank 2 is expected, found rank 1` + of3 + `(at byte 1)`},
		{image, `[[[1,2,3]]]`, `data: an array of rank 2 is expected, found rank 3` + of3 + `(at byte 3)`},
		{image, `5`, `data: expected an array of rank 2, found a number` + of3 + `(at byte 0)`},
		{image, `[[1,"a",3]]`, `data[0][1]: expected a number, found a string` + of3 + `(at byte 4)`},
		{image, `[[1,2,3],4]`, `data[1]: expected an array, found a number` + of3 + `(at byte 9)`},
		{image, `[[1,2,3],[[4]]]`, `data[1][0]: expected a number, found an array` + of3 + `(at byte 10)`},
		{image, `[[1,2,true]]`, `data[0][2]: expected a number, found a boolean` + of3 + `(at byte 6)`},
		{image, `[[1,2,1e39]]`, `data[0][2]: 1e39 is out of range for float32` + of3 + `(at byte 6)`},
		{image, `[[1,2,-1e400]]`, `data[0][2]: -1e400 is out of range for float32` + of3 + `(at byte 6)`},
		{image, `[[1,2,3]] x`, `data: unexpected text after the value (at byte 10)`},
		{image, `[[1,2,3]`, `data: the text ends inside an array (at byte 8)`},
		{image, `[[1,2,3],]`, `data[1]: expected an array, found ']' (at byte 9)`},
		{image, `[[1,2,]]`, `data[0][2]: expected a number, found ']' (at byte 6)`},
		{image, `[[1 2]]`, `data[0][1]: expected ',' or ']', found a number (at byte 4)`},
		{image, `[[1,2,3] [4,5,6]]`, `data: expected ',' or ']', found an array (at byte 9)`},
		{image, `[[01,2,3]]`, `data[0][0]: a number has a leading zero (at byte 2)`},
		{image, `[[1.,2,3]]`, `data[0][0]: a digit is expected after the point (at byte 2)`},
		{image, `[[-,2,3]]`, `data[0][0]: a digit is expected after '-' (at byte 2)`},
		{image, `[[1e,2,3]]`, `data[0][0]: a digit is expected in the exponent (at byte 2)`},
		{image, `[[+1,2,3]]`, `data[0][0]: expected a number, found '+' (at byte 2)`},
		{image, `[[.5,2,3]]`, `data[0][0]: expected a number, found '.' (at byte 2)`},
		{image, `[[nul,2,3]]`, `data[0][0]: expected a number, found 'n' (at byte 2)`},
		{image, `[["Inf",2,3]]`, `data[0][0]: expected a number, found a string` + of3 + `(at byte 2)`},
		{image, ``, `data: a value is expected, the text is empty (at byte 0)`},
		{image, "\ufeff[]", `data: expected an array of rank 2, found byte 0xef (at byte 0)`},
		{image, `{"image":[[1,2]]}`, `data.image[0]: 2 values, expected 3` + of3 + `(at byte 14)`},
		{image, `{"img":[[1,2]]}`, `data: unknown input "img" (inputs: "image" float32[N,3]) (at byte 7)`},
		{image, `{"image":[[1,2,3]],"image":[]}`, `data: input "image" is given twice (inputs: "image" float32[N,3]) (at byte 27)`},
		{image, `{}`, `data: input "image" is missing (inputs: "image" float32[N,3])`},
		{image, `{"image":[[1,2,3]]} ]`, `data: unexpected text after the object (at byte 20)`},
		{image, `{"image":[[1,2,3]}`, `data.image: expected ',' or ']', found '}' (at byte 17)`},
		{in(Float32, 2, 1), `[[1],[2],[3],[4]]`, `data: 4 values, expected 2 (input "x" float32[2,1]) (at byte 9)`},
		{in(Float32, 2, 1), `[[1]]`, `data: 1 value, expected 2 (input "x" float32[2,1]) (at byte 4)`},
		{in(Float32, -1, -1), `[[1,2],[3]]`, `data[1]: 1 value, expected 2 as in its siblings (input "x" float32[N,M]) (at byte 9)`},
		{in(Float32, -1, -1), `[[],[1]]`, `data[1]: 1 value, expected 0 as in its siblings (input "x" float32[N,M]) (at byte 5)`},
		{in(Float32), `[1]`, `data: a single value is expected, found an array (input "x" float32[]) (at byte 1)`},
		{open(Float32), `[1,[2]]`, `data[1]: expected a number, found an array (input "x" float32[...]) (at byte 3)`},
		{open(Float32), `[[1],2]`, `data[1]: expected an array, found a number (input "x" float32[...]) (at byte 5)`},
		{open(Float32), `[[[]],[1]]`, `data[1][0]: expected an array, found a number (input "x" float32[...]) (at byte 7)`},
		{open(Float32), `[[],[[]]]`, `data[1]: 1 value, expected 0 as in its siblings (input "x" float32[...]) (at byte 7)`},
		{open(Float32), `[[[]],[]]`, `data[1]: 0 values, expected 1 as in its siblings (input "x" float32[...]) (at byte 7)`},
		{open(Float32), strings.Repeat("[", 17) + strings.Repeat("]", 17), `data: arrays are nested deeper than 16 (input "x" float32[...]) (at byte 16)`},
		{in(Uint8, -1), `[1,300]`, `data[1]: 300 is out of range for uint8 (0 to 255) (input "x" uint8[N]) (at byte 3)`},
		{in(Uint8, -1), `[-1]`, `data[0]: -1 is out of range for uint8 (0 to 255) (input "x" uint8[N]) (at byte 1)`},
		{in(Uint64, -1), `[-1]`, `data[0]: -1 is out of range for uint64 (0 to 18446744073709551615) (input "x" uint64[N]) (at byte 1)`},
		{in(Int64, -1), `[9223372036854775808]`, `data[0]: 9223372036854775808 is out of range for int64 (-9223372036854775808 to 9223372036854775807) (input "x" int64[N]) (at byte 1)`},
		{in(Int64, -1), `[1.5]`, `data[0]: 1.5 is not a whole number (input "x" int64[N]) (at byte 1)`},
		{in(Int64, -1), `[1e-1]`, `data[0]: 1e-1 is not a whole number (input "x" int64[N]) (at byte 1)`},
		{in(Int64, -1), `[1e17]`, `data[0]: 1e17 is over 2^53: such a whole number must be written without a point or exponent (input "x" int64[N]) (at byte 1)`},
		{in(Int32, -1), `[1e10]`, `data[0]: 1e10 is out of range for int32 (-2147483648 to 2147483647) (input "x" int32[N]) (at byte 1)`},
		{in(Int32, -1), `[1e999999999999]`, `data[0]: 1e999999999999 is out of range for int32 (-2147483648 to 2147483647) (input "x" int32[N]) (at byte 1)`},
		{in(Int64, -1), `[null]`, `data[0]: expected a number, found null (input "x" int64[N]) (at byte 1)`},
		{in(Int64, -1), `[NaN]`, `data[0]: expected a number, found NaN (input "x" int64[N]) (at byte 1)`},
		{in(Int4, -1), `[8]`, `data[0]: 8 is out of range for int4 (-8 to 7) (input "x" int4[N]) (at byte 1)`},
		{in(Float16, -1), `[65520]`, `data[0]: 65520 is out of range for float16 (input "x" float16[N]) (at byte 1)`},
		{in(Bool, -1), `[1]`, `data[0]: expected true or false, found a number (input "x" bool[N]) (at byte 1)`},
		{in(Bool, -1), `[null]`, `data[0]: expected true or false, found null (input "x" bool[N]) (at byte 1)`},
		{in(String, -1), `[1]`, `data[0]: expected a string, found a number (input "x" string[N]) (at byte 1)`},
		{in(String, -1), "[\"\xff\"]", `data[0]: a string is not valid UTF-8 (at byte 2)`},
		{in(String, -1), `["a]`, `data[0]: the text ends inside a string (at byte 4)`},
		{in(Complex64, -1), `[1]`, `data: complex64 is not accepted in JSON (input "x" complex64[N]) (at byte 0)`},
		{of(KindSequence, in(Float32, -1).Type), `[]`, `data: an empty list is not accepted: the runtime cannot take an empty sequence (input "x" seq(float32[N])) (at byte 1)`},
		{of(KindSequence, in(Float32, -1).Type), `[[1],["a"]]`, `data[1][0]: expected a number, found a string (input "x" seq(float32[N])) (at byte 6)`},
		{of(KindSequence, in(Float32, -1).Type), `5`, `data: expected a list, found a number (input "x" seq(float32[N])) (at byte 0)`},
		{of(KindOptional, in(Float32, -1).Type), `null`, `data: null is not accepted: the runtime cannot take an absent optional (input "x" optional(float32[N])) (at byte 0)`},
		{Spec{Name: "x", Type: mapOf(Int64, Float32)}, `{"a":1}`, `data: key "a" is not an int64 (input "x" map(int64,float32[...])) (at byte 1)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":1,"a":2}`, `data: key "a" is given twice (input "x" map(string,float32[...])) (at byte 7)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `5`, `data: expected an object, found a number (input "x" map(string,float32[...])) (at byte 0)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a" 1}`, `data: expected ':' after a key, found a number (at byte 5)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":`, `data: the text ends where a value is expected (at byte 5)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":}`, `data["a"]: expected a number, found '}' (at byte 5)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":1 "b":2}`, `data: expected ',' or '}', found a string (at byte 7)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":1,}`, `data: expected a key in double quotes, found '}' (at byte 7)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a`, `data: the text ends inside a string (at byte 3)`},
		{Spec{Name: "x", Type: mapOf(String, Complex64)}, `{"a":1}`, `data: map(string,complex64[...]) is not accepted in JSON (input "x" map(string,complex64[...])) (at byte 0)`},
		{of(KindSequence, in(Complex64).Type), `[1]`, `data[0]: complex64 is not accepted in JSON (input "x" seq(complex64[])) (at byte 1)`},
		{of(KindSequence, in(Float32).Type), `[1,`, `data[0]: the text ends inside an array (at byte 3)`},
		{in(Float32, -1), `[`, `data: the text ends inside an array (at byte 1)`},
		{in(Float32, -1), `[1,`, `data[1]: the text ends inside an array (at byte 3)`},
		{in(Float32, -1), `[-Inf]`, `data[0]: expected a number, found '-' (at byte 1)`},
		{in(Float32, -1, -1), `[[1] `, `data: the text ends inside an array (at byte 5)`},
		{in(Float32, -1, -1), `[[1], `, `data: the text ends inside an array (at byte 6)`},
		{Spec{Name: "x", Type: mapOf(String, Float32)}, `{"a":"b"}`, `data["a"]: expected a number, found a string (input "x" map(string,float32[...])) (at byte 5)`},
		{Spec{Name: "x", Type: Type{Kind: KindSparse, DType: Float32}}, `[1]`, `data: sparse(float32[...]) is not accepted in JSON (input "x" sparse(float32[...])) (at byte 0)`},
		{optional(in(Float32, -1)), `[1]`, `data: an object of inputs by name is expected, found an array (inputs: "x" float32[N] optional) (at byte 0)`},
	} {
		v, err := decode(t, []Spec{c.in}, DecodeOptions{}, c.text)
		if err == nil {
			t.Errorf("%s for %v is accepted as %s", c.text, c.in.Type, show(v[0]))
		} else if err.Error() != c.want {
			t.Errorf("%s for %v:\n got %s\nwant %s", c.text, c.in.Type, err, c.want)
		}
	}
}

func TestDecodeSeveralInputs(t *testing.T) {
	t.Parallel()
	two := []Spec{named("x", in(Float32, -1, 3)), named("y", in(Int64)), optional(named("z", in(Bool, -1)))}
	const list = `(inputs: "x" float32[N,3], "y" int64[], "z" bool[N] optional)`
	for _, c := range []struct{ text, want string }{
		{`{"y":5,"x":[[1,2,3]]}`, `float32[1 3] [[1.0,2.0,3.0]] int64[] 5 none`},
		{`{"\u0079":5,"z":[true],"x":[[1,2,3]]}`, `float32[1 3] [[1.0,2.0,3.0]] int64[] 5 bool[1] [true]`},
		{`{"y":5}`, `data: input "x" is missing ` + list},
		{`{"y":5,"x":[],"w":1}`, `data: unknown input "w" ` + list + ` (at byte 18)`},
		{`{"y":5,"x":[],"y":1}`, `data: input "y" is given twice ` + list + ` (at byte 18)`},
		{`[1]`, `data: an object of inputs by name is expected, found an array ` + list + ` (at byte 0)`},
		{`{"y":5,"z":[true,false],"x":[[1,2,3]]}`, `float32[1 3] [[1.0,2.0,3.0]] int64[] 5 bool[2] [true,false]`}, // the runtime decides
		{`{"y":[5],"x":[]}`, `data.y: a single value is expected, found an array (input "y" int64[]) (at byte 6)`},
		{`{"y":5 "x":[]}`, `data: expected ',' or '}' (at byte 7)`},
		{`{"y":5,"x":[[1,2,3],"a"]}`, `data.x[1]: expected an array, found a string (input "x" float32[N,3]) (at byte 20)`},
	} {
		v, err := decode(t, two, DecodeOptions{}, c.text)
		var got string
		if err != nil {
			got = err.Error()
		} else {
			got = show(v[0]) + " " + show(v[1]) + " " + show(v[2])
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
	if v, err := decode(t, nil, DecodeOptions{}, `{}`); err != nil || len(v) != 0 {
		t.Error(v, err)
	}
	if _, err := decode(t, nil, DecodeOptions{}, `[1]`); err == nil || err.Error() != "data: the model takes no inputs, found an array (at byte 0)" {
		t.Error(err)
	}
}

func TestDecodeLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in         Spec
		o          DecodeOptions
		text, want string
	}{
		{in(Float32, -1), DecodeOptions{MaxElements: 2}, `[1,2]`, ""},
		{in(Float32, -1), DecodeOptions{MaxElements: 2}, `[1,2,3]`, "more than 2 elements"},
		{in(Int8, -1, 1), DecodeOptions{MaxElements: 2}, `[[1],[2],[3]]`, "more than 2 elements"},
		{in(String, -1), DecodeOptions{MaxElements: 2}, `["1","2","3"]`, "more than 2 elements"},
		{of(KindSequence, in(Int8).Type), DecodeOptions{MaxElements: 2}, `[1,2,3]`, "more than 2 elements"},
		{of(KindSequence, in(Int8, -1).Type), DecodeOptions{MaxElements: 100}, `[` + strings.Repeat("[],", 5) + `[]]`, ""},
		{of(KindSequence, in(Int8, -1).Type), DecodeOptions{MaxElements: 100}, `[` + strings.Repeat("[],", 6) + `[]]`, "more than 100 elements"},
		{in(String, -1), DecodeOptions{MaxStringBytes: 3}, `["ab","c"]`, ""},
		{in(String, -1), DecodeOptions{MaxStringBytes: 3}, `["ab","cd"]`, "more than 3 bytes of strings"},
		{in(Float32, make([]int64, 33)...), DecodeOptions{}, `[1]`, "a rank over 32 is not supported"},
		{open(Int8), DecodeOptions{MaxDepth: 2}, `[[[1]]]`, "nested deeper than 2"},
		{in(Float32, -1, 2), DecodeOptions{}, strings.Repeat("[", 5_000_000), "found rank 17"},
		{open(Float32), DecodeOptions{}, strings.Repeat("[", 5_000_000), "nested deeper than 16"},
		{in(Float32, -1), DecodeOptions{}, `{"x":` + strings.Repeat("[", 5_000_000), "the text ends"},
		{in(Float32, -1), DecodeOptions{Lenient: true}, `[true,false]`, ""},
		{in(Int32, -1), DecodeOptions{Lenient: true}, `[true,false]`, ""},
		{in(Float32, -1), DecodeOptions{Lenient: true}, `["1.5",2,"-3e2","NaN"]`, ""},
		{in(Uint8, -1), DecodeOptions{Lenient: true}, `["255",1]`, ""},
		{in(Uint8, -1), DecodeOptions{Lenient: true}, `["256"]`, `"256" is out of range for uint8 (0 to 255)`},
		{in(Float32, -1), DecodeOptions{Lenient: true}, `["0x10"]`, "expected a number, found a string"},
		{in(Float32, -1), DecodeOptions{Lenient: true}, `["1.5 "]`, "expected a number, found a string"},
		{in(Bool, -1), DecodeOptions{Lenient: true}, `[1]`, "expected true or false"},
	} {
		_, err := decode(t, []Spec{c.in}, c.o, c.text)
		if err == nil != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: got %v, want %q", c.text, err, c.want)
		}
	}
}
