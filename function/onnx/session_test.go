package onnx_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := onnxtest.Affine(2, 2).Bytes()
	nowhere := onnxtest.External().Temp(t)
	if err := os.Remove(filepath.Join(filepath.Dir(nowhere), "weights.bin")); err != nil {
		t.Fatal(err)
	}
	unknown := onnxtest.Affine(2, 2)
	unknown.Nodes[1].Op = "NoSuchOperator"
	future := onnxtest.Affine(2, 2)
	future.Opset = 99
	for _, test := range []struct {
		name, path, want string
	}{
		{"missing", filepath.Join(dir, "nothing.onnx"), "no such file"},
		{"folder", dir, "is a folder, not a file"},
		{"empty", file("empty.onnx", nil), "not an ONNX model"},
		{"garbage", file("garbage.onnx", []byte("<html>not found</html>")), "not an ONNX model"},
		{"cut", file("cut.onnx", good[:len(good)-9]), "not an ONNX model"},
		{"damaged .ort", file("bad.ort", append([]byte("\x10\x00\x00\x00ORTM"), make([]byte, 200)...)), "ORT format model"},
		{"no operator", unknown.Temp(t), "NoSuchOperator"},
		{"opset of the future", future.Temp(t), "opset"},
		{"no weights", nowhere, "weights.bin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := onnx.Open(context.Background(), test.path, onnx.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), "onnx: model ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			if s != nil {
				t.Error("a session next to an error")
			}
		})
	}
	if _, err := onnx.Open(context.Background(), filepath.Join(dir, "nothing.onnx"), onnx.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: got %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := onnx.Open(gone, dir, onnx.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: got %v", err)
	}
}

func TestMissingLocaleNamesTheRemedy(t *testing.T) {
	t.Parallel()
	err := onnx.Explain(errors.New("Error creating C session from file: Exception during initialization: Failed to construct locale with name:en_US.UTF-8"))
	var native *onnx.Error
	if !errors.As(err, &native) || !strings.Contains(err.Error(), "localedef") || strings.Contains(err.Error(), "C session") {
		t.Errorf("got %v", err)
	}
}

func TestConcurrencyFollowsThreads(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	path := onnxtest.Affine(2, 2).Temp(t)
	for _, threads := range []int{0, 1, 1024} {
		s, err := onnx.Open(context.Background(), path, onnx.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Concurrency(); got < 1 || threads == 1024 && got != 1 {
			t.Errorf("%d threads: %d", threads, got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A large model runs on all vCPUs, wherever its weights are.
func TestWeightsBesideTheModelCount(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor: there is nothing to see")
	}
	path := onnxtest.External().Temp(t)
	for _, size := range []int64{12, 1 << 20} {
		if err := os.Truncate(filepath.Join(filepath.Dir(path), "weights.bin"), size); err != nil {
			t.Fatal(err)
		}
		s, err := onnx.Open(t.Context(), path, onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if one := s.Concurrency() == 1; one != (size > 12) {
			t.Errorf("%d bytes of weights: %d runs at one time", size, s.Concurrency())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	m := onnxtest.ZipMap()
	m.Producer, m.Metadata = "me", [][2]string{{"k", "v"}}
	got := open(t, m).Metadata()
	if got.Producer != "me" || got.IR != 8 || got.Opsets[""] != 17 || got.Opsets["ai.onnx.ml"] != 3 || got.Custom["k"] != "v" {
		t.Errorf("got %+v", got)
	}
}

func TestRunsAtOneTime(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Affine(4, 4))
	var wg sync.WaitGroup
	for g := range 100 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 0))
			for range 40 {
				n, x := rng.IntN(20), float32(rng.IntN(100))
				in := make([]float32, 4*n)
				for i := range in {
					in[i] = x
				}
				out, err := s.Infer(context.Background(), tensor.Of(in, int64(n), 4))
				if err != nil {
					t.Error(err)
					return
				}
				for _, y := range floats(t, out[0]) {
					if y != 4*x+2 {
						t.Errorf("got %v, want %v", y, 4*x+2)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if n := s.Idle(); n < 1 || n > onnx.MaxIdle {
		t.Errorf("%d contexts are kept", n)
	}
}

func TestDoneContextDoesNotRun(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Affine(1, 1))
	cause := errors.New("why")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := s.Infer(ctx, tensor.Of([]float32{1}, 1, 1)); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if s.Idle() != 0 {
		t.Error("a context was made")
	}
}

const longTurns = 1 << 40 // years

func longInputs(size int) []tensor.Value {
	return []tensor.Value{tensor.Scalar(int64(longTurns)), tensor.Of(make([]float32, size*size), int64(size), int64(size))}
}

func TestCancelStopsARunAndLeavesTheSessionUsable(t *testing.T) {
	t.Parallel()
	const size = 32
	s := open(t, onnxtest.Long(size))
	short := longInputs(size)
	short[0] = tensor.Scalar(int64(3))
	for range 5 {
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, cause)
		start := time.Now()
		_, err := s.Infer(ctx, longInputs(size)...)
		cancel()
		if !errors.Is(err, cause) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("stopped after %v", took)
		}
		infer(t, s, short...)
	}
	if s.Idle() != 1 {
		t.Errorf("%d contexts are kept of runs one after the other", s.Idle())
	}
}

func TestCloseWaitsForRunsAndIsIdempotent(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	const size = 32
	s, err := onnx.Open(context.Background(), onnxtest.Long(size).Temp(t), onnx.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	in := longInputs(size)
	var runs, closes sync.WaitGroup
	for i := range 8 {
		runs.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i+1)*10*time.Millisecond)
			defer cancel()
			for {
				_, err := s.Infer(ctx, in...)
				if errors.Is(err, onnx.ErrClosed) {
					return
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
					return
				}
				if ctx.Err() != nil {
					return
				}
			}
		})
	}
	for range 3 {
		closes.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if s.Idle() != 0 {
				t.Error("contexts are left")
			}
		})
	}
	closes.Wait()
	runs.Wait()
	if _, err := s.Infer(context.Background(), in...); !errors.Is(err, onnx.ErrClosed) {
		t.Errorf("after Close: got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestDeadlinesAndCloseInTheMiddle looks for memory that is used after it was freed: many goroutines with deadlines of
// about a run's length, and a Close whenever it comes.
func TestDeadlinesAndCloseInTheMiddle(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	path := onnxtest.Long(8).Temp(t)
	for round := range 6 {
		s, err := onnx.Open(context.Background(), path, onnx.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var ended atomic.Int64
		for g := range 16 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(round), uint64(g)))
				out := new(tensor.Batch)
				for {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(2000))*time.Microsecond)
					in := longInputs(8)
					in[0] = tensor.Scalar(int64(rng.IntN(4000)))
					err := s.InferBatch(ctx, in, out)
					cancel()
					ended.Add(1)
					if errors.Is(err, onnx.ErrClosed) {
						return
					}
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Go(func() {
			for ended.Load() < 100 {
				runtime.Gosched()
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
}
