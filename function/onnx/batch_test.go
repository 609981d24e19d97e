package onnx_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

func TestResultsOutliveTheRun(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Identity(onnxtest.AnyRank(tensor.Float32)))
	var all []tensor.Value
	for i := range 50 {
		all = append(all, infer(t, s, tensor.Of([]float32{float32(i)}, 1))[0])
	}
	for i, v := range all {
		if got := floats(t, v)[0]; got != float32(i) {
			t.Errorf("result %d reads %v", i, got)
		}
	}
}

func TestBatchIsReusedAcrossSizes(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Affine(2, 3))
	var out tensor.Batch
	for i, n := range []int{1, 100, 3, 0, 5000, 1} {
		in := make([]float32, 2*n)
		for j := range in {
			in[j] = float32(i)
		}
		if err := s.InferBatch(context.Background(), []tensor.Value{tensor.Of(in, int64(n), 2)}, &out); err != nil {
			t.Fatal(err)
		}
		got := floats(t, out.Values[0])
		if len(got) != 3*n || !reflect.DeepEqual(out.Values[0].Shape, []int64{int64(n), 3}) {
			t.Fatalf("%d rows: %d numbers, shape %v", n, len(got), out.Values[0].Shape)
		}
		for _, x := range got {
			if x != float32(2*i+2) {
				t.Fatalf("%d rows: got %v", n, x)
			}
		}
	}
}

func TestWarmRunsDoNotAllocate(t *testing.T) {
	onnxtest.Library(t)
	for _, n := range []int{1, 4, 9} { // by argument, and pinned
		s := open(t, onnxtest.Sum(n))
		in := make([]tensor.Value, n)
		for i := range in {
			in[i] = tensor.Of([]float32{1, 2, 3})
		}
		var out tensor.Batch
		run := func() {
			if err := s.InferBatch(context.Background(), in, &out); err != nil {
				t.Fatal(err)
			}
		}
		run()
		if got := testing.AllocsPerRun(200, run); got != 0 {
			t.Errorf("%d inputs: %v allocations a run", n, got)
		}
	}
}
