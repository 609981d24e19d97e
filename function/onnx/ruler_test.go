//go:build ortbench

package onnx_test

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
)

// BenchmarkRatio compares InferBatch with a loop that stays in C, in turns, so that a slow phase of the machine meets
// both, in CPU time of the one thread. It reports the median turn, and the fastest, which other load disturbs least: ratio
// against "C, new" and against the same with types, shapes and a copy.
//
//	go test -tags ortbench -run - -bench Ratio ./function/onnx
func BenchmarkRatio(b *testing.B) {
	const turns, runs = 101, 500
	for _, m := range benchModels(b) {
		b.Run(m.name, func(b *testing.B) {
			runtime.LockOSThread() // a benchmark of its own goroutine
			defer runtime.UnlockOSThread()
			s, in, out := m.open(b)
			ctx := context.Background()
			for b.Loop() {
				var c, shaped, ours []float64
				for range turns {
					c = append(c, s.Ruler(in[0], runs, false))
					shaped = append(shaped, s.Ruler(in[0], runs, true))
					start := onnx.ThreadSeconds()
					for range runs {
						if err := s.InferBatch(ctx, in, out); err != nil {
							b.Fatal(err)
						}
					}
					ours = append(ours, onnx.ThreadSeconds()-start)
				}
				b.ReportMetric(median(c)/runs*1e9, "C-ns")
				b.ReportMetric(median(shaped)/runs*1e9, "C-shapes-ns")
				b.ReportMetric(median(ours)/runs*1e9, "Go-ns")
				b.ReportMetric(median(ours)/median(c), "ratio")
				b.ReportMetric(median(ours)/median(shaped), "ratio-shapes")
				b.ReportMetric(slices.Min(ours)/slices.Min(c), "ratio-min")
				b.ReportMetric(slices.Min(ours)/slices.Min(shaped), "ratio-shapes-min")
			}
		})
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	if x[0] <= 0 {
		return -1 // a run failed
	}
	return x[len(x)/2]
}
