package score_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

// model is the digits model without its score.json, and another one.
func model(tb testing.TB, source, config string) modeldir.Model {
	tb.Helper()
	onnxtest.Library(tb)
	b, err := os.ReadFile(source)
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	m := modeldir.Model{Name: "m", Dir: dir, File: filepath.Join(dir, "model.onnx")}
	if err := os.WriteFile(m.File, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	if config != "" {
		if err := os.WriteFile(filepath.Join(dir, score.ConfigFile), []byte(config), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return m
}

const digitsModel = "../../model/digits/1/model.onnx"

func newFunction(tb testing.TB, o ...function.Option) *function.Function {
	tb.Helper()
	f := function.New(score.Init, o...)
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

func TestRunAnswersTheGoldenVectors(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	f := newFunction(t)
	functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
		t.Helper()
		r, err := f.Run(t.Context(), function.Request{Body: body})
		if err != nil {
			e := function.AsError(err)
			return e.Kind.Status(), functiontest.Message(e.Msg)
		}
		return 200, r.Body
	})
}

func TestHandlerAnswersTheGoldenVectors(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	server := httptest.NewServer(function.Handler(newFunction(t)))
	t.Cleanup(server.Close)
	functiontest.Run(t, functiontest.Post(server.URL+"/score"))
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, source, config, want string }{
		{"all of them by name", digitsModel, "", `{"label":[2],"probabilities":[[`},
		{"one bare", digitsModel, `{"outputs": ["probabilities"]}`, `[[`},
		{"in the order of score.json", digitsModel, `{"outputs": ["probabilities", "label"]}`, `{"probabilities":[[`},
		{"ZipMap", "testdata/digits-zipmap.onnx", "", `{"output_label":[2],"output_probability":[{"0":`},
		{"linear classifier", "testdata/digits-linear.onnx", `{"outputs": ["label"]}`, `[2]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t, function.WithModel(model(t, tt.source, tt.config)))
			r, err := f.Run(t.Context(), function.Request{Body: sample})
			if err != nil || !strings.HasPrefix(string(r.Body), tt.want) || !json.Valid(r.Body) {
				t.Errorf("got %s, %v; want %s", r.Body, err, tt.want)
			}
		})
	}
}

func TestBadConfigIsAnInitError(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"outputs": ["lable"]}`:          `the model has no output "lable" (it has "label" int64[N], "probabilities" float32[N,10])`,
		`{"outputs": ["label", "label"]}`: `"label" is listed twice`,
		`{"outputs": []}`:                 `the list is empty`,
		`{"output": ["label"]}`:           `unknown field "output"`,
		`{"outputs": ["label"]} x`:        `text after the object`,
		`{`:                               `unexpected EOF`,
	} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t, function.WithModel(model(t, digitsModel, config)))
			if err := f.Init(t.Context()); err == nil || !strings.Contains(function.Reason(err).Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestConcurrentRequestsDoNotMix(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	images, labels := heldOut(t)
	h := function.Handler(newFunction(t))
	for w := range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := w; i < len(images); i += 8 {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/score", strings.NewReader(`{"data":[`+images[i]+`]}`)))
				if got := rec.Body.String(); got != "["+labels[i].predicted+"]" {
					t.Errorf("image %d: got %d %s, want %s", i, rec.Code, got, labels[i].predicted)
				}
			}
		})
	}
}
