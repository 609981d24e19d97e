package batch_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

// squares is a model of x float64[N] that answers the squares, y float64[N].
type squares struct{}

func (squares) Check([]tensor.Value) error { return nil }

func (squares) InferBatch(_ context.Context, in []tensor.Value, out *tensor.Batch) error {
	x, err := tensor.Data[float64](in[0].Tensor)
	if err != nil {
		return err
	}
	y := make([]float64, len(x))
	for i := range x {
		y[i] = x[i] * x[i]
	}
	out.Reset(1)
	out.Values[0] = tensor.Of(y)
	return nil
}

// Four callers who are known to come share one run. onnx.Session.Batch does the same for a session.
func ExampleJoiner() {
	numbers := tensor.Type{DType: tensor.Float64, Ranked: true, Shape: []int64{-1}}
	j, err := batch.New(squares{}, []tensor.Spec{{Name: "x", Type: numbers}}, []tensor.Spec{{Name: "y", Type: numbers}},
		batch.Options{Rows: 4, Runs: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := j.Check(context.Background()); err != nil { // are joined rows answered as single ones?
		fmt.Println(err)
		return
	}
	answers := make([]float64, 4)
	contexts, callers := make([]context.Context, len(answers)), make([]*batch.Caller, len(answers))
	for i := range answers {
		contexts[i], callers[i] = j.Caller(context.Background())
		callers[i].Coming()
	}
	var group sync.WaitGroup
	for i, ctx := range contexts {
		group.Go(func() {
			defer callers[i].Gone()
			var out tensor.Batch
			if err := j.InferBatch(ctx, []tensor.Value{tensor.Of([]float64{float64(i)})}, &out); err != nil {
				fmt.Println(err)
				return
			}
			y, _ := tensor.Data[float64](out.Values[0].Tensor)
			answers[i] = y[0]
		})
	}
	group.Wait()
	fmt.Println(answers, "calls that shared a run:", j.Shared())
	// Output: [0 1 4 9] calls that shared a run: 3
}
