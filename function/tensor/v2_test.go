package tensor

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// v2Call decodes body; bytes, if there are some, follow it as the binary part.
func v2Call(inputs []Spec, o DecodeOptions, text, bytes string) (string, *V2Request, error) {
	headerLen := -1
	if bytes != "" {
		headerLen = len(text)
	}
	req, b := new(V2Request), new(Batch)
	err := NewDecoder(inputs, o).V2([]byte(text+bytes), headerLen, req, b)
	return strings.Join(shows(b.Values), "; "), req, err
}

// v2Input1 is a request with one input of these members besides its name.
func v2Input1(members string) string { return `{"inputs":[{"name":"x",` + members + `}]}` }

func TestV2Accepts(t *testing.T) {
	t.Parallel()
	two := []Spec{named("a", in(Float32, -1, 2)), named("b", in(Int64, -1))}
	for _, c := range []struct {
		name        string
		inputs      []Spec
		text, bytes string
		want        string
	}{
		{"flat", []Spec{in(Float32, -1, 2)}, v2Input1(`"shape":[2,2],"datatype":"FP32","data":[1,2.5,-3e2,4]`), "", "float32[2 2] [[1.0,2.5],[-300.0,4.0]]"},
		{"nested", []Spec{in(Float32, -1, 2)}, v2Input1(`"shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]`), "", "float32[2 2] [[1.0,2.0],[3.0,4.0]]"},
		{"data first", []Spec{in(Float32, -1, 2)}, `{"inputs":[{"data":[[1,NaN],[-Infinity,null]],"datatype":"FP32","shape":[2,2],"name":"x"}]}`, "", "float32[2 2] [[1.0,NaN],[-Infinity,NaN]]"},
		{"data between", []Spec{in(Int8, -1)}, `{"inputs":[{"datatype":"INT8","data":[1,2],"parameters":null,"name":"x","shape":[2]}]}`, "", "int8[2] [1,2]"},
		{"strings first", []Spec{in(String, -1)}, `{"inputs":[{"data":["]}","\"[","\u00e9"],"datatype":"BYTES","shape":[3],"name":"x"}]}`, "", `string[3] ["]}","\"[","é"]`},
		{"spaces", []Spec{in(Float32, -1, 2)}, " {\n\"inputs\" : [ { \"name\" : \"x\" , \"shape\" : [ 1 , 2 ] ,\t\"datatype\" : \"FP32\" , \"data\" : [ [ 1 , 2 ] ] } ] }\r\n", "", "float32[1 2] [[1.0,2.0]]"},
		{"escaped names", []Spec{in(Int8, -1)}, `{"\u0069nputs":[{"n\u0061me":"\u0078","shape":[1],"datatype":"INT\u0038","d\u0061ta":[1]}]}`, "", "int8[1] [1]"},
		{"scalar", []Spec{in(Float64)}, v2Input1(`"shape":[],"datatype":"FP64","data":[0.5]`), "", "float64[] 0.5"},
		{"bare scalar", []Spec{in(Float64)}, v2Input1(`"shape":[],"datatype":"FP64","data":0.5`), "", "float64[] 0.5"},
		{"bare scalar first", []Spec{in(Float64)}, `{"inputs":[{"data":0.5,"name":"x","shape":[],"datatype":"FP64"}]}`, "", "float64[] 0.5"},
		{"empty", []Spec{in(Float32, -1, 3)}, v2Input1(`"shape":[0,3],"datatype":"FP32","data":[]`), "", "float32[0 3] []"},
		{"empty rows", []Spec{in(Float32, -1, -1)}, v2Input1(`"shape":[2,0],"datatype":"FP32","data":[[],[]]`), "", "float32[2 0] [[],[]]"},
		{"empty rows flat", []Spec{in(Float32, -1, -1)}, v2Input1(`"shape":[2,0],"datatype":"FP32","data":[]`), "", "float32[2 0] [[],[]]"},
		{"huge empty", []Spec{in(Float32, -1, -1)}, v2Input1(`"shape":[0,9223372036854775807],"datatype":"FP32","data":[]`), "", "float32[0 9223372036854775807] []"},
		{"open rank", []Spec{open(Uint16)}, v2Input1(`"shape":[1,1,2],"datatype":"UINT16","data":[[[1,65535]]]`), "", "uint16[1 1 2] [[[1,65535]]]"},
		{"optional tensor", []Spec{of(KindOptional, in(Int32, -1).Type)}, v2Input1(`"shape":[1],"datatype":"INT32","data":[-7]`), "", "int32[1] [-7]"},
		{"int64 exactly", []Spec{in(Int64, -1)}, v2Input1(`"shape":[3],"datatype":"INT64","data":[9223372036854775807,-9223372036854775808,9007199254740993]`), "", "int64[3] [9223372036854775807,-9223372036854775808,9007199254740993]"},
		{"uint64 exactly", []Spec{in(Uint64, -1)}, v2Input1(`"shape":[1],"datatype":"UINT64","data":[18446744073709551615]`), "", "uint64[1] [18446744073709551615]"},
		{"half", []Spec{in(Float16, -1)}, v2Input1(`"shape":[2],"datatype":"FP16","data":[0.1,65504]`), "", "float16[2] [0.1,65500.0]"},
		{"bfloat16", []Spec{in(BFloat16, -1)}, v2Input1(`"shape":[1],"datatype":"BF16","data":[1.5]`), "", "bfloat16[1] [1.5]"},
		{"bool", []Spec{in(Bool, -1)}, v2Input1(`"shape":[2],"datatype":"BOOL","data":[true,false]`), "", "bool[2] [true,false]"},
		{"text", []Spec{in(String, -1, 1)}, v2Input1(`"shape":[2,1],"datatype":"BYTES","data":["a\u0000","é"]`), "", `string[2 1] [["a\u0000"],["é"]]`},
		{"two, the other order", two, `{"inputs":[{"name":"b","shape":[1],"datatype":"INT64","data":[5]},{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`, "", "float32[1 2] [[1.0,2.0]]; int64[1] [5]"},
		{"optional left out", []Spec{in(Int8, -1), optional(named("y", in(Int8, -1)))}, v2Input1(`"shape":[1],"datatype":"INT8","data":[1]`), "", "int8[1] [1]; none"},
		{"no inputs", nil, `{"inputs":[]}`, "", ""},
		{"no inputs at all", nil, `{}`, "", ""},
		{"null inputs", []Spec{optional(in(Int8))}, `{"inputs":null}`, "", "none"},
		{"unknown members", []Spec{in(Int8, -1)}, `{"more":{"a":[1,{"b":null}]},"inputs":[{"z":[[]],"name":"x","shape":[1],"datatype":"INT8","parameters":{"content_type":"np","n":[1]},"data":[1]}],"model_name":"m"}`, "", "int8[1] [1]"},
		{"nulls", []Spec{in(Int8, -1)}, `{"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"x","shape":[1],"datatype":"INT8","parameters":null,"data":[1]}]}`, "", "int8[1] [1]"},
		{"bytes", []Spec{in(Int16, -1)}, v2Input1(`"shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}`), "\x01\x00\xff\xff", "int16[2] [1,-1]"},
		{"bytes and null data", []Spec{in(Int8, -1)}, v2Input1(`"data":null,"parameters":{"binary_data_size":1},"shape":[1],"datatype":"INT8"`), "\x07", "int8[1] [7]"},
		{"bytes, bool", []Spec{in(Bool, -1)}, v2Input1(`"shape":[9],"datatype":"BOOL","parameters":{"binary_data_size":9}`), "\x01\x00\x01\x00\x01\x00\x01\x00\x01", "bool[9] [true,false,true,false,true,false,true,false,true]"},
		{"bytes, strings", []Spec{in(String, -1)}, v2Input1(`"shape":[3],"datatype":"BYTES","parameters":{"binary_data_size":15}`), "\x01\x00\x00\x00a\x00\x00\x00\x00\x02\x00\x00\x00\x00b", `string[3] ["a","","\u0000b"]`},
		{"bytes, no strings", []Spec{in(String, -1), optional(named("y", in(Int8, -1)))}, `{"inputs":[{"name":"x","shape":[0],"datatype":"BYTES","parameters":{"binary_data_size":0}},{"name":"y","shape":[1],"datatype":"INT8","parameters":{"binary_data_size":1}}]}`, "\x05", "string[0] []; int8[1] [5]"},
		{"bytes and JSON", two, `{"inputs":[{"name":"b","shape":[1],"datatype":"INT64","data":[5]},{"name":"a","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}`, "\x00\x00\x80\x3f\x00\x00\x00\x40", "float32[1 2] [[1.0,2.0]]; int64[1] [5]"},
		{"bytes in the order of the request", []Spec{in(Int8, -1), named("y", in(Int8, -1))}, `{"inputs":[{"name":"y","shape":[1],"datatype":"INT8","parameters":{"binary_data_size":1}},{"name":"x","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}}]}`, "\x01\x02\x03", "int8[2] [2,3]; int8[1] [1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := v2Call(c.inputs, DecodeOptions{}, c.text, c.bytes)
			if err != nil || got != c.want {
				t.Errorf("%s\n got %s %v\nwant %s", c.text, got, err, c.want)
			}
		})
	}
}

func TestV2Request(t *testing.T) {
	t.Parallel()
	const input = `"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]}]`
	for _, c := range []struct{ text, want string }{
		{`{` + input + `}`, `id "" false, parameters , bytes false, outputs []`},
		{`{"id":"",` + input + `}`, `id "" true, parameters , bytes false, outputs []`},
		{`{` + input + `,"id":"a\n\u00e9"}`, `id "a\né" true, parameters , bytes false, outputs []`},
		{`{"parameters":{"binary_data_output":true,"x":[1]},` + input + `}`, `id "" false, parameters {"binary_data_output":true,"x":[1]}, bytes true, outputs []`},
		{`{"parameters": {} ,` + input + `}`, `id "" false, parameters {}, bytes false, outputs []`},
		{`{"outputs":[],` + input + `}`, `id "" false, parameters , bytes false, outputs []`},
		{
			`{"outputs":[{"name":"b"},{"parameters":{"binary_data":false},"name":"a"},{"name":"c","z":1,"parameters":{"other":2,"binary_data":true}},{"name":"d","parameters":null}],` + input + `}`,
			`id "" false, parameters , bytes false, outputs [b false false a false true c true true d false false]`,
		},
	} {
		_, r, err := v2Call([]Spec{in(Int8, -1)}, DecodeOptions{}, c.text, "")
		if err != nil {
			t.Error(c.text, err)
			continue
		}
		var outputs []string
		for _, o := range r.Outputs {
			outputs = append(outputs, fmt.Sprintf("%s %v %v", o.Name, o.Binary, o.HasBinary))
		}
		if got := fmt.Sprintf("id %q %v, parameters %s, bytes %v, outputs %v", r.ID, r.HasID, r.Parameters, r.BinaryOutput, outputs); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestV2RequestIsUsedAgain(t *testing.T) {
	t.Parallel()
	d, b, req := NewDecoder([]Spec{in(Int8, -1)}, DecodeOptions{}), new(Batch), new(V2Request)
	const input = `"inputs":[{"name":"x","shape":[1],"datatype":"INT8","data":[1]}]`
	for _, c := range []struct{ text, want string }{
		{`{"id":"1","parameters":{"binary_data_output":true},"outputs":[{"name":"a","parameters":{"binary_data":true}},{"name":"b"}],` + input + `}`, "1 true true [a true, b false]"},
		{`{"outputs":[{"name":"b"},{"name":"a"}],` + input + `}`, " false false [b false, a false]"},
		{`{"id":"2","outputs":[{"name":"b"}],` + input + `}`, "2 true false [b false]"},
		{`{` + input + `}`, " false false []"},
		{`{"id":"3","outputs":[{"name":"z"}],"inputs":[5]}`, " false false []"},
	} {
		_ = d.V2([]byte(c.text), -1, req, b)
		var outputs []string
		for _, o := range req.Outputs {
			outputs = append(outputs, fmt.Sprint(o.Name, " ", o.Binary))
		}
		if got := fmt.Sprintf("%s %v %v [%s]", req.ID, req.HasID, req.BinaryOutput, strings.Join(outputs, ", ")); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestV2Types(t *testing.T) {
	t.Parallel()
	n := 0
	for d := Undefined; d <= Int2; d++ {
		name := V2DType(d)
		if name == "" {
			continue
		}
		n++
		if back, ok := ParseV2DType(name); !ok || back != d {
			t.Errorf("%s is %v", name, back)
		}
	}
	if n != 14 {
		t.Errorf("%d types, want 14", n)
	}
	for _, name := range []string{"", "fp32", "FP8", "STRING", "TYPE_FP32"} {
		if d, ok := ParseV2DType(name); ok {
			t.Errorf("%q is %v", name, d)
		}
	}
}

func TestV2Raw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		inputs []Spec
		body   string
		want   string
	}{
		{"declared", []Spec{in(Int8, 1, 2)}, "\x01\x02", "int8[1 2] [[1,2]]"},
		{"batch of one", []Spec{in(Int8, -1, 2)}, "\x01\x02", "int8[1 2] [[1,2]]"},
		{"batch of two", []Spec{in(Int8, -1, 2)}, "\x01\x02\x03\x04", "int8[2 2] [[1,2],[3,4]]"},
		{"batch and a free size", []Spec{in(Int8, -1, 1, -1)}, "\x01\x02\x03", "int8[1 1 3] [[[1,2,3]]]"},
		{"scalar", []Spec{in(Int16)}, "\x01\x02", "int16[] 513"},
		{"open rank", []Spec{open(Uint16)}, "\x01\x00\x02\x00", "uint16[2] [1,2]"},
		{"empty", []Spec{in(Int8, -1)}, "", "int8[0] []"},
		{"string", []Spec{in(String, -1)}, "\x01a\x00", "string[1] [\"\\u0001a\\u0000\"]"},
		{"string of rank 2", []Spec{in(String, -1, 1)}, "é", `string[1 1] [["é"]]`},
		{"string of rank 0", []Spec{in(String)}, "", `string[] ""`},
		{"string of open rank", []Spec{open(String)}, "a", `string[1] ["a"]`},
		{"beside an optional one", []Spec{optional(named("y", in(Int8, -1))), in(Int8, -1)}, "\x05", "none; int8[1] [5]"},
		{"two free sizes, no batch", []Spec{in(Int8, 1, -1, -1)}, "\x01", `raw bytes do not tell the sizes of two free dimensions (input "x" int8[1,M,K]) (at byte 0)`},
		{"three free sizes", []Spec{in(Int8, -1, -1, -1)}, "\x01", `raw bytes do not tell the sizes of two free dimensions (input "x" int8[N,M,K]) (at byte 0)`},
		{"does not divide", []Spec{in(Int16, -1)}, "\x01\x02\x03", `3 bytes, expected a multiple of 2 (input "x" int16[N]) (at byte 2)`},
		{"not a bool", []Spec{in(Bool, -1)}, "\x01\x02", `raw[1]: a bool is byte 0 or 1, found 2 (input "x" bool[N]) (at byte 1)`},
		{"several strings", []Spec{in(String, 2)}, "a", `raw bytes are one string (input "x" string[2]) (at byte 0)`},
		{"two inputs", []Spec{in(Int8, 1), named("y", in(Int8, 1))}, "a", `raw bytes are one input's value, the model needs 2 (inputs: "x" int8[1], "y" int8[1]) (at byte 0)`},
		{"sequence", []Spec{of(KindSequence, in(Int8, 1).Type)}, "a", `seq(int8[1]) is not accepted as raw bytes (input "x" seq(int8[1])) (at byte 0)`},
		{"no such type", []Spec{in(Float8E5M2, -1)}, "a", `float8e5m2 cannot be expressed in this protocol (input "x" float8e5m2[N]) (at byte 0)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, spec := new(Batch), fmt.Sprint(c.inputs)
			err := NewDecoder(c.inputs, DecodeOptions{}).V2([]byte(c.body), 0, new(V2Request), b)
			got := strings.Join(shows(b.Values), "; ")
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf(" got %s\nwant %s", got, c.want)
			}
			if fmt.Sprint(c.inputs) != spec {
				t.Error("the declaration was changed")
			}
		})
	}
}

func TestAppendV2Metadata(t *testing.T) {
	t.Parallel()
	inputs := []Spec{
		named("a\"b", in(Float32, -1, 3)), named("r0", in(Int64)), named("any", open(String)), named("o", of(KindOptional, in(Bool, 2).Type)),
		named("s", of(KindSequence, in(Int8).Type)),
		{Name: "m", Type: mapOf(Int64, Float32)},
		named("f8", in(Float8E5M2, 1)),
	}
	for _, c := range []struct {
		versions []string
		inputs   []Spec
		want     string
	}{
		{nil, nil, `{"name":"m","platform":"onnx_onnxv1","inputs":[],"outputs":[{"name":"x","datatype":"BF16","shape":[-1]}]}`},
		{[]string{"1", "2"}, inputs, `{"name":"m","versions":["1","2"],"platform":"onnx_onnxv1","inputs":[{"name":"a\"b","datatype":"FP32","shape":[-1,3]},` +
			`{"name":"r0","datatype":"INT64","shape":[]},{"name":"any","datatype":"BYTES","shape":[-1]},{"name":"o","datatype":"BOOL","shape":[2]}],"outputs":[{"name":"x","datatype":"BF16","shape":[-1]}]}`},
	} {
		got, err := AppendV2Metadata(nil, "m", c.versions, c.inputs, []Spec{in(BFloat16, -1)})
		if err != nil || string(got) != c.want || !json.Valid(got) {
			t.Errorf(" got %s %v\nwant %s", got, err, c.want)
		}
	}
	for _, bad := range [][]string{{"\xff"}, {"1", "\xff"}} {
		if _, err := AppendV2Metadata(nil, "m", bad, nil, nil); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
