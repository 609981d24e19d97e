package onnx_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// share lets calls of a session share runs, of up to 8 rows.
func share(tb testing.TB, s *onnx.Session) (*batch.Joiner, error) {
	tb.Helper()
	j, err := s.Batch(batch.Options{Rows: 8, Runs: 1})
	if err != nil {
		return nil, err
	}
	return j, j.Check(tb.Context())
}

// together calls f for every input set, by callers who are waited for.
func together(tb testing.TB, j *batch.Joiner, calls [][]tensor.Value, f func(ctx context.Context, i int)) {
	tb.Helper()
	contexts, callers := make([]context.Context, len(calls)), make([]*batch.Caller, len(calls))
	for i := range calls {
		contexts[i], callers[i] = j.Caller(tb.Context())
		callers[i].Coming()
	}
	var group sync.WaitGroup
	for i, ctx := range contexts {
		group.Go(func() {
			defer callers[i].Gone()
			f(ctx, i)
		})
	}
	group.Wait()
}

// mixed is y = a graph of x float32[N,4] in which the rows may meet.
func mixed(nodes ...onnxtest.Node) onnxtest.Model {
	return onnxtest.Model{Graph: onnxtest.Graph{
		Inputs:  []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Float32, "N", 4))},
		Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.AnyRank(tensor.Float32))},
		Nodes:   nodes,

		Initializers: []onnxtest.Initializer{onnxtest.Init("zero", tensor.Of([]int64{0}))},
	}}
}

func TestJoinedRunsAnswerAsSingleOnes(t *testing.T) {
	t.Parallel()
	numbers := func(n int, shape ...int64) tensor.Value {
		x := make([]float32, n)
		for i := range x {
			x[i] = rand.Float32()
		}
		return tensor.Of(x, shape...)
	}
	for name, test := range map[string]struct {
		m    onnxtest.Model
		call func(i int) []tensor.Value
	}{
		"perceptron": {onnxtest.MLP(64, 128, 10, 1), func(i int) []tensor.Value {
			n := 1 + i%3
			return []tensor.Value{numbers(64*n, int64(n), 64)}
		}},
		"nine inputs": {onnxtest.Sum(9), func(int) (in []tensor.Value) {
			for range 9 {
				in = append(in, numbers(1, 1))
			}
			return in
		}},
		"a map for each row": {onnxtest.ZipMap(), func(i int) []tensor.Value {
			n := 1 + i%2
			return []tensor.Value{numbers(3*n, int64(n), 3)}
		}},
		"text": {onnxtest.Identity(onnxtest.T(tensor.String, "N", 2)), func(i int) []tensor.Value {
			return []tensor.Value{tensor.OfStrings([]string{string(rune('a' + i)), "x\x00y"}, 1, 2)}
		}},
		"a default given, or not": {onnxtest.Scale(), func(i int) []tensor.Value {
			if i%2 == 0 {
				return []tensor.Value{numbers(1, 1)}
			}
			return []tensor.Value{numbers(1, 1), tensor.Of([]float32{float32(i % 4)})}
		}},
		"widths that differ": {onnxtest.Identity(onnxtest.T(tensor.Int64, "N", "M")), func(i int) []tensor.Value {
			return []tensor.Value{tensor.Of([]int64{int64(i + 5), 7}[:1+i%2], 1, int64(1+i%2))}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, test.m)
			var calls, want [][]tensor.Value
			for i := range 40 {
				calls = append(calls, test.call(i))
				want = append(want, infer(t, s, calls[i]...))
			}
			shared := open(t, test.m)
			j, err := shared.Batch(batch.Options{Rows: 8, Runs: 1})
			if err != nil {
				t.Fatal(err)
			}
			infer(t, shared, calls[0]...) // the warm-up, which shows a row
			if err := j.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			together(t, j, calls, func(ctx context.Context, i int) {
				got, err := shared.Infer(ctx, calls[i]...)
				if err != nil {
					t.Error(err)
					return
				}
				for k := range got {
					if got[k].DType != tensor.Float32 && !same(got[k], want[i][k]) || !reflect.DeepEqual(got[k].Shape, want[i][k].Shape) {
						t.Errorf("call %d: got %v, want %v", i, got[k], want[i][k])
					}
					if got[k].DType == tensor.Float32 && !near(floats(t, got[k]), floats(t, want[i][k])) {
						t.Errorf("call %d: got %v, want %v", i, floats(t, got[k]), floats(t, want[i][k]))
					}
				}
			})
			if j.Shared() == 0 {
				t.Error("no call shared a run")
			}
		})
	}
}

// near allows for another order of additions.
func near(a, b []float32) bool {
	for i := range b {
		if d := a[i] - b[i]; d > 1e-4 || d < -1e-4 {
			return false
		}
	}
	return len(a) == len(b)
}

// node makes y of x.
func node(op string, attrs ...onnxtest.Attr) onnxtest.Node {
	return onnxtest.Node{Op: op, Inputs: []string{"x"}, Outputs: []string{"y"}, Attrs: attrs}
}

func TestModelsWhoseCallsCannotShareARun(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	axis0, axes0 := []onnxtest.Attr{onnxtest.Int("axis", 0)}, []onnxtest.Attr{onnxtest.Ints("axes", 0)}
	for name, test := range map[string]struct {
		m    onnxtest.Model
		want string
	}{
		"a fixed first dimension": {onnxtest.Identity(onnxtest.T(tensor.Float32, 1, 3)), `input "x" is float32[1,3]`},
		"an open rank":            {onnxtest.Identity(onnxtest.AnyRank(tensor.Float32)), "no free first dimension"},
		"a sequence of two, however many rows": {onnxtest.Model{Graph: onnxtest.Graph{
			Inputs:  []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Float32, "N", 4))},
			Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.Seq(onnxtest.AnyRank(tensor.Float32)))},
			Nodes:   []onnxtest.Node{{Op: "SequenceConstruct", Inputs: []string{"x", "x"}, Outputs: []string{"y"}}},
		}}, "is a sequence of 2"},
		"maps in":               {onnxtest.Vectorize(), `input "x" is map(`},
		"no inputs":             {onnxtest.Constant(tensor.Of([]float32{1})), "no rows"},
		"softmax over the rows": {mixed(node("Softmax", onnxtest.Int("axis", 0))), "alike"},
		"the mean of the rows taken away": {mixed(
			onnxtest.Node{Op: "ReduceMean", Inputs: []string{"x"}, Outputs: []string{"m"}, Attrs: axes0},
			onnxtest.Node{Op: "Mul", Inputs: []string{"x", "x"}, Outputs: []string{"xx"}},
			onnxtest.Node{Op: "Sub", Inputs: []string{"xx", "m"}, Outputs: []string{"y"}}), "row 0 of 2"},
		"the mean of the rows":     {mixed(node("ReduceMean", onnxtest.Ints("axes", 0))), "not a row for each row"},
		"rows turned into columns": {mixed(node("Transpose")), "not a row for each row"},
		"rows sorted": {mixed(
			onnxtest.Node{Op: "Shape", Inputs: []string{"x"}, Outputs: []string{"shape"}},
			onnxtest.Node{Op: "Gather", Inputs: []string{"shape", "zero"}, Outputs: []string{"n"}},
			onnxtest.Node{Op: "TopK", Inputs: []string{"x", "n"}, Outputs: []string{"y", "order"}, Attrs: axis0}), "row "},
	} {
		s := open(t, test.m)
		if _, err := share(t, s); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestAnIndexOutsideTheTableIsItsCallersError(t *testing.T) {
	t.Parallel()
	m := onnxtest.Gather()
	m.Inputs = []tensor.Spec{onnxtest.In("i", onnxtest.T(tensor.Int64, "N"))}
	s := open(t, m)
	j, err := share(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var calls [][]tensor.Value
	for i := range 16 {
		calls = append(calls, []tensor.Value{tensor.Of([]int64{int64(i % 4)})}) // 3 is outside
	}
	together(t, j, calls, func(ctx context.Context, i int) {
		got, err := s.Infer(ctx, calls[i]...)
		if i%4 == 3 {
			if err == nil || !strings.Contains(err.Error(), "idx=3") {
				t.Errorf("call %d: %v", i, err)
			}
			return
		}
		if err != nil || floats(t, got[0])[0] != float32(5+i%4) {
			t.Errorf("call %d: %v, %v", i, got, err)
		}
	})
}

func TestAClosedSessionAnswersItsWaitingCalls(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Affine(2, 3))
	j, err := share(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				if _, err := s.Infer(t.Context(), tensor.Of([]float32{1, 2}, 1, 2)); err != nil {
					if !errors.Is(err, onnx.ErrClosed) {
						t.Error(err)
					}
					return
				}
				if j.Shared() > 20 {
					_ = s.Close()
				}
			}
		})
	}
	group.Wait()
}

// churnShared makes n calls by eight callers who share runs, with a mistake, a failing call and one that leaves now and then.
func churnShared(tb testing.TB, s *onnx.Session, j *batch.Joiner, n int) {
	tb.Helper()
	var group sync.WaitGroup
	for range 8 {
		ctx, caller := j.Caller(tb.Context())
		caller.Coming()
		group.Go(func() {
			defer caller.Gone()
			out := new(tensor.Batch)
			for i := range n / 8 {
				rows := 1 + i%3
				x := make([]int64, rows)
				short, cancel := context.WithCancel(ctx)
				switch i % 50 {
				case 0:
					x[0] = 77 // outside the table
				case 1:
					go cancel()
				case 2:
					x = x[:0] // for the same shape
				}
				in := tensor.Value{Tensor: tensor.Tensor{DType: tensor.Int64, Shape: []int64{int64(rows)}, Data: tensor.Of(x).Data}}
				err := s.InferBatch(short, []tensor.Value{in}, out)
				cancel()
				switch bad := i%50 == 0 || i%50 == 2; {
				case i%50 == 1 && errors.Is(err, context.Canceled):
				case bad != (err != nil):
					tb.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
	group.Wait()
}

// TestMemoryDoesNotGrowWithSharedRuns does not run beside others, whose memory it would count.
func TestMemoryDoesNotGrowWithSharedRuns(t *testing.T) {
	onnxtest.Library(t)
	if resident() == 0 {
		t.Skip("resident memory is not known on " + runtime.GOOS)
	}
	m := onnxtest.Gather()
	m.Inputs = []tensor.Spec{onnxtest.In("i", onnxtest.T(tensor.Int64, "N"))}
	s := open(t, m)
	j, err := share(t, s)
	if err != nil {
		t.Fatal(err)
	}
	churnShared(t, s, j, 4000)
	before := resident()
	churnShared(t, s, j, 40_000)
	if grown := resident() - before; grown > 32<<20 {
		t.Errorf("grew by %d MB", grown>>20)
	} else {
		t.Logf("grew by %d KB, %d calls shared a run", grown>>10, j.Shared())
	}
}
