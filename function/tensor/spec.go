package tensor

import (
	"strconv"
	"strings"
)

// Kind tells what sort of ONNX value a [Value] or a [Type] is.
type Kind uint8

// The kinds of ONNX values. The zero Kind is a tensor.
const (
	KindTensor   Kind = iota
	KindSequence      // a list of values of one type
	KindMap           // a tensor of keys beside a tensor of values of the same length (ai.onnx.ml.ZipMap)
	KindOptional      // only in a Type: the value itself is what it holds, or KindNone
	KindNone          // only in a Value: an absent optional, or an input that was left out
	KindSparse        // only in a Type: not supported by the runtime's CPU provider
	KindOpaque        // only in a Type: not supported
)

// Type is the declared type of a model's input or output, a TypeProto of onnx.proto.
type Type struct {
	Kind    Kind
	DType   DType    // of a tensor: its elements; of a map: its keys
	Ranked  bool     // of a tensor: false when the model leaves the rank open, which is not the same as rank 0
	Shape   []int64  // of a tensor: its dimensions, -1 where the size is free
	Symbols []string // of a tensor: the names of the free dimensions ("N"), "" where there is none; as long as Shape
	Elem    *Type    // of a sequence or optional: what it holds; of a map: its values
}

// String is float32[N,3,224,224] (? for a free dimension without a name), float32[...] for an open rank,
// seq(map(int64,float32[...])), optional(int64[]).
func (t Type) String() string {
	elem := "?"
	if t.Elem != nil {
		elem = t.Elem.String()
	}
	switch t.Kind {
	case KindTensor:
		return t.DType.String() + "[" + t.dims() + "]"
	case KindSparse:
		return "sparse(" + t.DType.String() + "[" + t.dims() + "])"
	case KindSequence:
		return "seq(" + elem + ")"
	case KindOptional:
		return "optional(" + elem + ")"
	case KindMap:
		return "map(" + t.DType.String() + "," + elem + ")"
	case KindNone:
		return "none"
	case KindOpaque:
		return "opaque"
	}
	return "unknown"
}

func (t Type) dims() string {
	if !t.Ranked {
		return "..."
	}
	var b strings.Builder
	for i, d := range t.Shape {
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case d >= 0:
			b.WriteString(strconv.FormatInt(d, 10))
		case i < len(t.Symbols) && t.Symbols[i] != "":
			b.WriteString(t.Symbols[i])
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// Spec is one input or output of a model.
type Spec struct {
	Name string // any text, "input:0" and "a/b" among it
	Type
	Optional bool // an input that may be left out: the model holds a default for it (an overridable initializer)
}
