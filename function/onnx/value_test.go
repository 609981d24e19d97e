package onnx_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// open loads a model with one thread, and closes it with the test.
func open(tb testing.TB, m onnxtest.Model) *onnx.Session {
	tb.Helper()
	onnxtest.Library(tb)
	s, err := onnx.Open(context.Background(), m.Temp(tb), onnx.Options{Threads: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// infer runs and fails the test on an error.
func infer(tb testing.TB, s *onnx.Session, in ...tensor.Value) []tensor.Value {
	tb.Helper()
	out, err := s.Infer(context.Background(), in...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// same compares bit for bit: kinds, types, shapes, content.
func same(a, b tensor.Value) bool {
	return a.Kind == b.Kind && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && bytes.Equal(a.Data, b.Data) &&
		slices.Equal(a.Strings, b.Strings) && slices.EqualFunc(a.Items, b.Items, same)
}

func raw(d tensor.DType, data []byte, shape ...int64) tensor.Value {
	return tensor.Value{Tensor: tensor.Tensor{DType: d, Shape: shape, Data: data}}
}

func floats(tb testing.TB, v tensor.Value) []float32 {
	tb.Helper()
	data, err := tensor.Data[float32](v.Tensor)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestIdentityOfEveryElementType(t *testing.T) {
	t.Parallel()
	for d := tensor.Float32; d <= tensor.Int2; d++ {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			switch d {
			case tensor.Complex64, tensor.Complex128, tensor.Float8E8M0:
				t.Skip("ONNX Runtime has no operator for it")
			case tensor.Int4, tensor.Uint4, tensor.Float4E2M1, tensor.Int2, tensor.Uint2:
				t.Skip("only Cast takes it, if anything does: see TestNarrowTypes")
			case tensor.String:
				t.Skip("has a test of its own")
			}
			s := open(t, onnxtest.Identity(onnxtest.AnyRank(d)))
			for _, shape := range [][]int64{nil, {0}, {1}, {7}, {2, 3}, {3, 0, 2}, {1, 2, 3, 4, 1, 1, 1, 1}} {
				n, _ := tensor.Elements(shape)
				size, _ := d.Bytes(n)
				data := make([]byte, size)
				for i := range data {
					data[i] = byte(251 - 37*i)
					if d == tensor.Bool {
						data[i] = byte(i % 2)
					}
				}
				in := raw(d, data, shape...)
				if out := infer(t, s, in)[0]; !same(out, in) {
					t.Errorf("shape %v: got %v %v % x, want % x", shape, out.DType, out.Shape, out.Data, in.Data)
				}
			}
		})
	}
}

func TestNaNPayloadsAndExtremesPass(t *testing.T) {
	t.Parallel()
	f32 := []float32{
		float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(-1)),
		math.Float32frombits(0x7fc12345), math.Float32frombits(0xffa00001),
	}
	f64 := []float64{math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Float64frombits(0x7ff0000000000123)}
	i64 := []int64{math.MinInt64, 1<<53 + 1, math.MaxInt64}
	u64 := []uint64{0, math.MaxUint64}
	for _, in := range []tensor.Value{tensor.Of(f32), tensor.Of(f64), tensor.Of(i64), tensor.Of(u64)} {
		s := open(t, onnxtest.Identity(onnxtest.AnyRank(in.DType)))
		if out := infer(t, s, in)[0]; !same(out, in) {
			t.Errorf("%v: got % x, want % x", in.DType, out.Data, in.Data)
		}
	}
}

func TestHalfPrecisionCasts(t *testing.T) {
	t.Parallel()
	in := tensor.Of([]float32{1, -2, 0.5})
	for d, want := range map[tensor.DType][]uint16{
		tensor.Float16:  {0x3c00, 0xc000, 0x3800},
		tensor.BFloat16: {0x3f80, 0xc000, 0x3f00},
	} {
		half := infer(t, open(t, onnxtest.Cast(tensor.Float32, d)), in)[0]
		var got []uint16
		for i := 0; i < len(half.Data); i += 2 {
			got = append(got, uint16(half.Data[i])|uint16(half.Data[i+1])<<8)
		}
		if half.DType != d || !slices.Equal(got, want) {
			t.Errorf("%v: got %v %x, want %x", d, half.DType, got, want)
		}
		if back := infer(t, open(t, onnxtest.Cast(d, tensor.Float32)), half)[0]; !same(back, in) {
			t.Errorf("%v back: got %v", d, floats(t, back))
		}
	}
}

// TestNarrowTypes also watches the numbering of element types, see fromORT.
func TestNarrowTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		d      tensor.DType
		packed []byte
		want   []float32
	}{
		{tensor.Uint4, []byte{0x21, 0x0f}, []float32{1, 2, 15}},
		{tensor.Int4, []byte{0x21, 0x0f}, []float32{1, 2, -1}},
		{tensor.Uint2, []byte{0b11_10_01_00, 0b01}, []float32{0, 1, 2, 3, 1}},
		{tensor.Int2, []byte{0b11_10_01_00, 0b01}, []float32{0, 1, -2, -1, 1}},
		{tensor.Float8E4M3FN, []byte{0x38, 0xc0}, []float32{1, -2}},
		{tensor.Float8E5M2, []byte{0x3c, 0xc0}, []float32{1, -2}},
	} {
		t.Run(test.d.String(), func(t *testing.T) {
			t.Parallel()
			in, out := onnxtest.Cast(test.d, tensor.Float32), onnxtest.Cast(tensor.Float32, test.d)
			in.Opset, in.IR, out.Opset, out.IR = 25, 13, 25, 13
			n := int64(len(test.want))
			if got := floats(t, infer(t, open(t, in), raw(test.d, test.packed, n))[0]); !slices.Equal(got, test.want) {
				t.Errorf("given % x: got %v, want %v", test.packed, got, test.want)
			}
			got := infer(t, open(t, out), tensor.Of(test.want))[0]
			if !same(got, raw(test.d, test.packed, n)) {
				t.Errorf("answered: got %v %v % x, want % x", got.DType, got.Shape, got.Data, test.packed)
			}
		})
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Identity(onnxtest.AnyRank(tensor.String)))
	for _, in := range []tensor.Value{
		tensor.OfStrings([]string{"", "a\x00b", "\x00", "ü \u2028", "\xff\xfe"}),
		tensor.OfStrings([]string{"", ""}, 1, 2),
		tensor.OfStrings(nil, 0),
		tensor.OfStrings(nil, 2, 0),
		{Tensor: tensor.Tensor{DType: tensor.String, Strings: []string{"rank 0"}}},
		tensor.OfStrings([]string{string(bytes.Repeat([]byte("x"), 1<<20)), "y"}),
	} {
		for range 2 { // the second run has memory set aside
			var out tensor.Batch
			if err := s.InferBatch(context.Background(), []tensor.Value{in}, &out); err != nil {
				t.Fatal(err)
			}
			if !same(out.Values[0], in) {
				t.Errorf("%v: got %.80q, want %.80q", in.Shape, out.Values[0].Strings, in.Strings)
			}
		}
	}
}

func TestSequences(t *testing.T) {
	t.Parallel()
	one, two := tensor.Of([]float32{1, 2, 3}), tensor.Of([]float32{4, 5}, 2, 1)
	want := tensor.Value{Kind: tensor.KindSequence, Items: []tensor.Value{one, two}}
	got := infer(t, open(t, onnxtest.Pair(tensor.Float32)), one, two)[0]
	if !same(got, want) {
		t.Errorf("made: got %+v", got)
	}
	s := open(t, onnxtest.Identity(onnxtest.Seq(onnxtest.AnyRank(tensor.Float32))))
	if got := infer(t, s, want)[0]; !same(got, want) {
		t.Errorf("passed: got %+v", got)
	}
	texts := tensor.Value{Kind: tensor.KindSequence, Items: []tensor.Value{tensor.OfStrings([]string{"a\x00", ""}), tensor.OfStrings(nil, 0)}}
	s = open(t, onnxtest.Identity(onnxtest.Seq(onnxtest.AnyRank(tensor.String))))
	if got := infer(t, s, texts)[0]; !same(got, texts) {
		t.Errorf("strings: got %+v", got)
	}
	none := infer(t, open(t, onnxtest.NoSequence()))[0]
	if none.Kind != tensor.KindSequence || none.Items == nil || len(none.Items) != 0 {
		t.Errorf("empty: got %+v", none)
	}
}

func TestMaps(t *testing.T) {
	t.Parallel()
	got := infer(t, open(t, onnxtest.ZipMap()), tensor.Of([]float32{.1, .2, .7, .8, .1, .1}, 2, 3))[0]
	row := func(p ...float32) tensor.Value {
		return tensor.Value{Kind: tensor.KindMap, Items: []tensor.Value{tensor.Of([]int64{10, 20, 30}), tensor.Of(p)}}
	}
	want := tensor.Value{Kind: tensor.KindSequence, Items: []tensor.Value{row(.1, .2, .7), row(.8, .1, .1)}}
	if !same(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	in := tensor.Value{Kind: tensor.KindMap, Items: []tensor.Value{tensor.OfStrings([]string{"c", "a"}), tensor.Of([]float32{3, 1})}}
	for _, value := range []tensor.Type{onnxtest.AnyRank(tensor.Float32), onnxtest.T(tensor.Float32)} { // exporters write both
		m := onnxtest.Vectorize()
		m.Inputs[0].Type = onnxtest.Map(tensor.String, value)
		if got := infer(t, open(t, m), in)[0]; !same(got, tensor.Of([]float32{1, 0, 3}, 1, 3)) {
			t.Errorf("a map as input: got %v", floats(t, got))
		}
	}
}

func TestOptionals(t *testing.T) {
	t.Parallel()
	x := tensor.Of([]float32{1, 2})
	s := open(t, onnxtest.Absent())
	for range 3 { // nothing of a run may be left for the next one
		if out := infer(t, s, x); out[0].Kind != tensor.KindNone || !same(out[1], x) {
			t.Errorf("got %+v", out)
		}
	}
	typ := onnxtest.T(tensor.Float32, "N")
	if out := infer(t, open(t, onnxtest.FromOptional(typ)), x); !same(out[0], x) {
		t.Errorf("a tensor for an optional: got %+v", out)
	}
	seq := tensor.Value{Kind: tensor.KindSequence, Items: []tensor.Value{x}}
	if out := infer(t, open(t, onnxtest.FromOptional(onnxtest.Seq(typ))), seq); !same(out[0], seq) {
		t.Errorf("a sequence for an optional: got %+v", out)
	}
}

func TestModelWithoutInputs(t *testing.T) {
	t.Parallel()
	for _, v := range []tensor.Value{tensor.Scalar(int64(7)), tensor.Of([]float32{}, 0), tensor.Of([]bool{true, false})} {
		s := open(t, onnxtest.Constant(v))
		if len(s.Inputs()) != 0 {
			t.Fatalf("inputs %v", s.Inputs())
		}
		if out := infer(t, s)[0]; !same(out, v) {
			t.Errorf("got %+v, want %+v", out, v)
		}
	}
}

func TestFortyInputs(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Sum(40))
	in := make([]tensor.Value, 40)
	want := float32(0)
	for i := range in {
		in[i] = tensor.Of([]float32{float32(i), 1})
		want += float32(i)
	}
	for range 3 {
		if got := floats(t, infer(t, s, in...)[0]); !slices.Equal(got, []float32{want, 40}) {
			t.Errorf("got %v, want %v and 40", got, want)
		}
	}
}

func TestNamesAreAnyText(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"input:0", "a/b", "__proto__", "data", "onnx::Flatten_0", "39", "größe", " "} {
		s := open(t, onnxtest.Named(onnxtest.T(tensor.Float32, "N"), name, name+"'"))
		if s.Inputs()[0].Name != name || s.Outputs()[0].Name != name+"'" {
			t.Errorf("%q: got %q, %q", name, s.Inputs()[0].Name, s.Outputs()[0].Name)
		}
		infer(t, s, tensor.Of([]float32{1}))
	}
}

func TestInputsWithADefault(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Scale())
	in := s.Inputs()
	if len(in) != 2 || in[0].Name != "x" || in[0].Optional || in[1].Name != "factor" || !in[1].Optional {
		t.Fatalf("inputs %+v", in)
	}
	x := tensor.Of([]float32{1, 2})
	for reason, args := range map[string][]tensor.Value{
		"left out":  {x},
		"none":      {x, tensor.None()},
		"given":     {x, tensor.Of([]float32{10})},
		"given 10.": {x, tensor.Of([]float32{10}, 1)},
	} {
		if got := floats(t, infer(t, s, args...)[0]); !slices.Equal(got, []float32{10, 20}) {
			t.Errorf("%s: got %v", reason, got)
		}
	}
	if got := floats(t, infer(t, s, x, tensor.Of([]float32{3}))[0]); !slices.Equal(got, []float32{3, 6}) {
		t.Errorf("given: got %v", got)
	}
}

func TestWeightsOfIR3AreNotInputs(t *testing.T) {
	t.Parallel()
	m := onnxtest.Scale()
	m.IR, m.Opset = 3, 8
	s := open(t, m)
	if in := s.Inputs(); len(in) != 1 || in[0].Name != "x" {
		t.Errorf("inputs %+v", in)
	}
	if got := floats(t, infer(t, s, tensor.Of([]float32{1}))[0]); got[0] != 10 {
		t.Errorf("got %v", got)
	}
}

func TestWeightsInAFileBesideTheModel(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.External())
	if got := floats(t, infer(t, s, tensor.Of([]float32{1, 1, 1}))[0]); !slices.Equal(got, []float32{2, 3, 4}) {
		t.Errorf("got %v", got)
	}
}

func TestMisalignedMemoryIsCopied(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Identity(onnxtest.AnyRank(tensor.Float64)))
	odd := make([]byte, 17)[1:]
	odd[3] = 1
	in := raw(tensor.Float64, odd, 2)
	if out := infer(t, s, in)[0]; !same(out, in) {
		t.Errorf("got % x", out.Data)
	}
}
