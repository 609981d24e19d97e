package onnx_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// bakeTemp bakes a model into a folder of its own and returns the baked file.
func bakeTemp(t *testing.T, path string, o onnx.BakeOptions) (string, *onnx.Baked) {
	t.Helper()
	dir := t.TempDir()
	b, err := onnx.Bake(t.Context(), path, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, b.File), b
}

func answer(t *testing.T, path string, in ...tensor.Value) string {
	t.Helper()
	s, err := onnx.Open(t.Context(), path, onnx.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Infer(t.Context(), in...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBakedModelsAnswerLikeTheirSource(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	digits := filepath.Join("..", "..", "model", "digits", "1", "model.onnx")
	for _, test := range []struct {
		name, path, file string
		in               []tensor.Value
	}{
		{"MLP", onnxtest.MLP(64, 128, 10, 1).Temp(t), "model.ort", []tensor.Value{tensor.Of(make([]float32, 128), 2, 64)}},
		{"convolution", digits, "model.onnx", []tensor.Value{tensor.Of(make([]float32, 64), 1, 64)}},
		{"weights elsewhere", onnxtest.External().Temp(t), "model.ort", []tensor.Value{tensor.Of([]float32{1, 2, 3})}},
		{"map", onnxtest.ZipMap().Temp(t), "model.ort", []tensor.Value{tensor.Of([]float32{1, 2, 3}, 1, 3)}},
		{"optional input", onnxtest.Scale().Temp(t), "model.ort", []tensor.Value{tensor.Of([]float32{1, 2, 3})}},
		{"scalar", onnxtest.Gather().Temp(t), "model.ort", []tensor.Value{tensor.Scalar(int64(1))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, o := range []onnx.BakeOptions{{}, {InitOverWarm: true}} {
				baked, b := bakeTemp(t, test.path, o)
				if filepath.Base(baked) != test.file || b.Runtime != onnx.LibraryVersion() {
					t.Errorf("made %s with %s", baked, b.Runtime)
				}
				if err := onnx.Near(answer(t, baked, test.in...), answer(t, test.path, test.in...)); err != nil {
					t.Errorf("%+v: %v", o, err)
				}
			}
		})
	}
}

func TestBakedModelKeepsSignatureAndMetadata(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	m := onnxtest.MLP(4, 8, 3, 1)
	m.Producer, m.Metadata = "trainer", [][2]string{{"labels", "a,b"}}
	source := m.Temp(t)
	baked, _ := bakeTemp(t, source, onnx.BakeOptions{})
	want, err := onnx.Open(t.Context(), source, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	got, err := onnx.Open(t.Context(), baked, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	a, b := toJSON(t, got.Inputs(), got.Outputs(), got.Metadata()), toJSON(t, want.Inputs(), want.Outputs(), want.Metadata())
	if a != b {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func toJSON(t *testing.T, v ...any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// edit changes the sidecar of a baked model.
func edit(t *testing.T, baked string, change func(map[string]any)) {
	t.Helper()
	name := strings.TrimSuffix(baked, filepath.Ext(baked)) + ".bake.json"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if err := os.WriteFile(name, []byte(toJSON(t, m)[1:len(toJSON(t, m))-1]), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBakedModelThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	source := onnxtest.MLP(4, 8, 3, 1).Temp(t)
	output := func(m map[string]any) map[string]any {
		return m["golden"].(map[string]any)["outputs"].([]any)[0].(map[string]any)
	}
	for _, test := range []struct {
		name, want string
		change     func(sidecar map[string]any)
	}{
		{"another answer", `output "y" has the value`, func(m map[string]any) { output(m)["value"] = [][]float64{{1, 2, 3}} }},
		{"another shape", `output "y" is float32[1,3], expected float32[3]`, func(m map[string]any) { output(m)["type"] = "float32[3]" }},
		{"another signature", `"z"`, func(m map[string]any) { m["inputs"].([]any)[0].(map[string]any)["Name"] = "z" }},
		{"an older library", "it was baked by ONNX Runtime 9.0.0, this one is", func(m map[string]any) { m["onnxruntime"] = "9.0.0" }},
		{"another size", "bytes, expected 100", func(m map[string]any) { m["size"] = 100 }},
		{"weights that are not there", "w.data is not there", func(m map[string]any) { m["weights"] = "w.data" }},
		{"an input without end", "cannot be made up of the shape [1099511627776 4]", func(m map[string]any) {
			m["golden"].(map[string]any)["shapes"] = [][]int64{{1 << 40, 4}}
		}},
		{"an input of a shape that is none", "cannot be made up of the shape [-1 4]", func(m map[string]any) {
			m["golden"].(map[string]any)["shapes"] = [][]int64{{-1, 4}}
		}},
		{"a golden input of another rank", "expected", func(m map[string]any) {
			m["golden"].(map[string]any)["shapes"] = [][]int64{{4}}
		}},
		{"weights elsewhere", "not beside it", func(m map[string]any) { m["weights"] = "../w.data" }},
		{"a source elsewhere", "not beside it", func(m map[string]any) {
			m["source"] = map[string]any{"file": "../model.onnx", "kept": true}
		}},
		{"golden values that are cut", "bake the model again", func(m map[string]any) { m["golden"] = "cut" }},
		{"another version of the sidecar", "bake the model again", func(m map[string]any) { m["bake"] = 2 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			baked, _ := bakeTemp(t, source, onnx.BakeOptions{})
			edit(t, baked, test.change)
			s, err := onnx.Open(t.Context(), baked, onnx.Options{})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// ONNX Runtime crashes on some of these.
func TestBakedModelThatIsDamagedIsRefused(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	baked, _ := bakeTemp(t, onnxtest.MLP(4, 8, 3, 1).Temp(t), onnx.BakeOptions{})
	whole, err := os.ReadFile(baked)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 16 {
		damaged := bytes.Clone(whole)
		clear(damaged[at:min(at+16, len(damaged))])
		if bytes.Equal(damaged, whole) {
			continue
		}
		if err := os.WriteFile(baked, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := onnx.Open(t.Context(), baked, onnx.Options{})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "model.ort is damaged") {
			t.Errorf("16 bytes at %d: got %v", at, err)
		}
	}
}

func TestBakedModelTellsItsSource(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	path := onnxtest.External().Temp(t)
	_, b := bakeTemp(t, path, onnx.BakeOptions{})
	if len(b.Source.Weights) != 1 {
		t.Fatalf("got %+v", b.Source)
	}
	bytes := int64(0)
	for _, f := range []onnx.SourceFile{b.Source.SourceFile, b.Source.Weights[0]} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.File))
		if err != nil {
			t.Fatal(err)
		}
		bytes += int64(len(text))
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); f.SHA256 != sum || f.Size != int64(len(text)) {
			t.Errorf("%s: got %d bytes, %s, want %d, %s", f.File, f.Size, f.SHA256, len(text), sum)
		}
	}
	if b.Source.Bytes() != bytes {
		t.Errorf("got %d bytes, want %d", b.Source.Bytes(), bytes)
	}
}

// It changes the default logger, so that it runs alone.
func TestBakedModelFallsBackToItsSource(t *testing.T) {
	onnxtest.Library(t)
	source := onnxtest.MLP(4, 8, 3, 1).Temp(t)
	baked, _ := bakeTemp(t, source, onnx.BakeOptions{KeepSource: true})
	edit(t, baked, func(m map[string]any) { m["onnxruntime"] = "9.0.0" })
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	in := tensor.Of([]float32{1, 2, 3, 4}, 1, 4)
	if got, want := answer(t, baked, in), answer(t, source, in); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(log.String(), "the baked model is not used") || !strings.Contains(log.String(), "9.0.0") {
		t.Errorf("the log says %q", log.String())
	}
}

func TestBakeRefuses(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	baked, _ := bakeTemp(t, onnxtest.MLP(4, 8, 3, 1).Temp(t), onnx.BakeOptions{})
	random := onnxtest.Model{Graph: onnxtest.Graph{
		Inputs: []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Float32, 3))}, Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.T(tensor.Float32, 3))},
		Nodes: []onnxtest.Node{{Op: "RandomNormalLike", Inputs: []string{"x"}, Outputs: []string{"y"}}},
	}}
	for _, test := range []struct{ name, path, want string }{
		{"a baked model", baked, "in ONNX Runtime's own format already"},
		{"a model that rolls dice", random.Temp(t), `the model answers the same inputs differently each time`},
		{"a model that takes a sequence", onnxtest.Identity(onnxtest.Seq(onnxtest.T(tensor.Float32, 2))).Temp(t), "only tensors can be made up"},
		{"no model", filepath.Join(t.TempDir(), "x.onnx"), "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := onnx.Bake(context.Background(), test.path, t.TempDir(), onnx.BakeOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("when it is interrupted", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("enough"))
		_, err := onnx.Bake(ctx, onnxtest.MLP(4, 8, 3, 1).Temp(t), t.TempDir(), onnx.BakeOptions{})
		if err == nil || !strings.HasSuffix(err.Error(), `model.onnx": enough`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a source that needs files beside it", func(t *testing.T) {
		t.Parallel()
		_, err := onnx.Bake(context.Background(), onnxtest.External().Temp(t), t.TempDir(), onnx.BakeOptions{KeepSource: true})
		if err == nil || !strings.Contains(err.Error(), "cannot be kept") {
			t.Errorf("got %v", err)
		}
	})
}
