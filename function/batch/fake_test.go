package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

// rows is float32[N,M], or another type and rank.
func rows(name string, d tensor.DType, rest ...int64) tensor.Spec {
	shape := append([]int64{-1}, rest...)
	return tensor.Spec{Name: name, Type: tensor.Type{DType: d, Ranked: true, Shape: shape, Symbols: make([]string, len(shape))}}
}

// poison in a row makes the run fail that it is in.
const poison = 666

var errPoison = errors.New("poisoned")

// model answers every row of x float32[N,M] with the sum of its elements, y float32[N], and with its first element as text.
type model struct {
	takes time.Duration                    // of a run
	spoil func(out []tensor.Value)         // what a bad model does to its answers
	run   func(ctx context.Context, n int) // called inside a run

	mu       sync.Mutex
	runs     []int // rows of each
	now, max int   // runs at one time
}

var (
	inputs  = []tensor.Spec{rows("x", tensor.Float32, -1)}
	outputs = []tensor.Spec{rows("y", tensor.Float32), rows("first", tensor.String)}
)

func (m *model) Check(in []tensor.Value) error {
	if len(in) != 1 || in[0].DType != tensor.Float32 || len(in[0].Shape) != 2 {
		return &tensor.Error{Offset: -1, Msg: "does not fit"}
	}
	return nil
}

func (m *model) InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error {
	n := int(in[0].Shape[0])
	m.mu.Lock()
	m.runs = append(m.runs, n)
	m.now++
	m.max = max(m.max, m.now)
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.now--
	}()
	if m.run != nil {
		m.run(ctx, n)
	}
	if m.takes > 0 {
		select {
		case <-time.After(m.takes):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	x, err := tensor.Data[float32](in[0].Tensor)
	if err != nil {
		return err
	}
	if slices.Contains(x, poison) {
		return errPoison
	}
	width := int(in[0].Shape[1])
	sums, firsts := make([]float32, n), make([]string, n)
	for i := range n {
		for _, v := range x[i*width : (i+1)*width] {
			sums[i] += v
		}
		if width > 0 {
			firsts[i] = fmt.Sprint(x[i*width])
		}
	}
	out.Reset(2)
	out.Values[0], out.Values[1] = tensor.Of(sums), tensor.OfStrings(firsts)
	if m.spoil != nil {
		m.spoil(out.Values)
	}
	return nil
}

// taken is the rows of the runs so far, which it forgets.
func (m *model) taken() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	runs := m.runs
	m.runs = nil
	return runs
}

// joiner is a joiner of m that has checked it.
func joiner(tb testing.TB, m *model, o batch.Options) *batch.Joiner {
	tb.Helper()
	j, err := batch.New(m, inputs, outputs, o)
	if err != nil {
		tb.Fatal(err)
	}
	if err := j.Check(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	m.taken()
	return j
}

// row is one call's input: n rows of a width, all elements v.
func row(v float32, n, width int) []tensor.Value {
	return []tensor.Value{tensor.Of(slices.Repeat([]float32{v}, n*width), int64(n), int64(width))}
}

// score calls j and compares the answer.
func score(ctx context.Context, j *batch.Joiner, v float32, n, width int) error {
	var out tensor.Batch
	if err := j.InferBatch(ctx, row(v, n, width), &out); err != nil {
		return err
	}
	sums, err := tensor.Data[float32](out.Values[0].Tensor)
	if err != nil {
		return err
	}
	if len(sums) != n || !slices.Equal(out.Values[0].Shape, []int64{int64(n)}) || len(out.Values[1].Strings) != n {
		return fmt.Errorf("%d rows of %v: got %v %v %q", n, v, out.Values[0].Shape, sums, out.Values[1].Strings)
	}
	for i := range sums {
		if sums[i] != v*float32(width) || out.Values[1].Strings[i] != fmt.Sprint(v) {
			return fmt.Errorf("%d rows of %v: got %v, %q", n, v, sums, out.Values[1].Strings)
		}
	}
	return nil
}
