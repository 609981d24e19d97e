package onnx_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// resident is the process's resident memory in bytes, 0 where it is not known.
func resident() int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	if fields := bytes.Fields(b); len(fields) > 1 {
		pages, _ := strconv.Atoi(string(fields[1]))
		return pages * os.Getpagesize()
	}
	return 0
}

// churn runs n times with ever other numbers of rows, and with a mistake and a failing run now and then.
func churn(tb testing.TB, n int) {
	tb.Helper()
	mlp, gather, maps := open(tb, onnxtest.MLP(64, 64, 10, 1)), open(tb, onnxtest.Gather()), open(tb, onnxtest.ZipMap())
	rng := rand.New(rand.NewPCG(1, 1))
	data := make([]float32, 64*200)
	out := new(tensor.Batch)
	ctx := context.Background()
	for i := range n {
		rows := 1 + rng.IntN(200)
		if err := mlp.InferBatch(ctx, []tensor.Value{tensor.Of(data[:rows*64], int64(rows), 64)}, out); err != nil {
			tb.Fatal(err)
		}
		switch i % 50 {
		case 0:
			if err := gather.InferBatch(ctx, []tensor.Value{tensor.Scalar(int64(77))}, out); err == nil {
				tb.Fatal("no error")
			}
		case 1:
			if err := mlp.InferBatch(ctx, []tensor.Value{tensor.Of(data[:64])}, out); err == nil {
				tb.Fatal("no error")
			}
		case 2:
			if err := maps.InferBatch(ctx, []tensor.Value{tensor.Of(data[:rows*3], int64(rows), 3)}, out); err != nil {
				tb.Fatal(err)
			}
		case 3:
			short, cancel := context.WithCancel(ctx)
			if err := mlp.InferBatch(short, []tensor.Value{tensor.Of(data[:64], 1, 64)}, out); err != nil {
				tb.Fatal(err)
			}
			cancel()
		}
	}
}

// TestMemoryDoesNotGrow does not run beside others, whose memory it would count.
func TestMemoryDoesNotGrow(t *testing.T) {
	onnxtest.Library(t)
	if resident() == 0 {
		t.Skip("resident memory is not known on " + runtime.GOOS)
	}
	churn(t, 1000) // arena, pools, heap
	before := resident()
	churn(t, 20_000)
	if grown := resident() - before; grown > 64<<20 {
		t.Errorf("grew by %d MB", grown>>20)
	}
}

// BenchmarkMemory reports how many bytes of resident memory 100,000 runs of varying shape add.
func BenchmarkMemory(b *testing.B) {
	onnxtest.Library(b)
	churn(b, 1000)
	before := resident()
	for b.Loop() {
		churn(b, 100_000)
	}
	b.ReportMetric(float64(resident()-before)/(1<<20), "grown-MB")
}

func BenchmarkInferBatch(b *testing.B) {
	for _, m := range benchModels(b) {
		b.Run(m.name, func(b *testing.B) {
			s, in, out := m.open(b)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if err := s.InferBatch(ctx, in, out); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(m.name+"/deadline", func(b *testing.B) {
			s, in, out := m.open(b)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if err := s.InferBatch(ctx, in, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
