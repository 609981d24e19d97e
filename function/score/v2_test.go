package score_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// serveModel is the handler of a network under the name "m".
func serveModel(t *testing.T, m onnxtest.Model) http.Handler {
	t.Helper()
	init, model := network(m, nil)(t)
	model.Name = "m"
	f := function.New(init, function.WithModel(model))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(function.Reason(err))
	}
	return function.Handler(f)
}

// reply is an answer that was read.
type reply struct {
	StatusCode int
	Header     http.Header
	body       string
}

func call(t *testing.T, h http.Handler, method, path string, body []byte, header map[string]string) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

var twoFloats = onnxtest.Named(onnxtest.T(tensor.Float32, "N", 2), "x", "y")

func TestInferenceProtocolMetadata(t *testing.T) {
	t.Parallel()
	h := serveModel(t, twoFloats)
	for path, want := range map[string]string{
		"/v2":                        `{"name":"scorefn","version":"` + function.Version + `","extensions":["binary_tensor_data","statistics","model_repository"]}`,
		"/v2/":                       `{"name":"scorefn","version":"` + function.Version + `","extensions":["binary_tensor_data","statistics","model_repository"]}`,
		"/v2/health/live":            `{"live":true}`,
		"/v2/health/ready":           `{"live":true,"ready":true}`,
		"/v2/models/m/ready":         `{"live":true,"ready":true}`,
		"/v2/models/m/":              `{"name":"m","versions":["1"],"platform":"onnx_onnxv1","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,2]}]}`,
		"/v2/models/m?unknown=query": `{"name":"m","versions":["1"],"platform":"onnx_onnxv1","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,2]}]}`,
	} {
		r := call(t, h, "GET", path, nil, nil)
		if got := r.body; r.StatusCode != 200 || !sameJSON([]byte(got), []byte(want)) || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %s\nwant %s", path, r.StatusCode, r.Header.Get("Content-Type"), got, want)
		}
	}
	if got := call(t, h, "POST", "/v2/repository/index", []byte(`{"ready":true}`), nil).body; got != `[{"name":"m","version":"1","state":"READY","reason":""}]` {
		t.Errorf("index: %s", got)
	}
	for _, path := range []string{"/v2/models/other", "/v2/models/other/ready", "/v2/models/other/versions/2"} {
		r := call(t, h, "GET", path, nil, nil)
		if got := r.body; r.StatusCode != 404 || !strings.HasPrefix(got, `{"error": "Request for unknown model: 'other'`) || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, r.StatusCode, got)
		}
	}
	if r := call(t, h, "GET", "/v2/nope", nil, nil); r.StatusCode != 404 || !strings.HasPrefix(r.body, `{"error": `) {
		t.Errorf("an unknown route: %d", r.StatusCode)
	}
}

func TestInferenceProtocolInfer(t *testing.T) {
	t.Parallel()
	h := serveModel(t, twoFloats)
	const out = `{"model_name":"m","model_version":"1",%s"outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[1.5,-2.0]}]}`
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"flat", `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.5,-2]}]}`, 200, fmt.Sprintf(out, "")},
		{"nested, keys in any order", `{"inputs":[{"data":[[1.5,-2]],"datatype":"FP32","name":"x","shape":[1,2]}],"id":"a"}`, 200, fmt.Sprintf(out, `"id":"a",`)},
		{"nulls", `{"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":null,"data":[1.5,-2]}]}`, 200, fmt.Sprintf(out, "")},
		{"a named output", `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.5,-2]}],"outputs":[{"name":"y"}]}`, 200, fmt.Sprintf(out, "")},
		{"an unknown output", `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.5,-2]}],"outputs":[{"name":"z"}]}`, 400, `{"error": "unexpected inference output 'z': the model has \"y\""}`},
		{"a wrong datatype", `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1.5,-2]}]}`, 400, ``},
		{"a wrong shape", `{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}`, 400, ``},
		{"no input", `{"inputs":[]}`, 400, ``},
		{"no JSON", `{"inputs":[`, 400, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := call(t, h, "POST", "/v2/models/m/infer", []byte(tt.body), nil)
			got := r.body
			if r.StatusCode != tt.status || tt.want != "" && !sameJSON([]byte(got), []byte(tt.want)) || !json.Valid([]byte(got)) {
				t.Errorf("got %d %s\nwant %d %s", r.StatusCode, got, tt.status, tt.want)
			}
			if tt.status >= 400 && !strings.HasPrefix(got, `{"error": `) {
				t.Errorf("got %s", got)
			}
		})
	}
	if r := call(t, h, "POST", "/v2/models/m/versions/2/infer", []byte(`{}`), nil); r.StatusCode != 404 {
		t.Errorf("an unknown version: %d", r.StatusCode)
	}
}

func floats(v ...float32) []byte {
	var b []byte
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func TestInferenceProtocolBinary(t *testing.T) {
	t.Parallel()
	h := serveModel(t, twoFloats)
	head := []byte(`{"id":"1","parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}`)
	body := append(bytes.Clone(head), floats(1.5, -2)...)
	check := func(t *testing.T, r reply, got []byte) {
		t.Helper()
		n, err := strconv.Atoi(r.Header.Get("Inference-Header-Content-Length"))
		if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/octet-stream" || n > len(got) {
			t.Fatalf("%d %v %q", r.StatusCode, r.Header, got)
		}
		var answer struct {
			Outputs []struct {
				Name       string
				Parameters struct {
					Size int `json:"binary_data_size"`
				}
			}
		}
		if err := json.Unmarshal(got[:n], &answer); err != nil || len(answer.Outputs) != 1 || answer.Outputs[0].Parameters.Size != 8 {
			t.Errorf("%s: %v", got[:n], err)
		}
		if !bytes.Equal(got[n:], floats(1.5, -2)) {
			t.Errorf("got % x", got[n:])
		}
	}
	length := map[string]string{"Inference-Header-Content-Length": strconv.Itoa(len(head))}
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		r := call(t, h, "POST", "/v2/models/m/infer", body, length)
		check(t, r, []byte(r.body))
	})
	t.Run("packed", func(t *testing.T) {
		t.Parallel()
		for coding, w := range map[string]func(io.Writer) io.WriteCloser{
			"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
			"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		} {
			var packed bytes.Buffer
			z := w(&packed)
			_, _ = z.Write(body)
			_ = z.Close()
			r := call(t, h, "POST", "/v2/models/m/infer", packed.Bytes(), map[string]string{
				"Inference-Header-Content-Length": strconv.Itoa(len(head)), "Content-Encoding": coding,
			})
			check(t, r, []byte(r.body))
		}
	})
	t.Run("raw", func(t *testing.T) {
		t.Parallel()
		r := call(t, h, "POST", "/v2/models/m/infer", floats(1.5, -2), map[string]string{"Inference-Header-Content-Length": "0"})
		check(t, r, []byte(r.body))
	})
	t.Run("mistakes", func(t *testing.T) {
		t.Parallel()
		for _, n := range []string{"-1", "x", "99999", "1.5", strconv.Itoa(len(head) - 1)} {
			r := call(t, h, "POST", "/v2/models/m/infer", body, map[string]string{"Inference-Header-Content-Length": n})
			if got := r.body; r.StatusCode != 400 || !strings.HasPrefix(got, `{"error": `) {
				t.Errorf("%s: %d %s", n, r.StatusCode, got)
			}
		}
	})
}

func TestAnswersArePackedOnDemand(t *testing.T) {
	t.Parallel()
	h := serveModel(t, onnxtest.Identity(onnxtest.T(tensor.Float32, "N")))
	body := []byte(`{"inputs":[{"name":"x","shape":[2000],"datatype":"FP32","data":[` + strings.Repeat("0,", 1999) + `0]}]}`)
	plain := call(t, h, "POST", "/v2/models/m/infer", body, nil).body
	for coding, open := range map[string]func(io.Reader) (io.Reader, error){
		"gzip":    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"deflate": func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
	} {
		r := call(t, h, "POST", "/v2/models/m/infer", body, map[string]string{"Accept-Encoding": coding})
		packed := r.body
		z, err := open(strings.NewReader(packed))
		if err != nil || r.Header.Get("Content-Encoding") != coding || len(packed) >= len(plain) {
			t.Fatalf("%s: %v, %d of %d bytes, %v", coding, r.Header, len(packed), len(plain), err)
		}
		got, err := io.ReadAll(z)
		if err != nil || string(got) != plain {
			t.Errorf("%s: %v", coding, err)
		}
	}
	if r := call(t, h, "POST", "/v2/models/m/infer", body, map[string]string{"Accept-Encoding": "gzip, deflate"}); r.Header.Get("Content-Encoding") != "" || r.body != plain {
		t.Error("a client that lists what it knows did not ask")
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	h := serveModel(t, twoFloats)
	good, bad := `{"data":[[1,2]]}`, `{"data":[[1]]}`
	for _, body := range []string{good, good, bad} {
		call(t, h, "POST", "/score", []byte(body), nil)
	}
	for _, path := range []string{"/v2/models/m/stats", "/v2/models/stats"} {
		var got struct {
			Stats []struct {
				Name, Version string
				Inferences    int                                `json:"inference_count"`
				Stats         map[string]struct{ Count, NS int } `json:"inference_stats"`
			} `json:"model_stats"`
		}
		body := call(t, h, "GET", path, nil, nil).body
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Stats) != 1 || got.Stats[0].Name != "m" || got.Stats[0].Inferences != 2 ||
			got.Stats[0].Stats["success"].Count != 2 || got.Stats[0].Stats["fail"].Count != 1 || got.Stats[0].Stats["compute_infer"].NS == 0 {
			t.Errorf("%s: %s, %v", path, body, err)
		}
	}
}

// A value comes through every form as it is.
func TestValuesInEveryForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		model onnxtest.Model
		data  string // {"data": …}
		want  string
		oip   string // the request's inputs
		out   string // the answer's outputs
	}{
		{
			"float16", onnxtest.Identity(onnxtest.T(tensor.Float16, "N")), `[0.1,65504,-0.0]`, `[0.1,65500.0,-0.0]`,
			`[{"name":"x","shape":[3],"datatype":"FP16","data":[0.1,65504,-0.0]}]`, `[{"name":"y","datatype":"FP16","shape":[3],"data":[0.1,65500.0,-0.0]}]`,
		},
		{
			"bfloat16", onnxtest.Identity(onnxtest.T(tensor.BFloat16, "N")), `[1.5]`, `[1.5]`,
			`[{"name":"x","shape":[1],"datatype":"BF16","data":[1.5]}]`, `[{"name":"y","datatype":"BF16","shape":[1],"data":[1.5]}]`,
		},
		{
			"int64 beyond 2^53", onnxtest.Identity(onnxtest.T(tensor.Int64, "N")), `[9007199254740993,-9223372036854775808]`, `[9007199254740993,-9223372036854775808]`,
			`[{"name":"x","shape":[2],"datatype":"INT64","data":[9007199254740993,-9223372036854775808]}]`, `[{"name":"y","datatype":"INT64","shape":[2],"data":[9007199254740993,-9223372036854775808]}]`,
		},
		{
			"uint64", onnxtest.Identity(onnxtest.T(tensor.Uint64)), `18446744073709551615`, `18446744073709551615`,
			`[{"name":"x","shape":[],"datatype":"UINT64","data":[18446744073709551615]}]`, `[{"name":"y","datatype":"UINT64","shape":[],"data":[18446744073709551615]}]`,
		},
		{
			"strings", onnxtest.Identity(onnxtest.T(tensor.String, "N")), `["a\u0000b","żó",""]`, `["a\u0000b","żó",""]`,
			`[{"name":"x","shape":[3],"datatype":"BYTES","data":["a\u0000b","żó",""]}]`, `[{"name":"y","datatype":"BYTES","shape":[3],"data":["a\u0000b","żó",""]}]`,
		},
		{
			"empty", onnxtest.Identity(onnxtest.T(tensor.Float32, "N", 3)), `[]`, `[]`,
			`[{"name":"x","shape":[0,3],"datatype":"FP32","data":[]}]`, `[{"name":"y","datatype":"FP32","shape":[0,3],"data":[]}]`,
		},
		{
			"bool", onnxtest.Identity(onnxtest.T(tensor.Bool, "N")), `[true,false]`, `[true,false]`,
			`[{"name":"x","shape":[2],"datatype":"BOOL","data":[true,false]}]`, `[{"name":"y","datatype":"BOOL","shape":[2],"data":[true,false]}]`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := serveModel(t, tt.model)
			r := call(t, h, "POST", "/score", []byte(`{"data":`+tt.data+`}`), nil)
			if got := r.body; r.StatusCode != 200 || got != tt.want {
				t.Errorf("data: %d %s, want %s", r.StatusCode, got, tt.want)
			}
			r = call(t, h, "POST", "/v2/models/m/infer", []byte(`{"inputs":`+tt.oip+`}`), nil)
			want := `{"model_name":"m","model_version":"1","outputs":` + tt.out + `}`
			if got := r.body; r.StatusCode != 200 || got != want {
				t.Errorf("v2: %d\n got %s\nwant %s", r.StatusCode, got, want)
			}
		})
	}
}

func TestModelsWithOddSignatures(t *testing.T) {
	t.Parallel()
	zip := serveModel(t, onnxtest.ZipMap())
	if r := call(t, zip, "POST", "/v2/models/m/infer", []byte(`{"inputs":[]}`), nil); r.StatusCode == 200 {
		t.Errorf("ZipMap: %s", r.body)
	}
	constant := serveModel(t, onnxtest.Constant(tensor.Of([]float32{1, 2})))
	for path, body := range map[string]string{"/score": `{"data":{}}`, "/v2/models/m/infer": `{"inputs":[]}`} {
		if r := call(t, constant, "POST", path, []byte(body), nil); r.StatusCode != 200 {
			t.Errorf("no inputs, %s: %d %s", path, r.StatusCode, r.body)
		}
	}
	external := serveModel(t, onnxtest.External())
	if r := call(t, external, "GET", "/v2/models/m/ready", nil, nil); r.StatusCode != 200 {
		t.Errorf("external weights: %d", r.StatusCode)
	}
	many := serveModel(t, onnxtest.Sum(40))
	var named, inputs []string
	for i := range 40 {
		named = append(named, fmt.Sprintf(`"x%02d":[%d]`, i, i))
		inputs = append(inputs, fmt.Sprintf(`{"name":"x%02d","shape":[1],"datatype":"FP32","data":[%d]}`, i, i))
	}
	if r := call(t, many, "POST", "/score", []byte(`{"data":{`+strings.Join(named, ",")+`}}`), nil); r.StatusCode != 200 || r.body != "[780.0]" {
		t.Errorf("40 inputs: %d", r.StatusCode)
	}
	if r := call(t, many, "POST", "/v2/models/m/infer", []byte(`{"inputs":[`+strings.Join(inputs, ",")+`]}`), nil); r.StatusCode != 200 || !strings.Contains(r.body, `"data":[780.0]`) {
		t.Errorf("40 inputs over v2: %d", r.StatusCode)
	}
	for _, name := range []string{"input:0", "a/b", "__proto__", "data", "inputs", "żółć 😀"} {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		h := serveModel(t, onnxtest.Named(onnxtest.T(tensor.Float32, "N"), name, name+"_out"))
		if r := call(t, h, "POST", "/score", fmt.Appendf(nil, `{"data":{%s:[1]}}`, quoted), nil); r.StatusCode != 200 || r.body != "[1.0]" {
			t.Errorf("%s by name: %d", name, r.StatusCode)
		}
		body := fmt.Appendf(nil, `{"inputs":[{"name":%s,"shape":[1],"datatype":"FP32","data":[1]}]}`, quoted)
		if r := call(t, h, "POST", "/v2/models/m/infer", body, nil); r.StatusCode != 200 || !strings.Contains(r.body, `"data":[1.0]`) {
			t.Errorf("%s over v2: %d", name, r.StatusCode)
		}
	}
}
