package tensor

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// v2Hostile is a request that must be refused. want is the whole message, "" where it is not looked at; header is the length of the JSON
// where it is not that of text.
type v2Hostile struct {
	text, bytes, header, want string
}

// v2HostileInputs are the inputs that these requests are for.
func v2HostileInputs() []Spec {
	return []Spec{
		in(Float32, -1, 2), optional(named("s", in(String, -1))), optional(named("b", in(Bool, -1))), optional(named("u", in(Uint8, -1, -1))),
		optional(named("h", in(Float16, -1))), optional(named("i", open(Int64))), optional(named("q", of(KindSequence, in(Int8, -1).Type))),
		optional(named("f8", in(Float8E4M3FN, -1))), optional(named("r0", in(Float64))),
	}
}

func v2HostileRequests() []v2Hostile {
	deep := strings.Repeat("[", 5_000_000)
	one := func(name, members string) string { return `{"inputs":[{"name":"` + name + `",` + members + `}]}` }
	x := func(members string) string { return one("x", members) }
	f := func(shape, data string) string { return x(`"shape":` + shape + `,"datatype":"FP32","data":` + data) }
	sized := func(size string) string {
		return x(`"shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":` + size + `}`)
	}
	strs := func(n, size int) string {
		return one("s", `"shape":[`+strconv.Itoa(n)+`],"datatype":"BYTES","parameters":{"binary_data_size":`+strconv.Itoa(size)+`}`)
	}
	const good = `{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}`
	const eight = "12345678"
	const list = ` (inputs: "x" float32[N,2], "s" string[N] optional, "b" bool[N] optional, "u" uint8[N,M] optional, "h" float16[N] optional, ` +
		`"i" int64[...] optional, "q" seq(int8[N]) optional, "f8" float8e4m3fn[N] optional, "r0" float64[] optional)`
	return []v2Hostile{
		// The text.
		{text: ``, want: `expected an object, found the end of the text (at byte 0)`},
		{text: `[`, want: `expected an object, found an array (at byte 0)`},
		{text: "\xef\xbb\xbf{}", want: `expected an object, found byte 0xef (at byte 0)`},
		{text: `{`, want: `the text ends inside an object (at byte 1)`},
		{text: `{"inputs"`, want: `expected ':' after a member name, found the end of the text (at byte 9)`},
		{text: `{"inputs":`, want: `the text ends where a value is expected (at byte 10)`},
		{text: `{"inputs":}`, want: `inputs: expected an array, found '}' (at byte 10)`},
		{text: `{"inputs":[`, want: `inputs: the text ends inside an array (at byte 11)`},
		{text: `{"inputs":[` + good, want: `inputs: the text ends inside an array (at byte 68)`},
		{text: `{"inputs":[` + good + `,]}`, want: `inputs[1]: expected an object, found ']' (at byte 69)`},
		{text: `{"inputs":[` + good + `]`, want: `the text ends inside an object (at byte 69)`},
		{text: `{"inputs":[` + good + `]}x`, want: `unexpected text after the request (at byte 70)`},
		{text: `{"inputs":[` + good + `]}` + "\x00", want: `unexpected text after the request (at byte 70)`},
		{text: `{"inputs":[` + good + `],}`, want: `expected a member name in double quotes, found '}' (at byte 70)`},
		{text: `{"inputs":[` + good + `]]`, want: `expected ',' or '}', found ']' (at byte 69)`},
		{text: `{"inputs":[` + good + ` ` + good + `]}`, want: `inputs: expected ',' or ']', found an object (at byte 69)`},
		{text: `{"inputs":[` + good + `],"inputs":[]}`, want: `inputs: given twice (at byte 79)`},
		{text: `{"inputs":{}}`, want: `inputs: expected an array, found an object (at byte 10)`},
		{text: `{"inputs":[1]}`, want: `inputs[0]: expected an object, found a number (at byte 11)`},
		{text: `{"inputs":[null]}`, want: `inputs[0]: expected an object, found null (at byte 11)`},
		{text: `{"z":tru}`, want: `z: expected a value (at byte 5)`},
		{text: `{"z":NaN}`, want: `z: expected a value (at byte 5)`},
		{text: "{\"z\":\"\xff\"}", want: `z: a string is not valid UTF-8 (at byte 6)`},
		{text: "{\"\xff\":1}", want: `a string is not valid UTF-8 (at byte 2)`},
		{text: "{\"id\":\"\x01\"}", want: `id: a control character in a string (at byte 7)`},
		{text: `{"` + strings.Repeat("z", 99) + `":tru}`, want: `…: expected a value (at byte 103)`},
		// The request.
		{text: `{}`, want: `inputs: input "x" is missing` + list},
		{text: `{"inputs":null}`, want: `inputs: input "x" is missing` + list},
		{text: `{"id":5}`, want: `id: expected a string, found a number (at byte 6)`},
		{text: `{"id":"a","id":"a"}`, want: `id: given twice (at byte 15)`},
		{text: `{"parameters":[]}`, want: `parameters: expected an object, found an array (at byte 14)`},
		{text: `{"parameters":{"binary_data_output":1}}`, want: `parameters.binary_data_output: expected true or false, found a number (at byte 36)`},
		{text: `{"parameters":{"binary_data_output":true,"binary_data_output":true}}`, want: `parameters.binary_data_output: given twice (at byte 62)`},
		{text: `{"parameters":{},"parameters":{}}`, want: `parameters: given twice (at byte 30)`},
		{text: `{"outputs":{}}`, want: `outputs: expected an array, found an object (at byte 11)`},
		{text: `{"outputs":["y"]}`, want: `outputs[0]: expected an object, found a string (at byte 12)`},
		{text: `{"outputs":[{}]}`, want: `outputs[0]: name is missing (at byte 12)`},
		{text: `{"outputs":[{"name":"y"},{"name":"y"}]}`, want: `outputs[1].name: output "y" is asked for twice (at byte 33)`},
		{text: `{"outputs":[{"name":"y","parameters":{"classification":2}}]}`, want: `outputs[0].parameters.classification: classes instead of numbers are not supported (at byte 55)`},
		{text: `{"outputs":[{"name":"y","name":"z"}]}`, want: `outputs[0].name: given twice (at byte 31)`},
		{text: `{"outputs":[{"name":"y","parameters":{"binary_data":"yes"}}]}`, want: `outputs[0].parameters.binary_data: expected true or false, found a string (at byte 52)`},
		{text: `{"outputs":[{"name":"y","parameters":7}]}`, want: `outputs[0].parameters: expected an object, found a number (at byte 37)`},
		{text: `{"outputs":[` + v2ManyOutputs(9_999) + `{"name":"7"}]}`, want: `outputs[9999].name: output "7" is asked for twice (at byte 158894)`},
		{text: `{"outputs":[` + v2ManyOutputs(100_000) + `{}]}`, want: `outputs[10000]: more than 10000 outputs are asked for (at byte 158902)`},
		// Inputs.
		{text: one("z", `"shape":[1],"datatype":"FP32","data":[1]`), want: `inputs[0].name: unknown input "z"` + list + ` (at byte 19)`},
		{text: `{"inputs":[` + good + `,` + good + `]}`, want: `inputs[1].name: input "x" is given twice` + list + ` (at byte 77)`},
		{text: one("q", `"shape":[1],"datatype":"INT8","data":[1]`), want: `inputs[0].name: input "q" seq(int8[N]) cannot be expressed in this protocol (at byte 19)`},
		{text: one("f8", `"shape":[1],"datatype":"FP8","data":[1]`), want: `inputs[0].name: input "f8" float8e4m3fn[N] cannot be expressed in this protocol (at byte 19)`},
		{text: `{"inputs":[{"shape":[1,2],"datatype":"FP32","data":[1,2]}]}`, want: `inputs[0]: name is missing (at byte 11)`},
		{text: `{"inputs":[{"name":null}]}`, want: `inputs[0].name: expected a string, found null (at byte 19)`},
		{text: x(`"shape":[1,2],"data":[1,2]`), want: `inputs[0]: datatype is missing (input "x" float32[N,2]) (at byte 11)`},
		{text: x(`"datatype":"FP32","data":[1,2]`), want: `inputs[0]: shape is missing (input "x" float32[N,2]) (at byte 11)`},
		{text: x(`"shape":[1,2],"datatype":"FP32"`), want: `inputs[0]: data is missing (input "x" float32[N,2]) (at byte 11)`},
		{text: f(`[1,2]`, `null`), want: `inputs[0]: data is missing (input "x" float32[N,2]) (at byte 11)`},
		{text: x(`"shape":[1,2],"datatype":"FP64","data":[1,2]`), want: `inputs[0].datatype: input "x": datatype FP64, expected FP32 (at byte 48)`},
		{text: x(`"data":[1,2],"shape":[1,2],"datatype":"INT32"`), want: `inputs[0].datatype: input "x": datatype INT32, expected FP32 (at byte 61)`},
		{text: x(`"shape":[1,2],"datatype":"float32","data":[1,2]`), want: `inputs[0].datatype: unknown datatype "float32", expected one of ` + v2TypeNames() + ` (at byte 48)`},
		{text: x(`"shape":[1,2],"datatype":1,"data":[1,2]`), want: `inputs[0].datatype: expected a string, found a number (at byte 48)`},
		{text: f(`[2]`, `[1,2]`), want: `inputs[0].shape: [2] of rank 1, expected rank 2 (input "x" float32[N,2]) (at byte 31)`},
		{text: f(`[1,3]`, `[1,2,3]`), want: `inputs[0].shape[1]: 3, expected 2 (input "x" float32[N,2]) (at byte 31)`},
		{text: f(`[-1,2]`, `[1,2]`), want: `inputs[0].shape[0]: expected a whole number of 0 or more, found -1 (at byte 32)`},
		{text: f(`[1.0,2]`, `[1,2]`), want: `inputs[0].shape[0]: expected a whole number of 0 or more, found 1.0 (at byte 32)`},
		{text: f(`[1e0,2]`, `[1,2]`), want: `inputs[0].shape[0]: expected a whole number of 0 or more, found 1e0 (at byte 32)`},
		{text: f(`["1",2]`, `[1,2]`), want: `inputs[0].shape[0]: expected a whole number, found a string (at byte 32)`},
		{text: f(`[01,2]`, `[1,2]`), want: `inputs[0].shape[0]: a number has a leading zero (at byte 32)`},
		{text: f(`null`, `[1,2]`), want: `inputs[0].shape: expected an array, found null (at byte 31)`},
		{text: f(`[[1,2]]`, `[1,2]`), want: `inputs[0].shape[0]: expected a whole number, found an array (at byte 32)`},
		{text: f(`[9223372036854775807,2]`, `[1,2]`), want: `inputs[0].shape: [9223372036854775807,2] has more than 67108864 elements (input "x" float32[N,2]) (at byte 31)`},
		{text: f(`[4611686018427387904,2]`, `[1,2]`), want: `inputs[0].shape: [4611686018427387904,2] has more than 67108864 elements (input "x" float32[N,2]) (at byte 31)`},
		{text: f(`[9223372036854775808,2]`, `[1,2]`), want: `inputs[0].shape[0]: 9223372036854775808 is too large (at byte 32)`},
		{text: f(`[`+strings.Repeat("9", 60)+`,2]`, `[1,2]`), want: `inputs[0].shape[0]: ` + strings.Repeat("9", 40) + `… is too large (at byte 32)`},
		{text: one("i", `"shape":[4294967296,4294967296],"datatype":"INT64","data":[1]`), want: `inputs[0].shape: [4294967296,4294967296] has more than 67108864 elements (input "i" int64[...]) (at byte 31)`},
		{text: one("i", `"shape":[`+strings.Repeat("1,", 32)+`1],"datatype":"INT64","data":[1]`), want: `inputs[0].shape[32]: a rank over 32 is not supported (at byte 96)`},
		{text: f(`[1,2`, `[1,2]`), want: `inputs[0].shape[2]: expected a whole number, found a string (at byte 36)`},
		{text: x(`"shape":[1,2],"shape":[1,2],"datatype":"FP32","data":[1,2]`), want: `inputs[0].shape: given twice (at byte 45)`},
		{text: x(`"shape":[1,2],"datatype":"FP32","data":[1,2],"data":[1,2]`), want: `inputs[0].data: given twice (at byte 75)`},
		// Data.
		{text: f(`[1,2]`, `[1]`), want: `inputs[0].data: 1 value, expected 2 (input "x" float32[N,2]) (at byte 64)`},
		{text: f(`[2,2]`, `[1,2,3]`), want: `inputs[0].data: 3 values, expected 4 (input "x" float32[N,2]) (at byte 68)`},
		{text: f(`[1,2]`, `[1,2,3]`), want: `inputs[0].data: 3 values, expected 2 (input "x" float32[N,2]) (at byte 67)`},
		{text: f(`[1000000,2]`, `[1,2]`), want: `inputs[0].data: 2 values, expected 2000000 (input "x" float32[N,2]) (at byte 72)`},
		{text: f(`[1,2]`, `[[1,2],[3,4]]`), want: `inputs[0].data: 2 values, expected 1 (input "x" float32[N,2]) (at byte 69)`},
		{text: f(`[2,2]`, `[[1,2],[3]]`), want: `inputs[0].data[1]: 1 value, expected 2 (input "x" float32[N,2]) (at byte 71)`},
		{text: f(`[1,2]`, `[[[1,2]]]`), want: `inputs[0].data: an array of rank 2 is expected, found rank 3 (input "x" float32[N,2]) (at byte 65)`},
		{text: f(`[2,2]`, `[1,2,[3,4]]`), want: `inputs[0].data[2]: expected a number, found an array (input "x" float32[N,2]) (at byte 67)`},
		{text: f(`[2,2]`, `[[1,2],3]`), want: `inputs[0].data[1]: expected an array, found a number (input "x" float32[N,2]) (at byte 69)`},
		{text: f(`[0,2]`, `[[]]`)},
		{text: f(`[1,2]`, `[]`)},
		{text: f(`[1,2]`, `[[]]`)},
		{text: f(`[1,2]`, `5`)},
		{text: f(`[1,2]`, `{}`)},
		{text: f(`[1,2]`, `"12"`)},
		{text: f(`[1,2]`, `[1,"2"]`), want: `inputs[0].data[1]: expected a number, found a string (input "x" float32[N,2]) (at byte 65)`},
		{text: f(`[1,2]`, `[1,true]`), want: `inputs[0].data[1]: expected a number, found a boolean (input "x" float32[N,2]) (at byte 65)`},
		{text: f(`[1,2]`, `[1,1e39]`), want: `inputs[0].data[1]: 1e39 is out of range for float32 (input "x" float32[N,2]) (at byte 65)`},
		{text: f(`[1,2]`, `[1,1e999999999999]`), want: `inputs[0].data[1]: 1e999999999999 is out of range for float32 (input "x" float32[N,2]) (at byte 65)`},
		{text: f(`[1,2]`, `[1,01]`), want: `inputs[0].data[1]: a number has a leading zero (at byte 65)`},
		{text: f(`[1,2]`, `[1,2`)},
		{text: f(`[1,2]`, `[1,`)},
		{text: f(`[1,2]`, `[1,2}`)},
		{text: f(`[1,2]`, `[1,2]]`)},
		{text: f(`[1,2]`, `[1,2,]`)},
		{text: f(`[1,2]`, `[1 2]`)},
		{text: x(`"data":[1,2}],"shape":[1,2],"datatype":"FP32"`)},
		{text: x(`"data":[1,2,"shape":[1,2],"datatype":"FP32"`)},
		{text: x(`"data":,"shape":[1,2],"datatype":"FP32"`)},
		{text: x(`"data":[1,"],"shape":[1,2],"datatype":"FP32"`)},
		{text: x(`"data":1 2,"shape":[1,2],"datatype":"FP32"`)},
		{text: one("i", `"data":1.5x,"shape":[],"datatype":"INT64"`)},
		{text: one("i", `"shape":[1],"datatype":"INT64","data":[1.5]`), want: `inputs[0].data[0]: 1.5 is not a whole number (input "i" int64[...]) (at byte 62)`},
		{text: one("i", `"shape":[1],"datatype":"INT64","data":[9223372036854775808]`)},
		{text: one("i", `"shape":[1],"datatype":"INT64","data":[null]`)},
		{text: one("u", `"shape":[1,1],"datatype":"UINT8","data":[256]`), want: `inputs[0].data[0]: 256 is out of range for uint8 (0 to 255) (input "u" uint8[N,M]) (at byte 64)`},
		{text: one("u", `"shape":[1,1],"datatype":"UINT8","data":[-1]`)},
		{text: one("u", `"shape":[1,1],"datatype":"UINT8","data":{"b64":"AA=="}`), want: `inputs[0].data: expected a number, found an object (input "u" uint8[N,M]) (at byte 63)`},
		{text: one("u", `"shape":[1,1],"datatype":"UINT8","data":[{"b64":"AA=="}]`)},
		{text: one("h", `"shape":[1],"datatype":"FP16","data":[65520]`), want: `inputs[0].data[0]: 65520 is out of range for float16 (input "h" float16[N]) (at byte 61)`},
		{text: one("b", `"shape":[1],"datatype":"BOOL","data":[1]`), want: `inputs[0].data[0]: expected true or false, found a number (input "b" bool[N]) (at byte 61)`},
		{text: one("b", `"shape":[1],"datatype":"BOOL","data":["true"]`)},
		{text: one("s", `"shape":[1],"datatype":"BYTES","data":[1]`), want: `inputs[0].data[0]: expected a string, found a number (input "s" string[N]) (at byte 62)`},
		{text: one("s", `"shape":[1],"datatype":"BYTES","data":[{"b64":"AA=="}]`), want: `inputs[0].data[0]: expected a string, found an object (input "s" string[N]) (at byte 62)`},
		{text: one("s", `"shape":[1],"datatype":"BYTES","data":["`+"\xff"+`"]`), want: `inputs[0].data[0]: a string is not valid UTF-8 (at byte 63)`},
		{text: one("r0", `"shape":[],"datatype":"FP64","data":[1,2]`), want: `inputs[0].data: 2 values, expected 1 (input "r0" float64[]) (at byte 63)`},
		{text: one("r0", `"shape":[],"datatype":"FP64","data":[[1]]`), want: `inputs[0].data: a single value is expected, found an array (input "r0" float64[]) (at byte 62)`},
		// Bytes after the JSON.
		{text: sized(`8`), want: `inputs[0].parameters.binary_data_size: 8 bytes, none follow the JSON part, whose length the header Inference-Header-Content-Length tells (input "x" float32[N,2]) (at byte 88)`},
		{text: sized(`8`), bytes: eight[:7], want: `inputs[0].parameters.binary_data_size: 8 bytes, after the JSON 7 are left (input "x" float32[N,2]) (at byte 88)`},
		{text: sized(`8`), bytes: eight + "9", want: `9 bytes after the JSON, the inputs' binary_data_size add up to 8 (at byte 101)`},
		{text: sized(`7`), bytes: eight[:7], want: `inputs[0].parameters.binary_data_size: 7 bytes, expected 8 for FP32 of shape [1,2] (input "x" float32[N,2]) (at byte 88)`},
		{text: sized(`-8`), bytes: eight, want: `inputs[0].parameters.binary_data_size: expected a whole number of 0 or more, found -8 (at byte 88)`},
		{text: sized(`8.0`), bytes: eight, want: `inputs[0].parameters.binary_data_size: expected a whole number of 0 or more, found 8.0 (at byte 88)`},
		{text: sized(`"8"`), bytes: eight, want: `inputs[0].parameters.binary_data_size: expected a whole number, found a string (at byte 88)`},
		{text: sized(`null`), bytes: eight},
		{text: sized(`true`), bytes: eight},
		{text: sized(`9223372036854775807`), bytes: eight, want: `inputs[0].parameters.binary_data_size: 9223372036854775807 bytes, the body has 119 (at byte 88)`},
		{text: sized(`18446744073709551624`), bytes: eight, want: `inputs[0].parameters.binary_data_size: 18446744073709551624 is too large (at byte 88)`},
		{text: sized(`8,"binary_data_size":8`), bytes: eight, want: `inputs[0].parameters.binary_data_size: given twice (at byte 109)`},
		{text: sized(`8`), bytes: eight, header: "999", want: `Inference-Header-Content-Length is 999, the body has 101 bytes`},
		{text: sized(`8`), bytes: eight, header: "-2", want: `Inference-Header-Content-Length is -2, the body has 101 bytes`},
		{text: sized(`8`), bytes: eight, header: "20"},
		{text: sized(`8`), bytes: eight, header: "92"},
		{text: sized(`8`), bytes: eight, header: "-1"},
		{text: x(`"shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"binary_data_size":8}`), bytes: eight, want: `inputs[0]: data and the parameter binary_data_size are given (input "x" float32[N,2]) (at byte 62)`},
		{text: x(`"shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8},"data":[1,2]`), bytes: eight},
		{text: `{"inputs":[` + good + `]}`, bytes: eight, want: `8 bytes after the JSON, the inputs' binary_data_size add up to 0 (at byte 70)`},
		{text: x(`"shape":[1,2],"datatype":"FP32","parameters":{"shared_memory_region":"r"}`), want: `inputs[0].parameters.shared_memory_region: shared memory is not supported (at byte 92)`},
		{text: x(`"shape":[1,2],"datatype":"FP32","parameters":[]`), want: `inputs[0].parameters: expected an object, found an array (at byte 68)`},
		{text: one("b", `"shape":[2,1],"datatype":"BOOL","parameters":{"binary_data_size":2}`), bytes: "\x00\x01"},
		{text: one("b", `"shape":[3],"datatype":"BOOL","parameters":{"binary_data_size":3}`), bytes: "\x00\x01\x02", want: `inputs[0].data[2]: a bool is byte 0 or 1, found 2 (input "b" bool[N]) (at byte 93)`},
		{text: one("i", `"shape":[0,9223372036854775807],"datatype":"INT64","parameters":{"binary_data_size":8}`), bytes: eight},
		{text: strs(1, 3), bytes: "\x00\x00\x00", want: `inputs[0].data: 3 bytes, too few for 1 string, each after its length in 4 bytes (input "s" string[N]) (at byte 92)`},
		{text: strs(60_000_000, 4), bytes: "\x00\x00\x00\x00"},
		{text: strs(2, 9), bytes: "\x01\x00\x00\x00a\xff\xff\xff\xff", want: `inputs[0].data[1]: a string of 4294967295 bytes, 0 are left (input "s" string[N]) (at byte 97)`},
		{text: strs(2, 9), bytes: "\x04\x00\x00\x00abcd\x00", want: `inputs[0].data: the bytes end after 1 of 2 strings (input "s" string[N]) (at byte 100)`},
		{text: strs(1, 6), bytes: "\x01\x00\x00\x00ab", want: `inputs[0].data: 1 byte after the last of 1 string (input "s" string[N]) (at byte 97)`},
		{text: strs(0, 4), bytes: "\x00\x00\x00\x00"},
		// Absurd nesting, wherever it may stand.
		{text: deep},
		{text: `{"z":` + deep},
		{text: `{"inputs":` + deep},
		{text: `{"id":` + deep},
		{text: `{"parameters":{"a":` + deep},
		{text: `{"outputs":[{"z":` + deep},
		{text: x(`"z":` + deep)},
		{text: x(`"shape":` + deep)},
		{text: x(`"data":` + deep)},
		{text: f(`[1,2]`, deep)},
		{text: x(`"parameters":{"a":` + deep)},
		{text: one("i", `"data":`+deep)},
		{text: strings.Repeat(`{"a":`, 1_000_000)},
		{text: `{"inputs":[` + strings.Repeat(`{"data":`, 600_000)},
	}
}

func v2ManyOutputs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`{"name":"` + strconv.Itoa(i) + `"},`)
	}
	return b.String()
}

func TestV2Refuses(t *testing.T) { //nolint:paralleltest // it measures what is allocated
	requests := v2HostileRequests()
	if len(requests) < 60 {
		t.Fatalf("%d requests", len(requests))
	}
	d, b, req := NewDecoder(v2HostileInputs(), DecodeOptions{}), new(Batch), new(V2Request)
	for _, r := range requests {
		headerLen := -1
		if r.bytes != "" {
			headerLen = len(r.text)
		}
		if r.header != "" {
			headerLen, _ = strconv.Atoi(r.header)
		}
		body := []byte(r.text + r.bytes)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := d.V2(body, headerLen, req, b)
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		switch e := (*Error)(nil); {
		case !errors.As(err, &e):
			t.Errorf("%.200q + %q is accepted", r.text, r.bytes)
		case r.want != "" && err.Error() != r.want:
			t.Errorf("%.200q + %q\n got %.400s\nwant %.400s", r.text, r.bytes, err, r.want)
		case len(b.Values) != 0 || req.HasID || len(req.Outputs) > 0 || e.Offset > len(body):
			t.Errorf("%.200q: %d values, %+v, %d", r.text, len(b.Values), req, e.Offset)
		case used > uint64(4*len(body)+4<<20):
			t.Errorf("%.200q: %d bytes of memory for %d bytes", r.text, used, len(body))
		}
	}
	if err := d.V2([]byte(`{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}`), -1, req, b); err != nil {
		t.Error(err)
	}
}

func TestV2Limits(t *testing.T) {
	t.Parallel()
	two := []Spec{named("a", in(Int8, -1)), named("b", in(Int8, -1))}
	both := `{"inputs":[{"name":"a","shape":[2],"datatype":"INT8","data":[1,2]},{"name":"b","shape":[3],"datatype":"INT8","data":[1,2,3]}]}`
	packed := `{"inputs":[{"name":"a","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}},{"name":"b","shape":[3],"datatype":"INT8","parameters":{"binary_data_size":3}}]}`
	text := v2Input1(`"shape":[2],"datatype":"BYTES","data":["abc","de"]`)
	binary := v2Input1(`"shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":13}`)
	const strs = "\x03\x00\x00\x00abc\x02\x00\x00\x00de"
	s := []Spec{in(String, -1)}
	for _, c := range []struct {
		inputs      []Spec
		o           DecodeOptions
		text, bytes string
		want        string
	}{
		{two, DecodeOptions{MaxElements: 5}, both, "", ""},
		{two, DecodeOptions{MaxElements: 4}, both, "", `inputs[1].shape: [3] has more than 4 elements (input "b" int8[N]) (at byte 87)`},
		{two, DecodeOptions{MaxElements: 5}, packed, "12345", ""},
		{two, DecodeOptions{MaxElements: 4}, packed, "12345", `inputs[1].shape: [3] has more than 4 elements (input "b" int8[N]) (at byte 110)`},
		{s, DecodeOptions{MaxStringBytes: 5}, text, "", ""},
		{s, DecodeOptions{MaxStringBytes: 4}, text, "", `inputs[0].data[1]: more than 4 bytes of strings (input "x" string[N]) (at byte 68)`},
		{s, DecodeOptions{MaxStringBytes: 5}, binary, strs, ""},
		{s, DecodeOptions{MaxStringBytes: 4}, binary, strs, `inputs[0].data: more than 4 bytes of strings (input "x" string[N]) (at byte 104)`},
		{[]Spec{open(Int8)}, DecodeOptions{MaxDepth: 2}, v2Input1(`"shape":[1,1,1],"datatype":"INT8","data":[1]`), "", ""},
		{[]Spec{open(Int8)}, DecodeOptions{MaxDepth: 2}, v2Input1(`"shape":[1,1,1],"datatype":"INT8","data":[[[1]]]`), "", `inputs[0].data: arrays are nested deeper than 2 (input "x" int8[...]) (at byte 66)`},
	} {
		_, _, err := v2Call(c.inputs, c.o, c.text, c.bytes)
		if got := errorText(err); got != c.want {
			t.Errorf("%s %+v\n got %s\nwant %s", c.text, c.o, got, c.want)
		}
	}
	err := NewDecoder(s, DecodeOptions{MaxStringBytes: 2}).V2([]byte("abc"), 0, new(V2Request), new(Batch))
	if got, want := errorText(err), `more than 2 bytes of strings (input "x" string[N]) (at byte 0)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
