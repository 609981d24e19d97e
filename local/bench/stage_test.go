package bench

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/tensor"
)

const (
	root      = "../.."
	modelDir  = root + "/model/digits/1"
	modelFile = modelDir + "/model.onnx"
)

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// sampleBody is a request to the digits model, and the value of its "data".
func sampleBody(tb testing.TB) (body []byte, data json.RawMessage) {
	tb.Helper()
	body, err := os.ReadFile(modelDir + "/sample.json")
	must(tb, err)
	var fields struct{ Data json.RawMessage }
	must(tb, json.Unmarshal(body, &fields))
	return body, fields.Data
}

// BenchmarkStage is what a request to the digits model is made of, and the start of a process. "make bench-compare" compares
// it with baseline.txt.
func BenchmarkStage(b *testing.B) {
	onnxtest.Library(b)
	body, data := sampleBody(b)
	session, err := onnx.Open(b.Context(), modelFile, onnx.Options{Threads: 1})
	must(b, err)
	defer session.Close()
	decoder := tensor.NewDecoder(session.Inputs(), tensor.DecodeOptions{})
	in, out := tensor.GetBatch(), tensor.GetBatch()
	f := function.New(score.Init, function.WithLogger(slog.New(slog.DiscardHandler)),
		function.WithModel(modeldir.Model{Name: "digits", Dir: modelDir, File: modelFile}))
	defer f.Close()
	stage := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(b, do())
			}
		})
	}
	stage("decode", func() error { return decoder.JSON(data, in) })
	stage("run", func() error { return session.InferBatch(b.Context(), in.Values, out) })
	var text []byte
	stage("encode", func() error { // label and probabilities
		text = text[:0]
		for _, v := range out.Values {
			var err error
			if text, err = v.AppendJSON(text, tensor.EncodeOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	stage("request", func() error {
		_, err := f.Run(b.Context(), function.Request{Body: body})
		return err
	})
	server := httptest.NewServer(function.Handler(f))
	defer server.Close()
	c := newClient(server.Listener.Addr().String(), "/score", body)
	defer c.close()
	stage("http", func() error {
		_, err := c.do(b.Context())
		return err
	})
}

// BenchmarkColdStart is the time from the start of a process to its first answer.
func BenchmarkColdStart(b *testing.B) {
	onnxtest.Library(b)
	abs, err := filepath.Abs(root)
	must(b, err)
	run := &bench{Config: Config{Root: abs, Dir: b.TempDir(), Library: onnx.LibraryPath()}}
	run.programs, err = build(b.Context(), abs, run.Dir, b.Logf, "limit", "core", "scorefn", "bootstrap")
	must(b, err)
	s, err := newSubject(b.Context(), filepath.Join(abs, "model"), run.Dir, run.Library, 0, 1)
	must(b, err)
	names := map[string]string{
		limitName: "limit", "core in Go": "core", "scorefn invoke": "invoke", "scorefn serve": "serve", "lambda bootstrap": "lambda",
	}
	for _, e := range run.entrants(s) {
		name := names[e.name]
		if name == "" {
			continue
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := run.cold(b.Context(), e)
				must(b, err)
			}
		})
	}
}
