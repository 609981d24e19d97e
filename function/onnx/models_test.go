package onnx_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// benchModel is a model file with the shape of its one float32 input.
type benchModel struct {
	name, path string
	shape      []int64
}

// benchModels is a tiny perceptron, a larger one, and the bundled model where it is there.
func benchModels(tb testing.TB) []benchModel {
	tb.Helper()
	onnxtest.Library(tb)
	all := []benchModel{
		{"tiny", onnxtest.MLP(4, 8, 3, 1).Temp(tb), []int64{1, 4}},
		{"mlp", onnxtest.MLP(256, 1024, 10, 1).Temp(tb), []int64{1, 256}},
	}
	digits := filepath.Join("..", "..", "model", "digits", "1", "model.onnx")
	if _, err := os.Stat(digits); err == nil {
		all = append(all, benchModel{"digits", digits, []int64{1, 64}})
	}
	return all
}

func (m benchModel) open(tb testing.TB) (*onnx.Session, []tensor.Value, *tensor.Batch) {
	tb.Helper()
	s, err := onnx.Open(context.Background(), m.path, onnx.Options{Threads: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	n, _ := tensor.Elements(m.shape)
	return s, []tensor.Value{tensor.Of(make([]float32, n), m.shape...)}, new(tensor.Batch)
}

// TestBundledModel scores the model that comes with the repository, if it is there.
func TestBundledModel(t *testing.T) {
	t.Parallel()
	models := benchModels(t)
	m := models[len(models)-1]
	if m.name != "digits" {
		t.Skip("no bundled model")
	}
	s, in, out := m.open(t)
	if err := s.InferBatch(context.Background(), in, out); err != nil {
		t.Fatal(err)
	}
	if got := out.Values[1]; len(s.Outputs()) != 2 || len(got.Shape) != 2 || got.Shape[1] != 10 {
		t.Errorf("outputs %v, shape %v", s.Outputs(), got.Shape)
	}
}
