package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/local/pack"
)

func TestPackageBakesTheModel(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	var files pack.Files
	var log bytes.Buffer
	p := &packaging{bake: true, tmp: t.TempDir()}
	if err := p.addModel(t.Context(), &call{streams: streams{err: &log}}, &files); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	want := []string{
		"model/digits/1/model.bake.json", "model/digits/1/model.onnx", "model/digits/1/model.onnx.data",
		"model/digits/1/sample.json", "model/digits/1/score.json",
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
}

// A folder may hold what another bake has left, under the names that this one writes.
func TestBakeKeepsItsOwnFiles(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	dir := t.TempDir()
	onnxtest.MLP(4, 8, 3, 1).Write(t, dir)
	for _, name := range []string{"model.bake.json", "model.onnx.source", "model.ort", "old.onnx", "labels.txt"} {
		text := []byte("{}") // a sidecar of another file, too
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, s := bakeAndOpen(t, dir, "model.ort")
	if !s.Warmed() { // as a baked model is when it was opened
		t.Error("the sidecar is another one's")
	}
	if names := namesIn(t, out); !slices.Equal(names, []string{"labels.txt", "model.bake.json", "model.ort"}) {
		t.Errorf("got %q", names)
	}
}

// bakeAndOpen bakes the model.onnx in dir into the folder out, and opens the file of that name there.
func bakeAndOpen(t *testing.T, dir, name string) (out string, s *onnx.Session) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "baked")
	m := modeldir.Model{Name: "m", Dir: dir, File: filepath.Join(dir, "model.onnx")}
	if _, err := bakeModel(t.Context(), m, out, onnx.BakeOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := onnx.Open(t.Context(), filepath.Join(out, name), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // its error is always nil
	return out, s
}

// Convolutions leave the weights in a file of their own, whose name may be taken.
func TestBakedWeightsAreNotWrittenOver(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	dir := t.TempDir()
	digits, err := os.ReadFile(filepath.Join("..", "model", "digits", "1", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"model.onnx": digits, "model.onnx.data": []byte("of another model")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bakeAndOpen(t, dir, "model.onnx")
}

// Nothing half-written stays when something fails on the way.
func TestBakeThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	dir, parent := t.TempDir(), t.TempDir()
	onnxtest.MLP(4, 8, 3, 1).Write(t, dir)
	if err := os.Symlink("/nowhere", filepath.Join(dir, "labels.txt")); err != nil {
		t.Fatal(err)
	}
	m := modeldir.Model{Name: "m", Dir: dir, File: filepath.Join(dir, "model.onnx")}
	if _, err := bakeModel(t.Context(), m, filepath.Join(parent, "baked"), onnx.BakeOptions{}); err == nil {
		t.Error("no error")
	}
	if names := namesIn(t, parent); len(names) > 0 {
		t.Errorf("left: %q", names)
	}
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
