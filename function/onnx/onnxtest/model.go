// Package onnxtest builds small ONNX models in code, so that tests need no opaque files: a test shows the graph that it
// runs. It writes the protobuf messages of onnx.proto by hand, as far as tests need them. It is test support and no part
// of any program.
package onnxtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/scorefn/scorefn/function/tensor"
)

// Model is a ModelProto. The zero IR, Opset and file name work.
type Model struct {
	IR        int64            // ir_version; 0 is 8
	Opset     int64            // of the domain ai.onnx; 0 is 17
	Domains   map[string]int64 // further opsets: {"ai.onnx.ml": 3}
	Producer  string
	Metadata  [][2]string // metadata_props
	Functions []Function
	Graph
}

// Graph is a GraphProto: the model's own, or the body of an If, Loop or Scan.
type Graph struct {
	Inputs, Outputs []tensor.Spec
	Nodes           []Node
	Initializers    []Initializer
}

// Node is one call of an operator. An empty name among Inputs is an optional input that is left out.
type Node struct {
	Op, Domain      string
	Inputs, Outputs []string
	Attrs           []Attr
}

// Function is a model-local function: an operator of the model's own.
type Function struct {
	Domain, Name    string
	Inputs, Outputs []string
	Nodes           []Node
}

// Initializer is a constant. One whose name is also an input is that input's default.
type Initializer struct {
	Name string
	tensor.Tensor
	File string // not "": Data goes to this file beside the model
}

// Init is an initializer of a tensor value.
func Init(name string, v tensor.Value) Initializer {
	return Initializer{Name: name, Tensor: v.Tensor}
}

// In is an input or output of a type.
func In(name string, t tensor.Type) tensor.Spec { return tensor.Spec{Name: name, Type: t} }

// T is a tensor type: each dimension is an int, or a string that names a free one, "" without a name. No dimension is
// rank 0. It panics on anything else.
func T(d tensor.DType, dims ...any) tensor.Type {
	t := tensor.Type{DType: d, Ranked: true}
	for _, dim := range dims {
		n, symbol := int64(-1), ""
		switch x := dim.(type) {
		case int:
			n = int64(x)
		case string:
			symbol = x
		default:
			panic("onnxtest: a dimension is an int or a string")
		}
		t.Shape, t.Symbols = append(t.Shape, n), append(t.Symbols, symbol)
	}
	return t
}

// AnyRank is a tensor type of open rank.
func AnyRank(d tensor.DType) tensor.Type { return tensor.Type{DType: d} }

// Seq is a sequence of elem.
func Seq(elem tensor.Type) tensor.Type { return tensor.Type{Kind: tensor.KindSequence, Elem: &elem} }

// Opt is an optional elem.
func Opt(elem tensor.Type) tensor.Type { return tensor.Type{Kind: tensor.KindOptional, Elem: &elem} }

// Map is a map from key to elem.
func Map(key tensor.DType, elem tensor.Type) tensor.Type {
	return tensor.Type{Kind: tensor.KindMap, DType: key, Elem: &elem}
}

// Write writes model.onnx, and the files of weights that m names, to dir and gives the model's path.
func (m Model) Write(tb testing.TB, dir string) string {
	tb.Helper()
	path := filepath.Join(dir, "model.onnx")
	for _, w := range m.Initializers {
		if w.File != "" {
			write(tb, filepath.Join(dir, w.File), w.Data)
		}
	}
	write(tb, path, m.Bytes())
	return path
}

// Temp is Write to a folder that goes with the test.
func (m Model) Temp(tb testing.TB) string {
	tb.Helper()
	return m.Write(tb, tb.TempDir())
}

func write(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Bytes is the model's file.
func (m Model) Bytes() []byte {
	var b message
	b.number(1, or(m.IR, 8))
	b.text(2, m.Producer)
	b.bytes(7, m.bytes())
	b.bytes(8, opset("", or(m.Opset, 17)))
	for domain, version := range m.Domains {
		b.bytes(8, opset(domain, version))
	}
	for _, kv := range m.Metadata {
		b.bytes(14, entry(kv[0], kv[1]))
	}
	for _, f := range m.Functions {
		b.bytes(25, f.bytes(or(m.Opset, 17)))
	}
	return b
}

func (g Graph) bytes() []byte {
	var b message
	for _, n := range g.Nodes {
		b.bytes(1, n.bytes())
	}
	b.text(2, "graph")
	for _, w := range g.Initializers {
		b.bytes(5, w.bytes())
	}
	for _, s := range g.Inputs {
		b.bytes(11, specBytes(s))
	}
	for _, s := range g.Outputs {
		b.bytes(12, specBytes(s))
	}
	return b
}

func (n Node) bytes() []byte {
	var b message
	for _, in := range n.Inputs {
		b.bytes(1, []byte(in)) // "" counts: it holds a place
	}
	for _, out := range n.Outputs {
		b.bytes(2, []byte(out))
	}
	b.text(4, n.Op)
	for _, a := range n.Attrs {
		b.bytes(5, a)
	}
	b.text(7, n.Domain)
	return b
}

func (f Function) bytes(version int64) []byte {
	var b message
	b.text(1, f.Name)
	for _, in := range f.Inputs {
		b.text(4, in)
	}
	for _, out := range f.Outputs {
		b.text(5, out)
	}
	for _, n := range f.Nodes {
		b.bytes(7, n.bytes())
	}
	b.bytes(9, opset("", version))
	b.text(10, f.Domain)
	return b
}

func (w Initializer) bytes() []byte {
	var b message
	for _, d := range w.Shape {
		b.number(1, d)
	}
	b.number(2, int64(w.DType))
	for _, s := range w.Strings {
		b.bytes(6, []byte(s))
	}
	b.text(8, w.Name)
	switch {
	case w.File != "":
		b.bytes(13, entry("location", w.File))
		b.number(14, 1) // EXTERNAL
	case w.DType != tensor.String:
		b.bytes(9, w.Data)
	}
	return b
}
