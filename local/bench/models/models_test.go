package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

// The builders with fewer and thinner layers: the same nodes, in milliseconds.
func miniatures() []made {
	s := shape{vocabulary: 50, positions: 16, width: 24, layers: 1, heads: 3}
	return []made{
		{"conv", func() onnxtest.Model { return residual(4, [4]int{1, 1, 1, 1}, 32) }, func() any { return image(32) }},
		{"transformer", func() onnxtest.Model { return encoder(s) }, func() any { return tokens(7, 50) }},
	}
}

func TestModelsAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	for _, m := range miniatures() {
		first, second := m.model().Bytes(), m.model().Bytes()
		if !bytes.Equal(first, second) {
			t.Errorf("%s: %x and %x", m.name, sha256.Sum256(first), sha256.Sum256(second))
		}
	}
}

func TestModelsScoreTheirSamples(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	for _, m := range miniatures() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := write(m, dir); err != nil {
				t.Fatal(err)
			}
			f := function.New(score.Init, function.WithModel(modeldir.Model{Name: m.name, Dir: dir, File: filepath.Join(dir, "model.onnx")}))
			t.Cleanup(func() { _ = f.Close() })
			body, err := os.ReadFile(filepath.Join(dir, "sample.json"))
			if err != nil {
				t.Fatal(err)
			}
			a, err := f.Run(t.Context(), function.Request{Body: body})
			if err != nil {
				t.Fatal(err)
			}
			var answer [][]float64
			if err := json.Unmarshal(a.Body, &answer); err != nil || len(answer) != 1 {
				t.Fatalf("%v: %.200s", err, a.Body)
			}
			low, high := slices.Min(answer[0]), slices.Max(answer[0])
			if low == high || math.Max(-low, high) > 1e3 {
				t.Errorf("answers from %g to %g: weights of a sensible size give others", low, high)
			}
		})
	}
}

func TestModelsSizes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds 200 MB of weights")
	}
	for _, m := range all() {
		var weights int
		for _, w := range m.model().Initializers {
			weights += len(w.Data)
		}
		low, high := 89_000_000, 105_000_000
		if strings.HasSuffix(m.name, "-10mb") {
			low, high = 9_500_000, 11_500_000
		}
		if weights < low || weights > high {
			t.Errorf("%s has %d bytes of weights, want %d to %d", m.name, weights, low, high)
		}
	}
}

func TestUnknownModel(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{t.TempDir(), "resnet"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `no model "resnet"`) {
		t.Errorf("got %v", err)
	}
	if err := run(t.Context(), nil, io.Discard); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("got %v", err)
	}
}
