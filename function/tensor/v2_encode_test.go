package tensor

import (
	"encoding/json"
	"math"
	"testing"
)

func TestAppendV2(t *testing.T) {
	t.Parallel()
	y := Of([]float32{1, 0.5, float32(math.NaN()), float32(math.Inf(-1))}, 2, 2)
	ids := Of([]int64{math.MaxInt64, math.MinInt64})
	text := OfStrings([]string{"a\"", "é"}, 2, 1)
	raw := OfStrings([]string{"\xff", ""})
	full := &V2Response{ModelName: "m", ModelVersion: "2", ID: "i\n", HasID: true, Parameters: json.RawMessage(`{"a":1}`)}
	const head = `{"model_name":"m","outputs":[`
	for _, c := range []struct {
		name   string
		r      *V2Response
		names  []string
		values []Value
		binary []bool
		o      EncodeOptions
		want   string // the JSON
		bytes  string // after it
	}{
		{"nothing", &V2Response{ModelName: "m"}, nil, nil, nil, EncodeOptions{}, head + `]}`, ""},
		{"everything", full, []string{"y"}, []Value{Of([]bool{true, false})}, nil, EncodeOptions{}, `{"model_name":"m","model_version":"2","id":"i\n","parameters":{"a":1},"outputs":[{"name":"y","datatype":"BOOL","shape":[2],"data":[true,false]}]}`, ""},
		{"an empty id", &V2Response{ModelName: "m", HasID: true}, nil, nil, nil, EncodeOptions{}, `{"model_name":"m","id":"","outputs":[]}`, ""},
		{"null", &V2Response{ModelName: "m"}, []string{"y"}, []Value{y}, []bool{false}, EncodeOptions{}, head + `{"name":"y","datatype":"FP32","shape":[2,2],"data":[1.0,0.5,null,null]}]}`, ""},
		{"tokens", &V2Response{ModelName: "m"}, []string{"y"}, []Value{y}, []bool{false}, EncodeOptions{NonFinite: NonFiniteToken}, head + `{"name":"y","datatype":"FP32","shape":[2,2],"data":[1.0,0.5,NaN,-Infinity]}]}`, ""},
		{"scalar", &V2Response{ModelName: "m"}, []string{"y"}, []Value{Scalar(0.5)}, nil, EncodeOptions{}, head + `{"name":"y","datatype":"FP64","shape":[],"data":[0.5]}]}`, ""},
		{"empty", &V2Response{ModelName: "m"}, []string{"y"}, []Value{Of([]int8{}, 0, 3)}, nil, EncodeOptions{}, head + `{"name":"y","datatype":"INT8","shape":[0,3],"data":[]}]}`, ""},
		{"integers", &V2Response{ModelName: "m"}, []string{"y"}, []Value{ids}, nil, EncodeOptions{}, head + `{"name":"y","datatype":"INT64","shape":[2],"data":[9223372036854775807,-9223372036854775808]}]}`, ""},
		{"strings", &V2Response{ModelName: "m"}, []string{"y"}, []Value{text}, nil, EncodeOptions{}, head + `{"name":"y","datatype":"BYTES","shape":[2,1],"data":["a\"","é"]}]}`, ""},
		{"bytes", &V2Response{ModelName: "m"}, []string{"y", "s", "z"}, []Value{Of([]int16{1, -1}), raw, Of([]int8{7})}, []bool{true, true, false}, EncodeOptions{}, head +
			`{"name":"y","datatype":"INT16","shape":[2],"parameters":{"binary_data_size":4}},{"name":"s","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":9}},` +
			`{"name":"z","datatype":"INT8","shape":[1],"data":[7]}]}`, "\x01\x00\xff\xff\x01\x00\x00\x00\xff\x00\x00\x00\x00"},
		{"no bytes", &V2Response{ModelName: "m"}, []string{"y"}, []Value{Of([]int16{}, 0)}, []bool{true}, EncodeOptions{}, head + `{"name":"y","datatype":"INT16","shape":[0],"parameters":{"binary_data_size":0}}]}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantBinary := false
			for _, b := range c.binary {
				wantBinary = wantBinary || b
			}
			got, n, anyBinary, err := AppendV2([]byte("before"), c.r, c.names, c.values, c.binary, c.o)
			if err != nil || string(got) != "before"+c.want+c.bytes || n != len(c.want) || anyBinary != wantBinary {
				t.Errorf(" got %q %d %v %v\nwant %q", got, n, anyBinary, err, c.want+c.bytes)
			}
			if !json.Valid([]byte(c.want)) && c.o.NonFinite == NonFiniteNull {
				t.Error("not JSON")
			}
		})
	}
}

func TestAppendV2Refuses(t *testing.T) {
	t.Parallel()
	bad := OfStrings([]string{"a", "\xff"})
	sequence := Value{Kind: KindSequence, Items: []Value{Of([]int8{1})}}
	short := Value{Tensor: Tensor{DType: Int16, Shape: []int64{2}, Data: []byte{1}}}
	for _, c := range []struct {
		r      V2Response
		value  Value
		binary bool
		want   string
	}{
		{V2Response{}, bad, false, `output "y": tensor: a string is not valid UTF-8: "\xff": it has to be asked for with the parameter "binary_data": true`},
		{V2Response{}, sequence, false, `output "y": tensor: a sequence cannot be expressed in this protocol`},
		{V2Response{}, sequence, true, `output "y": tensor: a sequence cannot be expressed in this protocol`},
		{V2Response{}, Value{Kind: KindMap}, true, `output "y": tensor: a map cannot be expressed in this protocol`},
		{V2Response{}, None(), false, `output "y": tensor: an absent value cannot be expressed in this protocol`},
		{V2Response{}, Value{Kind: KindOptional}, false, `output "y": tensor: a value of unknown kind cannot be expressed in this protocol`},
		{V2Response{}, Value{Tensor: Tensor{DType: Int4, Shape: []int64{2}, Data: []byte{1}}}, true, `output "y": tensor: int4 cannot be expressed in this protocol`},
		{V2Response{}, Value{Tensor: Tensor{DType: Complex64, Data: make([]byte, 8)}}, true, `output "y": tensor: complex64 cannot be expressed in this protocol`},
		{V2Response{}, short, true, `output "y": tensor: 1 bytes for int16 of shape [2]`},
		{V2Response{}, short, false, `output "y": tensor: 1 bytes for int16 of shape [2]`},
		{V2Response{ModelName: "\xff"}, Of([]int8{1}), false, `tensor: a string is not valid UTF-8: "\xff"`},
		{V2Response{ModelVersion: "\xff"}, Of([]int8{1}), false, `tensor: a string is not valid UTF-8: "\xff"`},
		{V2Response{ID: "\xff", HasID: true}, Of([]int8{1}), false, `tensor: a string is not valid UTF-8: "\xff"`},
	} {
		if _, _, _, err := AppendV2(nil, &c.r, []string{"y"}, []Value{c.value}, []bool{c.binary}, EncodeOptions{}); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	one := []Value{Of([]int8{1})}
	if _, _, _, err := AppendV2(nil, &V2Response{}, []string{"\xff"}, one, nil, EncodeOptions{}); err == nil {
		t.Error("a name that is not UTF-8 is accepted")
	}
	for _, c := range []struct {
		names  []string
		binary []bool
	}{{nil, nil}, {[]string{"y"}, []bool{}}, {[]string{"y", "z"}, nil}} {
		if _, _, _, err := AppendV2(nil, &V2Response{}, c.names, one, c.binary, EncodeOptions{}); err == nil {
			t.Errorf("%d names and %d flags are accepted", len(c.names), len(c.binary))
		}
	}
}
