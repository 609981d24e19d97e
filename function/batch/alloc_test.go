//go:build !race

package batch_test

import (
	"context"
	"testing"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

func TestALoneCallIsNotCopied(t *testing.T) {
	m := &model{}
	j := joiner(t, m, batch.Options{Rows: 4, Runs: 1})
	in, out := row(1, 1, 4), new(tensor.Batch)
	call := func() {
		if err := j.InferBatch(context.Background(), in, out); err != nil {
			t.Fatal(err)
		}
	}
	direct := testing.AllocsPerRun(100, func() {
		if err := m.InferBatch(context.Background(), in, out); err != nil {
			t.Fatal(err)
		}
	})
	if got := testing.AllocsPerRun(100, call); got > direct {
		t.Errorf("%v allocations, %v without a joiner", got, direct)
	}
}
