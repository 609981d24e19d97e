package main

import (
	"math"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// shape is the size of an encoder.
type shape struct{ vocabulary, positions, width, layers, heads int }

var (
	small     = shape{4000, 128, 256, 2, 4}
	miniature = shape{30522, 512, 384, 6, 12} // that of the MiniLM sentence encoders with six layers
)

// encoder makes a vector of a text, int64[N,S] to embedding[N,width]: a transformer's encoder as BERT has it (J. Devlin and
// others, 2018), the mean over the words at its end.
func encoder(s shape) onnxtest.Model {
	g := newGraph(22)
	g.Inputs = []tensor.Spec{onnxtest.In("tokens", onnxtest.T(tensor.Int64, "N", "S"))}
	width := int64(s.width)
	words := g.op("Gather", []string{g.weight(1, int64(s.vocabulary), width), "tokens"})
	axis := g.constant(tensor.Of([]int64{0}))
	one := g.constant(tensor.Of([]int64{1}))
	length := g.op("Slice", []string{g.op("Shape", []string{"tokens"}), one, g.constant(tensor.Of([]int64{2})), axis})
	places := g.op("Slice", []string{g.weight(1, int64(s.positions), width), axis, length, axis})
	x := g.norm(g.op("Add", []string{words, places}), s.width)
	for range s.layers {
		x = g.norm(g.op("Add", []string{x, g.attention(x, s)}), s.width)
		x = g.norm(g.op("Add", []string{x, g.dense(g.gelu(g.dense(x, s.width, 4*s.width)), 4*s.width, s.width)}), s.width)
	}
	g.op("ReduceMean", []string{x}, onnxtest.Ints("axes", 1), onnxtest.Int("keepdims", 0))
	return g.output("embedding", onnxtest.T(tensor.Float32, "N", s.width))
}

func (g *graph) dense(x string, in, out int) string {
	y := g.op("MatMul", []string{x, g.weight(in, int64(in), int64(out))})
	return g.op("Add", []string{y, g.filled(out, 0.01)})
}

func (g *graph) norm(x string, width int) string {
	return g.op("LayerNormalization", []string{x, g.filled(width, 1), g.filled(width, 0)},
		onnxtest.Int("axis", -1), onnxtest.Float("epsilon", 1e-12))
}

// gelu is x/2 * (1 + erf(x/sqrt 2)), as exporters write it.
func (g *graph) gelu(x string) string {
	e := g.op("Erf", []string{g.op("Div", []string{x, g.constant(tensor.Scalar(float32(math.Sqrt2)))})})
	y := g.op("Mul", []string{x, g.op("Add", []string{e, g.constant(tensor.Scalar(float32(1)))})})
	return g.op("Mul", []string{y, g.constant(tensor.Scalar(float32(0.5)))})
}

func (g *graph) attention(x string, s shape) string {
	heads := g.constant(tensor.Of([]int64{0, 0, int64(s.heads), int64(s.width / s.heads)}))
	split := func(perm ...int64) string {
		return g.op("Transpose", []string{g.op("Reshape", []string{g.dense(x, s.width, s.width), heads})}, onnxtest.Ints("perm", perm...))
	}
	q, k, v := split(0, 2, 1, 3), split(0, 2, 3, 1), split(0, 2, 1, 3)
	scale := g.constant(tensor.Scalar(float32(1 / math.Sqrt(float64(s.width/s.heads)))))
	scores := g.op("Softmax", []string{g.op("Mul", []string{g.op("MatMul", []string{q, k}), scale})}, onnxtest.Int("axis", -1))
	y := g.op("Transpose", []string{g.op("MatMul", []string{scores, v})}, onnxtest.Ints("perm", 0, 2, 1, 3))
	y = g.op("Reshape", []string{y, g.constant(tensor.Of([]int64{0, 0, int64(s.width)}))})
	return g.dense(y, s.width, s.width)
}
