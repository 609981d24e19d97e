package main

import (
	"bytes"
	"slices"
	"testing"

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
