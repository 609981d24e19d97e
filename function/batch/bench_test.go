package batch_test

import (
	"context"
	"testing"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

// BenchmarkJoiner is what joining costs above the model: one caller alone, and eight who share runs.
func BenchmarkJoiner(b *testing.B) {
	for name, callers := range map[string]int{"alone": 1, "together": 8} {
		b.Run(name, func(b *testing.B) {
			j := joiner(b, &model{}, batch.Options{Rows: 8, Runs: 1})
			b.ReportAllocs()
			b.SetParallelism(callers)
			work := func(next func() bool) {
				in, out := row(1, 1, 64), new(tensor.Batch)
				for next() {
					if err := j.InferBatch(context.Background(), in, out); err != nil {
						b.Error(err)
						return
					}
				}
			}
			if callers == 1 {
				work(b.Loop)
				return
			}
			b.RunParallel(func(p *testing.PB) { work(p.Next) })
		})
	}
}
