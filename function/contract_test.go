package function

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/modeldir"
)

// The rows of the reference server's table of request ids: what was sent, and what is answered; * is made up.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, nil))
	for _, tt := range []struct{ sent, want [3]string }{
		{[3]string{"", "", ""}, [3]string{"*", "*", ""}},
		{[3]string{"A", "", ""}, [3]string{"A", "A", ""}},
		{[3]string{"", "B", ""}, [3]string{"*", "B", "B"}},
		{[3]string{"", "", "C"}, [3]string{"*", "C", "C"}},
		{[3]string{"A", "B", ""}, [3]string{"A", "B", "B"}},
		{[3]string{"", "B", "C"}, [3]string{"*", "B", "C"}},
		{[3]string{"A", "", "C"}, [3]string{"A", "C", "C"}},
		{[3]string{"A", "B", "C"}, [3]string{"A", "B", "C"}},
	} {
		for _, path := range []string{"/", "/score", "/nope"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			names := [3]string{"x-request-id", "x-ms-request-id", "x-ms-client-request-id"}
			for i, v := range tt.sent {
				if v != "" {
					r.Header.Set(names[i], v)
				}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			for i, want := range tt.want {
				got := w.Header().Get(names[i])
				if want == "*" {
					want = w.Header().Get("x-request-id")
					if len(want) != 36 {
						t.Errorf("%v %s: made up %q", tt.sent, path, want)
					}
				}
				if got != want {
					t.Errorf("%v %s: %s is %q, want %q", tt.sent, path, names[i], got, want)
				}
			}
		}
	}
}

func TestThePlatformsRequestIDIsAnswered(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, nil))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(WithRequestID(t.Context(), "invocation-7"), http.MethodGet, "/", nil))
	if got := w.Header().Get("x-request-id"); got != "invocation-7" {
		t.Errorf("got %q", got)
	}
}

func TestEveryLogLineHasTheRequestID(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := New(func(context.Context, modeldir.Model) (Script, error) {
		return scriptFunc(func(context.Context, json.RawMessage) (any, error) { return nil, errors.New("no such class") }), nil
	}, WithModel(modeldir.Model{Name: "digits", Version: "1"}), WithLogger(slog.New(slog.NewJSONHandler(&log, nil))), set(t, nil))
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/score", strings.NewReader(`{"data": "secret"}`))
	r.Header.Set("x-request-id", "id-1")
	r.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	r.Header.Set("Authorization", "Bearer secret")
	Handler(f).ServeHTTP(httptest.NewRecorder(), r)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || strings.Contains(log.String(), "secret") {
		t.Fatalf("got %s", log.String())
	}
	var failed, access map[string]any
	for i, to := range []*map[string]any{&failed, &access} {
		if err := json.Unmarshal([]byte(lines[i]), to); err != nil || (*to)["requestId"] != "id-1" || (*to)["traceparent"] == nil {
			t.Errorf("%s: %v", lines[i], err)
		}
	}
	if failed["error"] != "no such class" {
		t.Errorf("got %v", failed["error"])
	}
	for key, want := range map[string]any{
		"msg": "request", "method": "POST", "route": "/score", "status": 500.0, "bytesIn": 18.0, "model": "digits", "version": "1", "cold": true,
	} {
		if access[key] != want {
			t.Errorf("%s is %v, want %v", key, access[key], want)
		}
	}
	for _, key := range []string{"ms", "queueMs", "runMs", "encodeMs", "bytesOut"} {
		if _, ok := access[key].(float64); !ok {
			t.Errorf("%s is %v", key, access[key])
		}
	}
}

func TestPackedBodies(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, map[string]string{"SCOREFN_MAX_BODY": "100000"}))
	body := []byte(`{"data":[1,2,3]}`)
	pack := func(w func(io.Writer) io.WriteCloser, b []byte) []byte {
		var buf bytes.Buffer
		z := w(&buf)
		_, _ = z.Write(b)
		_ = z.Close()
		return buf.Bytes()
	}
	gz := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	zl := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	fl := func(w io.Writer) io.WriteCloser { z, _ := flate.NewWriter(w, 6); return z }
	bomb := append(append([]byte(`{"data":"`), bytes.Repeat([]byte("x"), 50<<20)...), `"}`...)
	for _, tt := range []struct {
		name, encoding string
		body           []byte
		status         int
		want           string
	}{
		{"gzip", "gzip", pack(gz, body), 200, `[1,2,3]`},
		{"x-gzip", "X-GZIP", pack(gz, body), 200, `[1,2,3]`},
		{"deflate", "deflate", pack(zl, body), 200, `[1,2,3]`},
		{"bare deflate", "deflate", pack(fl, body), 200, `[1,2,3]`},
		{"identity", "identity", body, 200, `[1,2,3]`},
		{"not gzip", "gzip", body, 400, `{"message": "The request body is not valid gzip."}`},
		{"truncated", "gzip", pack(gz, body)[:20], 400, `{"message": "The request body is not valid gzip."}`},
		{"unknown", "br", body, 415, `{"message": "The Content-Encoding \"br\" is not understood: expected gzip, deflate or none."}`},
		{"bomb", "gzip", pack(gz, bomb), 413, `{"message": "The request body is larger than 100000 bytes, the limit of this service (SCOREFN_MAX_BODY)."}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 5 { // in the memory of the others, too
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/score", bytes.NewReader(tt.body))
				r.Header.Set("Content-Encoding", tt.encoding)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != tt.status || w.Body.String() != tt.want {
					t.Errorf("got %d %s, want %d %s", w.Code, w.Body, tt.status, tt.want)
				}
			}
		})
	}
}

// A script that knows no tensors is given what stands under any of the known keys, and its answer is wrapped to match.
func TestFormsOfABody(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, nil))
	for _, tt := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/score", `{"input_data":[1]}`, 200, `[1]`},
		{"/score", `{"instances":[1],"signature_name":"serving_default"}`, 200, `{"predictions": [1]}`},
		{"/score", `{"inputs":{"a":[1]}}`, 200, `{"outputs": {"a":[1]}}`},
		{"/score", `{"Inputs":{"input1":[1]},"GlobalParameters":1.0}`, 200, `{"Results": [1]}`},
		{"/score", `{"Inputs":{"a":[1],"b":[2]}}`, 200, `{"Results": {"a":[1],"b":[2]}}`},
		{"/score", `{"dataframe_split":{"data":[1]}}`, 200, `{"predictions": {"data":[1]}}`},
		{"/score", `{"data":[1],"instances":[1]}`, 400, `{"message": "The body has \"data\" and \"instances\": expected one of them."}`},
		{"/score", `{"instances":[1`, 400, `{"message": "POST body could not be decoded as JSON: Expecting ',' delimiter: line 1 column 16 (char 15)"}`},
		{"/invocations", `[[1]]`, 200, `[[1]]`},
		{"/invocations", `{"data":[1]}`, 200, `[1]`},
		{"/invocations", `[[1]`, 400, `{"message": "POST body could not be decoded as JSON: Expecting ',' delimiter: line 1 column 5 (char 4)"}`},
		{"/invocations", `5`, 400, `{"message": "POST body should be a JSON dictionary."}`},
		{"/v1/models/test:predict", `{"instances":[1]}`, 200, `{"predictions": [1]}`},
		{"/v1/models/test/versions/1:predict", `{"instances":[1]}`, 404, ``},
		{"/v1/models/other:predict", `{"instances":[1]}`, 404, `{"error": "model \"other\" version \"\": modeldir: no such model"}`},
		{"/v1/models/test:explain", `{"instances":[1]}`, 404, ``},
		{"/models/test/score", `{"data":[1]}`, 200, `[1]`},
		{"/models/te%73t/score", `{"data":[1]}`, 200, `[1]`},
		{"/models/..%2ftest/score", `{"data":[1]}`, 404, ``},
		{"/models//score", `{"data":[1]}`, 404, ``},
	} {
		w := do(t, h, "POST", tt.path, tt.body)
		if w.Code != tt.status || tt.want != "" && w.Body.String() != tt.want {
			t.Errorf("%s %s:\n got %d %s\nwant %d %s", tt.path, tt.body, w.Code, w.Body, tt.status, tt.want)
		}
	}
}

func TestProbesAndModelLists(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, map[string]string{"AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": "/predict"}))
	for path, want := range map[string]string{
		"/ping": "\n", "/health": "\n", "/v1/models": `{"models":["test"]}`,
		"/v1/models/test": `{"name":"test","ready":true,"model_version_status":[{"version":"1","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}]}`,
	} {
		if w := do(t, h, "GET", path, ""); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: got %d %q", path, w.Code, w.Body)
		}
	}
	if w := do(t, h, "POST", "/predict", `{"instances":[1]}`); w.Body.String() != `{"predictions": [1]}` {
		t.Errorf("the prediction route: %d %s", w.Code, w.Body)
	}
	if w := do(t, h, "GET", "/v1/models/other", ""); w.Code != 404 || !strings.HasPrefix(w.Body.String(), `{"error": `) {
		t.Errorf("an unknown model: %d %s", w.Code, w.Body)
	}
}

func TestErrorsOfTheEntryScript(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, func(_ context.Context, data json.RawMessage) (any, error) {
		if string(data) == "1" {
			return nil, errors.New("no such class")
		}
		return data, nil
	}, map[string]string{"SCOREFN_ERRORS": "entry-script"}))
	for body, want := range map[string]string{
		`{"data":1}`:            `"no such class"`,
		`{"data":2}`:            `2`,
		`{"data":[1],"data":2}`: `2`,
		`{"x":1}`:               `"A value is not provided for the 'data' parameter."`,
		`{`:                     `"POST body could not be decoded as JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"`,
	} {
		w := do(t, h, "POST", "/score", body)
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("x-ms-run-function-failed") != "False" || w.Header().Get("x-ms-run-fn-exec-ms") == "" {
			t.Errorf("%s: got %d %v %s, want %s", body, w.Code, w.Header(), w.Body, want)
		}
	}
	if w := do(t, h, "GET", "/nope", ""); w.Code != 404 {
		t.Errorf("a route that is none: %d", w.Code)
	}
}

func TestSwaggerOfAScript(t *testing.T) {
	t.Parallel()
	f := New(func(context.Context, modeldir.Model) (Script, error) { return sampler{echo}, nil },
		WithModel(modeldir.Model{}), WithLogger(quiet), set(t, map[string]string{"SERVICE_NAME": "my svc", "SERVICE_PATH_PREFIX": "test"}))
	h := Handler(f)
	for _, tt := range []struct{ path, want string }{
		{"/swagger.json", `{"swagger": "2.0", "info": {"title": "my svc"`},
		{"/swagger.json?version=3", `{"openapi": "3.0.3"`},
		{"/swagger.json?version=3.1&version=9", `{"openapi": "3.1.0"`},
	} {
		w := do(t, h, "GET", tt.path, "")
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), tt.want) || !strings.Contains(w.Body.String(), `"/test/score"`) ||
			!strings.Contains(w.Body.String(), `"example": {"data": "warm"}`) {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
	}
	if w := do(t, h, "GET", "/swagger.json?version=", ""); w.Code != 404 {
		t.Errorf("an empty version: %d", w.Code)
	}
}

func TestHealthIsAnsweredWithoutAModel(t *testing.T) {
	t.Parallel()
	f := New(func(context.Context, modeldir.Model) (Script, error) { return nil, errors.New("no") }, WithModel(modeldir.Model{}), WithLogger(quiet), set(t, nil))
	if w := do(t, Handler(f), "GET", "/", ""); w.Code != 200 || w.Body.String() != "Healthy" {
		t.Errorf("got %d", w.Code)
	}
	if w := do(t, Handler(f), "POST", "/score", `{"data":1}`); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestUTF16AndUTF32(t *testing.T) {
	t.Parallel()
	f := newTest(t, echo, nil)
	for name, body := range map[string][]byte{
		"utf-16le":     utf16le(false),
		"utf-16le bom": utf16le(true),
		"utf-16be":     swap(utf16le(false)),
		"utf-16be bom": swap(utf16le(true)),
		"utf-32le":     utf32le(),
	} {
		r, err := f.Run(t.Context(), Request{Body: body})
		if err != nil || string(r.Body) != `"é😀"` {
			t.Errorf("%s: got %s, %v", name, r.Body, err)
		}
	}
}

// wideText is what the two write.
const wideText = `{"data":"é😀"}`

func utf16le(bom bool) []byte {
	var b []byte
	if bom {
		b = append(b, 0xFF, 0xFE)
	}
	for _, r := range wideText {
		if r > 0xFFFF {
			r -= 0x10000
			hi, lo := 0xD800+r>>10, 0xDC00+r&0x3FF
			b = append(b, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
			continue
		}
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}

func swap(b []byte) []byte {
	for i := 0; i < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return b
}

func utf32le() []byte {
	var b []byte
	for _, r := range wideText {
		b = append(b, byte(r), byte(r>>8), byte(r>>16), 0)
	}
	return b
}
