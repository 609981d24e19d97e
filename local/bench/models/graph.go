package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// graph builds a model: every method adds nodes and gives the name of what they compute.
type graph struct {
	onnxtest.Model

	rng *rand.Rand
}

func newGraph(seed uint64) *graph { return &graph{rng: rand.New(rand.NewPCG(seed, 0))} }

func (g *graph) name(what string) string {
	return fmt.Sprintf("%s_%d", what, len(g.Nodes)+len(g.Initializers))
}

func (g *graph) op(op string, inputs []string, attrs ...onnxtest.Attr) string {
	out := g.name(op)
	g.Nodes = append(g.Nodes, onnxtest.Node{Op: op, Inputs: inputs, Outputs: []string{out}, Attrs: attrs})
	return out
}

// weight is a constant of small random numbers, scaled so that sums over so many inputs stay near 1.
func (g *graph) weight(inputs int, shape ...int64) string {
	n, _ := tensor.Elements(shape)
	w := make([]float32, n)
	scale := float32(2 * math.Sqrt(3/float64(inputs))) // of a uniform distribution of variance 1/inputs
	for i := range w {
		w[i] = (g.rng.Float32() - 0.5) * scale
	}
	return g.constant(tensor.Of(w, shape...))
}

func (g *graph) constant(v tensor.Value) string {
	name := g.name("w")
	g.Initializers = append(g.Initializers, onnxtest.Init(name, v))
	return name
}

// filled is a constant vector of one value.
func (g *graph) filled(n int, v float32) string {
	w := make([]float32, n)
	for i := range w {
		w[i] = v
	}
	return g.constant(tensor.Of(w))
}

// output makes the last result an output of that name.
func (g *graph) output(name string, t tensor.Type) onnxtest.Model {
	last := &g.Nodes[len(g.Nodes)-1]
	last.Outputs[0] = name
	g.Outputs = []tensor.Spec{onnxtest.In(name, t)}
	return g.Model
}
