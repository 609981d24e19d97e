package onnxtest

import (
	"encoding/binary"
	"math"

	"github.com/scorefn/scorefn/function/tensor"
)

// message is a protobuf message under construction.
type message []byte

func (m *message) tag(num, wire int) { *m = binary.AppendUvarint(*m, uint64(num<<3|wire)) }

func (m *message) number(num int, v int64) {
	m.tag(num, 0)
	*m = binary.AppendUvarint(*m, uint64(v))
}

func (m *message) float(num int, v float32) {
	m.tag(num, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

func (m *message) bytes(num int, b []byte) {
	m.tag(num, 2)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

// text leaves an empty string out.
func (m *message) text(num int, s string) {
	if s != "" {
		m.bytes(num, []byte(s))
	}
}

func or(v, otherwise int64) int64 {
	if v == 0 {
		return otherwise
	}
	return v
}

// opset is an OperatorSetIdProto.
func opset(domain string, version int64) []byte {
	var b message
	b.text(1, domain)
	b.number(2, version)
	return b
}

// entry is a StringStringEntryProto.
func entry(key, value string) []byte {
	var b message
	b.text(1, key)
	b.text(2, value)
	return b
}

// specBytes is a ValueInfoProto.
func specBytes(s tensor.Spec) []byte {
	var b message
	b.text(1, s.Name)
	if s.Kind != tensor.KindOpaque { // stands for "no type given"
		b.bytes(2, typeBytes(s.Type))
	}
	return b
}

// typeBytes is a TypeProto.
func typeBytes(t tensor.Type) []byte {
	var b, in message
	switch t.Kind {
	case tensor.KindSequence:
		in.bytes(1, typeBytes(*t.Elem))
		b.bytes(4, in)
	case tensor.KindMap:
		in.number(1, int64(t.DType))
		in.bytes(2, typeBytes(*t.Elem))
		b.bytes(5, in)
	case tensor.KindOptional:
		in.bytes(1, typeBytes(*t.Elem))
		b.bytes(9, in)
	default:
		in.number(1, int64(t.DType))
		if t.Ranked {
			in.bytes(2, shapeBytes(t))
		}
		b.bytes(1, in)
	}
	return b
}

// shapeBytes is a TensorShapeProto.
func shapeBytes(t tensor.Type) []byte {
	var b message
	for i, d := range t.Shape {
		var dim message
		if d >= 0 {
			dim.number(1, d)
		} else {
			dim.text(2, t.Symbols[i])
		}
		b.bytes(1, dim)
	}
	return b
}

// Attr is an AttributeProto, made by one of the functions below.
type Attr []byte

func attr(name string, kind int64, fill func(b *message)) Attr {
	var b message
	b.text(1, name)
	fill(&b)
	b.number(20, kind)
	return Attr(b)
}

// Float is an attribute of one number.
func Float(name string, v float32) Attr {
	return attr(name, 1, func(b *message) { b.float(2, v) })
}

// Int is an attribute of one integer.
func Int(name string, v int64) Attr {
	return attr(name, 2, func(b *message) { b.number(3, v) })
}

// Text is an attribute of one string.
func Text(name, v string) Attr {
	return attr(name, 3, func(b *message) { b.bytes(4, []byte(v)) })
}

// Const is an attribute that holds a tensor.
func Const(name string, v tensor.Value) Attr {
	return attr(name, 4, func(b *message) { b.bytes(5, Init("", v).bytes()) })
}

// Body is an attribute that holds a subgraph.
func Body(name string, g Graph) Attr {
	return attr(name, 5, func(b *message) { b.bytes(6, g.bytes()) })
}

// Ints is an attribute of a list of integers.
func Ints(name string, vs ...int64) Attr {
	return attr(name, 7, func(b *message) {
		for _, v := range vs {
			b.number(8, v)
		}
	})
}

// Texts is an attribute of a list of strings.
func Texts(name string, vs ...string) Attr {
	return attr(name, 8, func(b *message) {
		for _, v := range vs {
			b.bytes(9, []byte(v))
		}
	})
}

// TypeOf is an attribute that holds a type.
func TypeOf(name string, t tensor.Type) Attr {
	return attr(name, 13, func(b *message) { b.bytes(14, typeBytes(t)) })
}
