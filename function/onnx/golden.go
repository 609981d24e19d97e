package onnx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/scorefn/scorefn/function/tensor"
)

// golden is what a baked model must answer: inputs that are made anew from their shapes, and what the model that it was baked
// from gave for them.
type golden struct {
	Shapes  [][]int64      `json:"shapes"` // of the inputs
	Outputs []goldenOutput `json:"outputs"`
}

// goldenOutput is one output, or a sample of its elements where it has many.
type goldenOutput struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

const (
	goldenElements = 256 // most elements of a tensor that are kept
	goldenItems    = 8   // most elements of a sequence
	goldenBytes    = 64 << 20
)

// freeDims are the sizes that a free dimension is given, the first one that the model runs with.
var freeDims = []int64{1, 2, 4, 8, 16, 32}

// makeGolden is the golden pair of a model. One that answers the same inputs differently has none.
func makeGolden(ctx context.Context, s *Session) (*golden, error) {
	g, err := makeRun(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := g.check(ctx, s); err != nil {
		return nil, fmt.Errorf("the model answers the same inputs differently each time, and nothing would show that it was baked well: %w", err)
	}
	return g, nil
}

// makeRun runs the model on inputs of its own making.
func makeRun(ctx context.Context, s *Session) (*golden, error) {
	var first error
	for _, free := range freeDims {
		g := &golden{Shapes: make([][]int64, 0, len(s.inputs))}
		for i := range s.inputs {
			shape, err := goldenShape(&s.inputs[i], free)
			if err != nil {
				return nil, err
			}
			g.Shapes = append(g.Shapes, shape)
		}
		var err error
		if g.Outputs, err = g.run(ctx, s); err == nil {
			return g, nil
		}
		first = cmp.Or(first, err)
	}
	return nil, fmt.Errorf("the model does not run on made-up inputs: %w", first)
}

// Warm runs the model once on made-up inputs, unless its golden pair was checked when it was opened, which is the same. The first
// run of a session is slower than the others: memory is laid out, and pages of mapped weights are read. A model that takes no
// made-up inputs is an error.
func (s *Session) Warm(ctx context.Context) error {
	if s.warm {
		return nil
	}
	_, err := makeRun(ctx, s)
	return err
}

// Warmed tells whether the model has run when it was opened.
func (s *Session) Warmed() bool { return s.warm }

// goldenShape is the shape of a made-up input. One that may be left out is.
func goldenShape(in *tensor.Spec, free int64) ([]int64, error) {
	if in.Optional {
		return nil, nil
	}
	if in.Kind != tensor.KindTensor {
		return nil, fmt.Errorf("input %q is %v: only tensors can be made up", in.Name, in.Type)
	}
	shape := make([]int64, 0, len(in.Shape))
	for _, d := range in.Shape {
		if d < 0 {
			d = free
		}
		shape = append(shape, d)
	}
	if !canBeMadeUp(shape) {
		return nil, fmt.Errorf("input %q is %v: too large to be made up", in.Name, in.Type)
	}
	return shape, nil
}

func canBeMadeUp(shape []int64) bool {
	n, ok := tensor.Elements(shape)
	return ok && n <= goldenBytes/8
}

// run gives the outputs for the made-up inputs. The shapes may come from a sidecar that was edited.
func (g *golden) run(ctx context.Context, s *Session) ([]goldenOutput, error) {
	if len(g.Shapes) != len(s.inputs) {
		return nil, fmt.Errorf("there are %d inputs, not %d", len(s.inputs), len(g.Shapes))
	}
	in := make([]tensor.Value, len(s.inputs))
	for i := range s.inputs {
		if in[i] = tensor.None(); s.inputs[i].Optional {
			continue
		}
		if !canBeMadeUp(g.Shapes[i]) {
			return nil, fmt.Errorf("input %q cannot be made up of the shape %v", s.inputs[i].Name, g.Shapes[i])
		}
		var err error
		if in[i], err = madeUp(s.inputs[i].DType, g.Shapes[i], uint64(i)); err != nil {
			return nil, fmt.Errorf("input %q: %w", s.inputs[i].Name, err)
		}
	}
	values, err := s.Infer(ctx, in...)
	if err != nil {
		return nil, err
	}
	outputs := make([]goldenOutput, len(values))
	for i, v := range values {
		text, err := sampled(v).AppendJSON(nil, tensor.EncodeOptions{})
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", s.outputs[i].Name, err)
		}
		outputs[i] = goldenOutput{s.outputs[i].Name, typeOf(v), text}
	}
	return outputs, nil
}

// check runs the session on the golden inputs and compares.
func (g *golden) check(ctx context.Context, s *Session) error {
	got, err := g.run(ctx, s)
	if err != nil {
		return err
	}
	if len(got) != len(g.Outputs) {
		return fmt.Errorf("there are %d outputs, not %d", len(got), len(g.Outputs))
	}
	for i, want := range g.Outputs {
		if err := want.compare(&got[i], s.outputs[i].DType); err != nil {
			return fmt.Errorf("output %q %w", want.Name, err)
		}
	}
	return nil
}

// madeUp is a tensor of small values that look random and are the same everywhere: floats in [0,1), integers and booleans 0
// and 1, which are valid indexes and tokens nearly everywhere.
func madeUp(d tensor.DType, shape []int64, seed uint64) (tensor.Value, error) {
	n, _ := tensor.Elements(shape)
	next := func() uint64 { // splitmix64
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	if d == tensor.String {
		words := make([]string, n)
		for i := range words {
			words[i] = string(rune('a' + next()%26))
		}
		return tensor.Value{Tensor: tensor.Tensor{DType: d, Shape: shape, Strings: words}}, nil
	}
	size, ok := d.Bytes(n)
	if !ok {
		return tensor.Value{}, fmt.Errorf("%v cannot be made up", d)
	}
	b := make([]byte, 0, size+8)
	for range n {
		r := next()
		switch d {
		case tensor.Float32:
			b = le(b, uint64(math.Float32bits(float32(r>>40)/(1<<24))), 4)
		case tensor.Float64:
			b = le(b, math.Float64bits(float64(r>>11)/(1<<53)), 8)
		case tensor.Float16: // [0.5,1): ten random bits behind the exponent
			b = le(b, 0x3800|r>>54, 2)
		case tensor.BFloat16: // [0.5,1): seven
			b = le(b, 0x3f00|r>>57, 2)
		case tensor.Complex64, tensor.Complex128:
			return tensor.Value{}, fmt.Errorf("%v cannot be made up", d)
		default:
			if d.Bits() >= 8 {
				b = le(b, r>>63, d.Bits()/8)
			}
		}
	}
	return tensor.Value{Tensor: tensor.Tensor{DType: d, Shape: shape, Data: b[:size]}}, nil
}

func le(b []byte, v uint64, size int) []byte {
	for range size {
		b = append(b, byte(v))
		v >>= 8
	}
	return b
}

// sampled is v with no more elements than are kept, evenly spaced.
func sampled(v tensor.Value) tensor.Value {
	switch v.Kind {
	case tensor.KindSequence:
		items := make([]tensor.Value, 0, goldenItems)
		for _, it := range v.Items[:min(len(v.Items), goldenItems)] {
			items = append(items, sampled(it))
		}
		v.Items = items
	case tensor.KindTensor:
		n, _ := tensor.Elements(v.Shape)
		if n <= goldenElements {
			return v
		}
		picked := tensor.Tensor{DType: v.DType, Shape: []int64{goldenElements}}
		size := v.DType.Bits() / 8
		for k := range goldenElements {
			i := k * n / goldenElements
			switch {
			case v.DType == tensor.String:
				picked.Strings = append(picked.Strings, v.Strings[i])
			case size > 0:
				picked.Data = append(picked.Data, v.Data[i*size:(i+1)*size]...)
			}
		}
		if size == 0 && v.DType != tensor.String { // packed types: the first ones
			size, _ := v.DType.Bytes(goldenElements)
			picked.Data = v.Data[:size]
		}
		return tensor.Value{Tensor: picked}
	default:
	}
	return v
}

// typeOf is the type and shape of a value as it came.
func typeOf(v tensor.Value) string {
	if v.Kind == tensor.KindTensor {
		return tensor.Type{DType: v.DType, Ranked: true, Shape: v.Shape}.String()
	}
	return tensor.Type{Kind: v.Kind, DType: v.DType}.String()
}

// compare is nil when got is the same up to the last bits of a float: another processor adds in another order.
func (o *goldenOutput) compare(got *goldenOutput, d tensor.DType) error {
	if o.Type != got.Type {
		return fmt.Errorf("is %s, expected %s", got.Type, o.Type)
	}
	want, err := leaves(o.Value)
	if err != nil {
		return err
	}
	have, err := leaves(got.Value)
	if err != nil {
		return err
	}
	if len(want) != len(have) {
		return fmt.Errorf("has %d elements, expected %d", len(have), len(want))
	}
	relative := 1e-3
	if d == tensor.Float16 || d == tensor.BFloat16 {
		relative = 2e-2
	}
	largest := 0.0
	for _, w := range want {
		if f, err := strconv.ParseFloat(w, 64); err == nil {
			largest = max(largest, math.Abs(f))
		}
	}
	for i, w := range want {
		if w == have[i] {
			continue
		}
		a, errA := strconv.ParseFloat(w, 64)
		b, errB := strconv.ParseFloat(have[i], 64)
		exact := errA != nil || errB != nil || isWhole(d)
		if exact || math.Abs(a-b) > relative*(math.Abs(a)+largest/10) {
			return fmt.Errorf("has the value %s, expected %s", have[i], w)
		}
	}
	return nil
}

// isWhole tells the element types that are exact everywhere.
func isWhole(d tensor.DType) bool {
	switch d {
	case tensor.Float16, tensor.BFloat16, tensor.Float32, tensor.Float64, tensor.Undefined:
		return false // Undefined: of a sequence, whose leaves tell
	default:
		return true
	}
}

// leaves are the numbers, strings, booleans and nulls of a JSON value in their order, the keys of objects among them.
func leaves(value []byte) (all []string, err error) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("golden values: %w", err)
		}
		switch v := t.(type) {
		case json.Delim:
		case string:
			all = append(all, strconv.Quote(v))
		case nil:
			all = append(all, "null")
		default:
			all = append(all, fmt.Sprint(v))
		}
	}
}
