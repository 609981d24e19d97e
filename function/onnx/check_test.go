package onnx_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// TestMistakesAreFoundBeforeTheRun names every check, with the whole message.
func TestMistakesAreFoundBeforeTheRun(t *testing.T) {
	t.Parallel()
	affine := open(t, onnxtest.Affine(3, 1))
	scale := open(t, onnxtest.Scale())
	scalar := open(t, onnxtest.Identity(onnxtest.T(tensor.Float32)))
	text := open(t, onnxtest.Identity(onnxtest.AnyRank(tensor.String)))
	seq := open(t, onnxtest.Identity(onnxtest.Seq(onnxtest.T(tensor.Float32, "N"))))
	maps := open(t, onnxtest.Vectorize())
	optional := open(t, onnxtest.FromOptional(onnxtest.T(tensor.Float32, "N")))
	nibble := open(t, onnxtest.Cast(tensor.Uint4, tensor.Float32))
	f := func(n int, shape ...int64) tensor.Value {
		return raw(tensor.Float32, make([]byte, 4*n), shape...)
	}
	list := func(items ...tensor.Value) tensor.Value { return tensor.Value{Kind: tensor.KindSequence, Items: items} }
	dict := func(items ...tensor.Value) tensor.Value { return tensor.Value{Kind: tensor.KindMap, Items: items} }
	for _, test := range []struct {
		name string
		s    *onnx.Session
		in   []tensor.Value
		want string
	}{
		{"missing", affine, nil, `x: is missing, expected float32[N,3]`},
		{"none", affine, []tensor.Value{tensor.None()}, `x: is missing, expected float32[N,3]`},
		{"too many", affine, []tensor.Value{f(3, 1, 3), f(1, 1)}, `2 inputs, but the model takes 1`},
		{"kind", affine, []tensor.Value{list(f(3, 1, 3))}, `x: is a sequence, expected float32[N,3]`},
		{"element type", affine, []tensor.Value{tensor.Of([]int64{1, 2, 3}, 1, 3)}, `x: is int64[1,3], expected float32[N,3]`},
		{"rank", affine, []tensor.Value{f(3, 3)}, `x: is float32[3], expected float32[N,3]: 1 dimensions, not 2`},
		{"dimension", affine, []tensor.Value{f(2, 1, 2)}, `x: is float32[1,2], expected float32[N,3]: dimension 1 is 2, not 3`},
		{"negative", affine, []tensor.Value{f(3, -1, 3)}, `x: shape [-1 3] is negative in dimension 0, expected float32[N,3]`},
		{
			"overflow", affine,
			[]tensor.Value{f(3, math.MaxInt64, 3)},
			`x: shape [9223372036854775807 3] has too many elements, expected float32[N,3]`,
		},
		{
			"overflow in bytes", affine,
			[]tensor.Value{f(3, 1<<60, 3)},
			`x: shape [1152921504606846976 3] has too many elements, expected float32[N,3]`,
		},
		{"wraps to what is there", affine, []tensor.Value{f(5, 6148914691236517207, 3)}, `x: shape [6148914691236517207 3] has too many elements, expected float32[N,3]`},
		{"too few bytes", affine, []tensor.Value{f(2, 1, 3)}, `x: float32[1,3] needs 12 bytes, not 8`},
		{"too many bytes", affine, []tensor.Value{f(4, 1, 3)}, `x: float32[1,3] needs 12 bytes, not 16`},
		{"packed bytes", nibble, []tensor.Value{raw(tensor.Uint4, make([]byte, 3), 3)}, `x: uint4[3] needs 2 bytes, not 3`},
		{"rank 0", scalar, []tensor.Value{f(1, 1)}, `x: is float32[1], expected float32[]: 1 dimensions, not 0`},
		{"default", scale, []tensor.Value{f(1, 1), f(2, 2)}, `factor: is float32[2], expected float32[1]: dimension 0 is 2, not 1`},
		{"strings", text, []tensor.Value{{Tensor: tensor.Tensor{DType: tensor.String, Shape: []int64{2}, Strings: []string{"a"}}}}, `x: shape [2] needs 2 strings, not 1`},
		{"no sequence", seq, []tensor.Value{f(1, 1)}, `x: is float32[1], expected seq(float32[N])`},
		{"empty sequence", seq, []tensor.Value{list()}, `x: an empty sequence cannot be given to ONNX Runtime, expected seq(float32[N])`},
		{"inside a sequence", seq, []tensor.Value{list(f(1, 1), f(1, 1, 1))}, `x[1]: is float32[1,1], expected float32[N]: 2 dimensions, not 1`},
		{"nothing inside a sequence", seq, []tensor.Value{list(tensor.None())}, `x[0]: is absent, expected float32[N]`},
		{"no map", maps, []tensor.Value{f(1, 1)}, `x: is float32[1], expected map(string,float32[...])`},
		{"half a map", maps, []tensor.Value{dict(tensor.OfStrings([]string{"a"}))}, `x: a map is two tensors, keys and values, not 1`},
		{"keys", maps, []tensor.Value{dict(f(1, 1), f(1, 1))}, `x keys: is float32[1], expected string[...]`},
		{"values", maps, []tensor.Value{dict(tensor.OfStrings([]string{"a"}), tensor.Of([]int64{1}))}, `x values: is int64[1], expected float32[...]`},
		{"more keys", maps, []tensor.Value{dict(tensor.OfStrings([]string{"a", "b"}), f(1, 1))}, `x: 2 keys and 1 values`},
		{"absent", optional, []tensor.Value{tensor.None()}, `x: an absent optional cannot be given to ONNX Runtime, only a value of type float32[N]`},
		{"inside an optional", optional, []tensor.Value{list(f(1, 1))}, `x: is a sequence, expected float32[N]`},
		{
			"one dimension, two sizes", open(t, onnxtest.Sum(2)),
			[]tensor.Value{f(2, 2), f(3, 3)},
			`x01: is float32[3], expected float32[N]: N is 3 here, but 2 in input "x00"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out, err := test.s.Infer(context.Background(), test.in...)
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			var mistake *tensor.Error
			if !errors.As(err, &mistake) || mistake.Offset != -1 || out != nil {
				t.Errorf("got %T %+v, values %v", err, mistake, out)
			}
		})
	}
}

func TestRunTimeErrorsKeepTheirCode(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Gather())
	for _, test := range []struct {
		index int64
		fails bool
	}{{2, false}, {-1, false}, {3, true}, {2, false}} { // and the session goes on
		_, err := s.Infer(context.Background(), tensor.Scalar(test.index))
		if (err != nil) != test.fails {
			t.Fatalf("%d: %v", test.index, err)
		}
		if !test.fails {
			continue
		}
		var native *onnx.Error
		var mistake *tensor.Error
		switch {
		case errors.As(err, &native):
			if native.Code == onnx.CodeUnknown || native.Msg == "" {
				t.Errorf("got %+v", native)
			}
		case errors.As(err, &mistake): // ONNX Runtime calls it INVALID_ARGUMENT
		default:
			t.Errorf("got %T %v", err, err)
		}
		t.Log(err)
	}
}

func TestInferBatchHoldsNothingAfterAnError(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Gather())
	var out tensor.Batch
	if err := s.InferBatch(context.Background(), []tensor.Value{tensor.Scalar(int64(1))}, &out); err != nil || len(out.Values) != 1 {
		t.Fatalf("%v, %d values", err, len(out.Values))
	}
	if err := s.InferBatch(context.Background(), []tensor.Value{tensor.Scalar(int64(99))}, &out); err == nil || len(out.Values) != 0 {
		t.Errorf("%v, %d values", err, len(out.Values))
	}
}

func TestCodesHaveNames(t *testing.T) {
	t.Parallel()
	for code, want := range map[onnx.Code]string{
		onnx.CodeUnknown: "UNKNOWN", onnx.CodeInvalidArgument: "INVALID_ARGUMENT", onnx.CodeNotFound: "NOT_FOUND", 99: "CODE_99", -1: "CODE_-1",
	} {
		if code.String() != want {
			t.Errorf("%d: got %s, want %s", int(code), code, want)
		}
	}
	if got := (&onnx.Error{Code: onnx.CodeFail, Msg: "m"}).Error(); got != "FAIL: m" {
		t.Error(got)
	}
}
