package batch

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// variation is a source of numbers, the same ones every time: what is off once is off always.
type variation struct {
	*rand.Rand
	first byte
}

func newVariation() *variation { return &variation{Rand: rand.New(rand.NewPCG(1, 2))} }

// cloned is values in memory of their own.
func cloned(values []tensor.Value) []tensor.Value {
	var b tensor.Batch
	size := 0
	for i := range values {
		size += aligned(len(values[i].Data))
	}
	b.Reset(len(values))
	arena, from := b.Arena(size), 0
	for i := range values {
		v := &values[i]
		if v.Kind != tensor.KindTensor { // absent, or in memory of its own
			b.Values[i] = *v
			continue
		}
		to := from + copy(arena[from:], v.Data)
		b.SetTensor(i, v.DType, v.Shape, arena[from:to:to])
		b.Values[i].Strings = slices.Clone(v.Strings)
		from = aligned(to)
	}
	return b.Values
}

// row is one row of a call.
func (l *layout) row(in []tensor.Value, i int) []tensor.Value {
	out := slices.Clone(in)
	for k, r := range l.roles {
		if r != rowsOf {
			continue
		}
		v := &out[k]
		rows := int(v.Shape[0])
		v.Shape = slices.Clone(v.Shape)
		v.Shape[0] = 1
		each := len(v.Data) / rows
		v.Data = v.Data[i*each : (i+1)*each]
		if v.DType == tensor.String {
			each = len(v.Strings) / rows
			v.Strings = v.Strings[i*each : (i+1)*each]
		}
	}
	return cloned(out)
}

// varied is a row like another: its elements in another order, which keeps indices and codes what they are, and floats of
// other sizes as well.
func (l *layout) varied(row []tensor.Value, by *variation) []tensor.Value {
	out := cloned(row)
	for k, r := range l.roles {
		if r != rowsOf {
			continue
		}
		v := &out[k]
		by.Shuffle(len(v.Strings), func(a, b int) { v.Strings[a], v.Strings[b] = v.Strings[b], v.Strings[a] })
		if size := v.DType.Bits() / 8; size > 0 {
			held := make([]byte, size)
			by.Shuffle(len(v.Data)/size, func(a, b int) {
				x, y := v.Data[a*size:(a+1)*size], v.Data[b*size:(b+1)*size]
				copy(held, x)
				copy(x, y)
				copy(y, held)
			})
		}
		switch v.DType {
		case tensor.Float32:
			scale[float32](v, by)
		case tensor.Float64:
			scale[float64](v, by)
		case tensor.Float16, tensor.BFloat16: // another order will do
		default:
			if flat(v) {
				count(v, by)
			}
		}
	}
	return out
}

func scale[T float32 | float64](v *tensor.Value, by *variation) {
	data, _ := tensor.Data[T](v.Tensor) // of this very type
	for i := range data {
		data[i] *= T(0.5 + by.Float64())
	}
}

// flat tells values whose order does not matter.
func flat(v *tensor.Value) bool {
	size := v.DType.Bits() / 8
	return size > 0 && len(v.Data) > 0 && bytes.Equal(v.Data[size:], v.Data[:len(v.Data)-size])
}

// count makes the elements 1 and 0 in turns, which most integers may be, and the other way round the next time.
func count(v *tensor.Value, by *variation) {
	size := v.DType.Bits() / 8
	clear(v.Data)
	by.first ^= 1
	for i := 0; i < len(v.Data); i += size {
		v.Data[i] = by.first ^ byte(i/size%2)
	}
}

// invented bounds the elements of a row that is made up.
const invented = 1 << 24

// invent makes a row of the declared shape up, with free dimensions of 1. It is nil when there would be no end of it.
func (l *layout) invent() []tensor.Value {
	out := make([]tensor.Value, len(l.roles))
	by := newVariation()
	for k, r := range l.roles {
		if r != rowsOf {
			out[k] = tensor.None()
			continue
		}
		in := &l.inputs[k]
		shape := slices.Clone(in.Shape)
		for i, d := range shape {
			if d < 0 {
				shape[i] = 1
			}
		}
		n, ok := tensor.Elements(shape)
		if !ok || n > invented {
			return nil
		}
		v := tensor.Value{Tensor: tensor.Tensor{DType: in.DType, Shape: shape}}
		if in.DType == tensor.String {
			v.Strings = make([]string, n)
			for i := range v.Strings {
				v.Strings[i] = string(rune('a' + by.IntN(26)))
			}
		} else {
			size, _ := in.DType.Bytes(n)
			v.Data = make([]byte, size)
			fill(&v, by)
		}
		out[k] = v
	}
	return cloned(out)
}

func fill(v *tensor.Value, by *variation) {
	switch v.DType {
	case tensor.Float32:
		random[float32](v, by)
	case tensor.Float64:
		random[float64](v, by)
	case tensor.Float16:
		half(v, 0x3800, 1<<10, by)
	case tensor.BFloat16:
		half(v, 0x3f00, 1<<7, by)
	default:
		count(v, by)
	}
}

func random[T float32 | float64](v *tensor.Value, by *variation) {
	data, _ := tensor.Data[T](v.Tensor) // of this very type
	for i := range data {
		data[i] = T(by.Float64())
	}
}

// half is 16-bit floats from 0.5 to 1: the bits of 0.5 and any mantissa.
func half(v *tensor.Value, bits, mantissas int, by *variation) {
	for i := 0; i < len(v.Data); i += 2 {
		binary.LittleEndian.PutUint16(v.Data[i:], uint16(bits+by.IntN(mantissas)))
	}
}
