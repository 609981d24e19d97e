package score_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// hostile is a request that nobody should send; bytes follow the JSON where there is a header.
type hostile struct {
	json   string
	bytes  string
	header string // "" none; "json" the length of the JSON part
}

func hostileRequests() []hostile {
	in := func(members string) string {
		return `{"inputs":[{"name":"x",` + members + `},{"name":"s","shape":[1],"datatype":"BYTES","data":["a"]}]}`
	}
	floats := func(shape, data string) string { return in(`"shape":` + shape + `,"datatype":"FP32","data":` + data) }
	sized := func(size string) string {
		return in(`"shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":` + size + `}`)
	}
	text := func(size string) string {
		return `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"s","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":` + size + `}}]}`
	}
	const good = `{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}`
	const str = `{"name":"s","shape":[1],"datatype":"BYTES","data":["a"]}`
	list := []hostile{}
	for _, j := range []string{
		``, ` `, `null`, `5`, `"x"`, `[]`, `[` + good + `]`, `{`, `{}`, `{"inputs":`, `{"inputs":null}`, `{"inputs":5}`, `{"inputs":{}}`, `{"inputs":[]}`, `{"inputs":[5]}`,
		`{"inputs":[null]}`, `{"inputs":[` + good, `{"inputs":[` + good + `,]}`, `{"inputs":[` + good + `]} x`, `{"inputs":[` + good + `],"inputs":[]}`,
		`{"inputs":[` + good + `]}`, `{"inputs":[` + good + `,` + good + `,` + str + `]}`, `{"inputs":[{"name":"z","shape":[1],"datatype":"FP32","data":[1]}]}`,
		`{"inputs":[{"shape":[1,2],"datatype":"FP32","data":[1,2]}]}`, `{"inputs":[{"name":5}]}`, `{"inputs":[{"name":"x"}]}`, `{"id":5,"inputs":[` + good + `,` + str + `]}`,
		`{"parameters":[],"inputs":[` + good + `,` + str + `]}`, `{"parameters":{"binary_data_output":1},"inputs":[` + good + `,` + str + `]}`,
		`{"outputs":5,"inputs":[` + good + `,` + str + `]}`, `{"outputs":[{}],"inputs":[` + good + `,` + str + `]}`, `{"outputs":[{"name":"nope"}],"inputs":[` + good + `,` + str + `]}`,
		`{"outputs":[{"name":"y"},{"name":"y"}],"inputs":[` + good + `,` + str + `]}`, `{"outputs":[{"name":"y","parameters":{"binary_data":"yes"}}],"inputs":[` + good + `,` + str + `]}`,
		`{"x":` + strings.Repeat("[", 5_000_000) + `}`, `{"inputs":` + strings.Repeat("[", 5_000_000), `{"inputs":[` + strings.Repeat(`{"a":`, 1_000_000),
		`{"x":nul,"inputs":[` + good + `,` + str + `]}`, "{\"id\":\"\xff\",\"inputs\":[]}", "{\"inputs\":[{\"name\":\"\x01\"}]}",
		floats(`[1,2]`, `[1]`), floats(`[1,2]`, `[1,2,3]`), floats(`[1,2]`, `[[1,2],[3,4]]`), floats(`[1,2]`, `[[1],[2]]`), floats(`[1,2]`, `[1,"2"]`), floats(`[1,2]`, `[1,true]`),
		floats(`[1,2]`, `[1,2`), floats(`[1,2]`, `[1,1e39]`), floats(`[1,2]`, `[1,01]`), floats(`[1,2]`, `5`), floats(`[1,2]`, `{"a":1}`), floats(`[1,2]`, `null`), floats(`[1,2]`, `[]`),
		floats(`[1,2]`, strings.Repeat("[", 1_000_000)), floats(`[1,3]`, `[1,2,3]`), floats(`[2]`, `[1,2]`), floats(`[]`, `[1]`), floats(`[-1,2]`, `[1,2]`), floats(`[1.5,2]`, `[1,2]`),
		floats(`["1",2]`, `[1,2]`), floats(`null`, `[1,2]`), floats(`[9223372036854775807,2]`, `[1,2]`), floats(`[99999999999999999999,2]`, `[1,2]`), floats(`[4611686018427387904,2]`, `[1,2]`),
		floats(`[1000000000,2]`, `[1,2]`), floats(`[1,2,1]`, `[1,2]`), floats(`[`+strings.Repeat("1,", 5000)+`2]`, `[1,2]`),
		in(`"shape":[1,2],"datatype":"FP64","data":[1,2]`), in(`"shape":[1,2],"datatype":"fp32","data":[1,2]`), in(`"shape":[1,2],"datatype":null,"data":[1,2]`), in(`"shape":[1,2],"data":[1,2]`), in(`"datatype":"FP32","data":[1,2]`),
		sized(`8`), // without the header
	} {
		list = append(list, hostile{json: j})
	}
	ok8 := strings.Repeat("\x00", 8)
	list = append(list, []hostile{
		{sized(`8`), ok8[:7], "json"},
		{sized(`8`), ok8 + "x", "json"},
		{sized(`7`), ok8[:7], "json"},
		{sized(`9`), ok8 + "x", "json"},
		{sized(`-8`), ok8, "json"},
		{sized(`8.0`), ok8, "json"},
		{sized(`"8"`), ok8, "json"},
		{sized(`null`), ok8, "json"},
		{sized(`9223372036854775807`), ok8, "json"},
		{sized(`99999999999999999999`), ok8, "json"},
		{sized(`8`), "", "json"},
		{sized(`8`), ok8, "99999"},
		{sized(`8`), ok8, "-1"},
		{sized(`8`), ok8, "x"},
		{sized(`8`), ok8, "5"},
		{sized(`8`), ok8, "0"},
		{in(`"shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"binary_data_size":8}`), ok8, "json"},
		{floats(`[1,2]`, `[1,2]`), ok8, "json"},
		{text(`8`), "\x01\x00\x00\x00a\x00\x00\x00", "json"},
		{text(`9`), "\x01\x00\x00\x00a\xff\xff\xff\xff", "json"},
		{text(`11`), "\x01\x00\x00\x00a\x01\x00\x00\x00bc", "json"},
		{text(`12`), "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "json"},
		{text(`3`), "\x00\x00\x00", "json"},
	}...)
	return list
}

func TestHostileRequestsAreRefused(t *testing.T) {
	requests := hostileRequests()
	if len(requests) < 60 {
		t.Fatalf("%d requests", len(requests))
	}
	m := onnxtest.Model{Graph: onnxtest.Graph{
		Inputs:  []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Float32, "N", 2)), onnxtest.In("s", onnxtest.T(tensor.String, "M"))},
		Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.T(tensor.Float32, "N", 2)), onnxtest.In("z", onnxtest.T(tensor.String, "M"))},
		Nodes: []onnxtest.Node{
			{Op: "Identity", Inputs: []string{"x"}, Outputs: []string{"y"}}, {Op: "Identity", Inputs: []string{"s"}, Outputs: []string{"z"}},
		},
	}}
	h := serveModel(t, m)
	var peak uint64 // of what one request allocates beyond its own length
	for _, r := range requests {
		header := map[string]string{}
		switch r.header {
		case "":
		case "json":
			header["Inference-Header-Content-Length"] = strconv.Itoa(len(r.json))
		default:
			header["Inference-Header-Content-Length"] = r.header
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		answer := call(t, h, "POST", "/v2/models/m/infer", []byte(r.json+r.bytes), header)
		body := answer.body
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		size := uint64(len(r.json) + len(r.bytes))
		peak = max(peak, used-min(used, 3*size))
		if used > 8*size+1<<20 {
			t.Errorf("%.60q: %d bytes of memory for %d bytes", r.json, used, size)
		}
		var e struct{ Error string }
		if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error == "" || answer.StatusCode < 400 || answer.StatusCode > 499 {
			t.Errorf("%.120q + %q (%s): %d %s", r.json, r.bytes, r.header, answer.StatusCode, body)
		}
	}
	t.Logf("%d requests, at most %d bytes of memory beyond three times the body", len(requests), peak)
	good := fmt.Sprintf(`{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},%s]}`, `{"name":"s","shape":[1],"datatype":"BYTES","data":["a"]}`)
	if r := call(t, h, "POST", "/v2/models/m/infer", []byte(good), nil); r.StatusCode != 200 { // and the server is alive
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}
