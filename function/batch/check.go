package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// learn remembers the first call, the model's warm-up: rows that the model is meant for.
func (j *Joiner) learn(in []tensor.Value) {
	if j.state.Load() != untried {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if n, ok := j.layout.rows(in); j.sample == nil && ok && n > 0 && j.model.Check(in) == nil {
		j.sample = cloned(in)
	}
}

// Check tries whether joined rows are answered as single ones, with rows of the call that was made before it, or with made up
// ones, and varied: in runs of 2 and of Options.Rows rows. It turns joining on, or says why not; calls go to the model as
// they are then. It is called once.
//
// Integers, truth values and text must be equal. Floats may differ by a fraction of the largest magnitude in their row of the
// output: 1e-5 for float32, 1e-9 for float64, 4e-3 for float16, 3e-2 for bfloat16; kernels add up in another order when there
// are more rows.
func (j *Joiner) Check(ctx context.Context) error {
	j.mu.Lock()
	sample := j.sample
	j.sample = nil
	j.mu.Unlock()
	if err := j.try(ctx, sample); err != nil {
		j.state.CompareAndSwap(untried, refused)
		return fmt.Errorf("batch: %w", err)
	}
	j.state.CompareAndSwap(untried, on)
	return nil
}

// different is how many different rows are tried.
const different = 3

func (j *Joiner) try(ctx context.Context, sample []tensor.Value) error {
	rows, single, err := j.single(ctx, sample)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(single[1:], func(out []tensor.Value) bool { return !slices.EqualFunc(out, single[0], sameValue) }) {
		return errors.New("rows that differ are answered alike, which tells nothing: put a sample.json of several rows beside the model")
	}
	in, out, part := tensor.GetBatch(), tensor.GetBatch(), tensor.GetBatch()
	defer in.Release()
	defer out.Release()
	defer part.Release()
	for _, n := range slices.Compact([]int{2, j.o.Rows}) {
		calls := make([][]tensor.Value, n)
		for i := range calls {
			calls[i] = rows[i%different]
		}
		j.layout.join(calls, in)
		if err := j.model.InferBatch(ctx, in.Values, out); err != nil {
			return fmt.Errorf("%d rows that the model takes one by one failed in one run: %w", n, err)
		}
		if err := misaligned(out.Values, n); err != nil {
			return err
		}
		for i := range n {
			split(out.Values, i, 1, n, part)
			if err := agree(part.Values, single[i%different]); err != nil {
				return fmt.Errorf("row %d of %d: %w", i, n, err)
			}
		}
	}
	return nil
}

// single makes rows and scores each by itself. A varied row that the model refuses, such as an index outside a table, gives
// way to the one that it was made of.
func (j *Joiner) single(ctx context.Context, sample []tensor.Value) (rows, answers [][]tensor.Value, err error) {
	made := sample == nil
	if made {
		if sample = j.layout.invent(); sample == nil {
			return nil, nil, errors.New("no row can be made up of the declared shapes: put a sample.json beside the model")
		}
	}
	v := newVariation()
	n, _ := j.layout.rows(sample)
	for i := range different {
		given := j.layout.row(sample, min(i, n-1))
		row := given
		if i >= n {
			row = j.layout.varied(given, v)
		}
		answer, err := j.answer(ctx, row)
		if err != nil && i >= n {
			row = given
			answer, err = j.answer(ctx, row)
		}
		switch {
		case err != nil && made:
			return nil, nil, fmt.Errorf("the model does not take rows that were made up, put a sample.json beside it: %w", err)
		case err != nil:
			return nil, nil, err
		}
		rows, answers = append(rows, row), append(answers, answer)
	}
	return rows, answers, nil
}

func (j *Joiner) answer(ctx context.Context, in []tensor.Value) ([]tensor.Value, error) {
	out := tensor.GetBatch()
	defer out.Release()
	if err := j.model.Check(in); err != nil {
		return nil, err
	}
	if err := j.model.InferBatch(ctx, in, out); err != nil {
		return nil, err
	}
	if err := misaligned(out.Values, 1); err != nil {
		return nil, err
	}
	return cloned(out.Values), nil
}
