package onnxtest

import (
	"math/rand/v2"

	"github.com/scorefn/scorefn/function/tensor"
)

// one is a graph of one node.
func one(n Node, in, out []tensor.Spec) Graph {
	for _, s := range in {
		n.Inputs = append(n.Inputs, s.Name)
	}
	for _, s := range out {
		n.Outputs = append(n.Outputs, s.Name)
	}
	return Graph{Inputs: in, Outputs: out, Nodes: []Node{n}}
}

// Identity answers what it is fed: x to y, both of type t.
func Identity(t tensor.Type) Model {
	return Named(t, "x", "y")
}

// Named is Identity with names of one's own.
func Named(t tensor.Type, in, out string) Model {
	return Model{Opset: 21, IR: 10, Graph: one(Node{Op: "Identity"}, []tensor.Spec{In(in, t)}, []tensor.Spec{In(out, t)})}
}

// Cast turns x of one element type into y of another, of any shape.
func Cast(from, to tensor.DType) Model {
	return Model{Opset: 21, IR: 10, Graph: one(Node{Op: "Cast", Attrs: []Attr{Int("to", int64(to))}},
		[]tensor.Spec{In("x", AnyRank(from))}, []tensor.Spec{In("y", AnyRank(to))})}
}

// Affine is y = x·W + b with x float32[N,in] and y float32[N,out]; every weight is 1, every element of b is 2.
func Affine(in, out int) Model {
	w, b := make([]float32, in*out), make([]float32, out)
	for i := range w {
		w[i] = 1
	}
	for i := range b {
		b[i] = 2
	}
	return Model{Producer: "onnxtest", Graph: Graph{
		Inputs:  []tensor.Spec{In("x", T(tensor.Float32, "N", in))},
		Outputs: []tensor.Spec{In("y", T(tensor.Float32, "N", out))},
		Nodes: []Node{
			{Op: "MatMul", Inputs: []string{"x", "W"}, Outputs: []string{"xW"}},
			{Op: "Add", Inputs: []string{"xW", "b"}, Outputs: []string{"y"}},
		},
		Initializers: []Initializer{Init("W", tensor.Of(w, int64(in), int64(out))), Init("b", tensor.Of(b))},
	}}
}

// MLP is a perceptron with one hidden layer, x float32[N,in] to y float32[N,out]. Equal seeds give equal weights.
func MLP(in, hidden, out int, seed uint64) Model {
	rng := rand.New(rand.NewPCG(seed, 0))
	weights := func(n int) []float32 {
		w := make([]float32, n)
		for i := range w {
			w[i] = rng.Float32() - 0.5
		}
		return w
	}
	return Model{Graph: Graph{
		Inputs:  []tensor.Spec{In("x", T(tensor.Float32, "N", in))},
		Outputs: []tensor.Spec{In("y", T(tensor.Float32, "N", out))},
		Nodes: []Node{
			{Op: "Gemm", Inputs: []string{"x", "W1", "b1"}, Outputs: []string{"h"}},
			{Op: "Relu", Inputs: []string{"h"}, Outputs: []string{"r"}},
			{Op: "Gemm", Inputs: []string{"r", "W2", "b2"}, Outputs: []string{"y"}},
		},
		Initializers: []Initializer{
			Init("W1", tensor.Of(weights(in*hidden), int64(in), int64(hidden))), Init("b1", tensor.Of(weights(hidden))),
			Init("W2", tensor.Of(weights(hidden*out), int64(hidden), int64(out))), Init("b2", tensor.Of(weights(out))),
		},
	}}
}

// Constant has no inputs: y is v.
func Constant(v tensor.Value) Model {
	return Model{Graph: one(Node{Op: "Constant", Attrs: []Attr{Const("value", v)}}, nil,
		[]tensor.Spec{In("y", AnyRank(v.DType))})}
}

// ZipMap turns x float32[N,3] into y, a sequence of maps from the keys 10, 20, 30: what exporters of classifiers write.
func ZipMap() Model {
	return Model{Domains: map[string]int64{"ai.onnx.ml": 3}, Graph: one(
		Node{Op: "ZipMap", Domain: "ai.onnx.ml", Attrs: []Attr{Ints("classlabels_int64s", 10, 20, 30)}},
		[]tensor.Spec{In("x", T(tensor.Float32, "N", 3))},
		[]tensor.Spec{In("y", Seq(Map(tensor.Int64, AnyRank(tensor.Float32))))})}
}

// Vectorize takes a map from strings to numbers, x, and answers the numbers of "a", "b", "c" as y float32[1,3].
func Vectorize() Model {
	return Model{Domains: map[string]int64{"ai.onnx.ml": 3}, Graph: one(
		Node{Op: "DictVectorizer", Domain: "ai.onnx.ml", Attrs: []Attr{Texts("string_vocabulary", "a", "b", "c")}},
		[]tensor.Spec{In("x", Map(tensor.String, AnyRank(tensor.Float32)))},
		[]tensor.Spec{In("y", T(tensor.Float32, 1, 3))})}
}

// Pair makes the sequence [a, b] of two tensors of any shape.
func Pair(d tensor.DType) Model {
	return Model{Graph: one(Node{Op: "SequenceConstruct"},
		[]tensor.Spec{In("a", AnyRank(d)), In("b", AnyRank(d))}, []tensor.Spec{In("y", Seq(AnyRank(d)))})}
}

// NoSequence answers an empty sequence of float32 tensors.
func NoSequence() Model {
	return Model{Graph: one(Node{Op: "SequenceEmpty", Attrs: []Attr{Int("dtype", int64(tensor.Float32))}}, nil,
		[]tensor.Spec{In("y", Seq(AnyRank(tensor.Float32)))})}
}

// Absent answers y, an optional without a value, and z, an optional that holds x.
func Absent() Model {
	t := T(tensor.Float32, "N")
	return Model{Opset: 18, Graph: Graph{
		Inputs:  []tensor.Spec{In("x", t)},
		Outputs: []tensor.Spec{In("y", Opt(t)), In("z", Opt(t))},
		Nodes: []Node{
			{Op: "Optional", Outputs: []string{"y"}, Attrs: []Attr{TypeOf("type", t)}},
			{Op: "Optional", Inputs: []string{"x"}, Outputs: []string{"z"}},
		},
	}}
}

// FromOptional takes an optional x and answers its value as y.
func FromOptional(t tensor.Type) Model {
	return Model{Opset: 18, Graph: one(Node{Op: "OptionalGetElement"},
		[]tensor.Spec{In("x", Opt(t))}, []tensor.Spec{In("y", t)})}
}

// Scale is y = x·factor, where factor is an input whose default is 10.
func Scale() Model {
	t := T(tensor.Float32, "N")
	return Model{Graph: Graph{
		Inputs:       []tensor.Spec{In("factor", T(tensor.Float32, 1)), In("x", t)},
		Outputs:      []tensor.Spec{In("y", t)},
		Nodes:        []Node{{Op: "Mul", Inputs: []string{"x", "factor"}, Outputs: []string{"y"}}},
		Initializers: []Initializer{Init("factor", tensor.Of([]float32{10}))},
	}}
}

// External is y = x + w, where w = [1 2 3] lies in the file weights.bin beside the model.
func External() Model {
	t := T(tensor.Float32, 3)
	w := Init("w", tensor.Of([]float32{1, 2, 3}))
	w.File = "weights.bin"
	return Model{Graph: Graph{
		Inputs: []tensor.Spec{In("x", t)}, Outputs: []tensor.Spec{In("y", t)},
		Nodes:        []Node{{Op: "Add", Inputs: []string{"x", "w"}, Outputs: []string{"y"}}},
		Initializers: []Initializer{w},
	}}
}

// Gather is y = table[i], of 3 numbers: an index outside them fails in the run.
func Gather() Model {
	return Model{Graph: Graph{
		Inputs: []tensor.Spec{In("i", T(tensor.Int64))}, Outputs: []tensor.Spec{In("y", AnyRank(tensor.Float32))},
		Nodes:        []Node{{Op: "Gather", Inputs: []string{"table", "i"}, Outputs: []string{"y"}}},
		Initializers: []Initializer{Init("table", tensor.Of([]float32{5, 6, 7}))},
	}}
}

// Sum adds n inputs x0, x1, … of type float32[N].
func Sum(n int) Model {
	var in []tensor.Spec
	for i := range n {
		in = append(in, In("x"+string(rune('0'+i/10))+string(rune('0'+i%10)), T(tensor.Float32, "N")))
	}
	return Model{Graph: one(Node{Op: "Sum"}, in, []tensor.Spec{In("y", T(tensor.Float32, "N"))})}
}

// Long multiplies x float32[size,size] by a constant matrix for as many turns as the input turns, an int64, says: a run
// of any length that can be stopped between two turns. The answer is y.
func Long(size int) Model {
	t := T(tensor.Float32, size, size)
	w := make([]float32, size*size)
	for i := range size {
		w[i*size+i] = 1
	}
	return Model{Graph: Graph{
		Inputs:  []tensor.Spec{In("turns", T(tensor.Int64)), In("x", t)},
		Outputs: []tensor.Spec{In("y", t)},
		Nodes: []Node{{Op: "Loop", Inputs: []string{"turns", "", "x"}, Outputs: []string{"y"}, Attrs: []Attr{Body("body", Graph{
			Inputs:  []tensor.Spec{In("turn", T(tensor.Int64)), In("go", T(tensor.Bool)), In("a", t)},
			Outputs: []tensor.Spec{In("on", T(tensor.Bool)), In("b", t)},
			Nodes: []Node{
				{Op: "Identity", Inputs: []string{"go"}, Outputs: []string{"on"}},
				{Op: "MatMul", Inputs: []string{"a", "W"}, Outputs: []string{"b"}},
			},
		})}}},
		Initializers: []Initializer{Init("W", tensor.Of(w, int64(size), int64(size)))},
	}}
}
