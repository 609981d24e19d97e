package batch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

const ms = time.Millisecond

// arrival is one call: when it comes, what it has, and when its answer is expected.
type arrival struct {
	at    time.Duration
	v     float32
	rows  int
	width int
	done  time.Duration
}

func one(at time.Duration, v float32, done time.Duration) arrival { return arrival{at, v, 1, 4, done} }

func TestWhoSharesARunAndWhen(t *testing.T) {
	t.Parallel()
	const run = 100 * ms
	for _, test := range []struct {
		name  string
		o     batch.Options
		calls []arrival
		runs  []int
	}{
		{
			"a lone call runs at once",
			batch.Options{Rows: 8, Delay: 50 * ms, Runs: 1},
			[]arrival{one(0, 1, run), one(run+ms, 2, 2*run+ms)},
			[]int{1, 1},
		},
		{
			"what queues behind a run is the next one, without a delay",
			batch.Options{Rows: 8, Runs: 1},
			[]arrival{one(0, 1, run), one(10*ms, 2, 2*run), one(20*ms, 3, 2*run), one(99*ms, 4, 2*run)},
			[]int{1, 3},
		},
		{
			"no more rows than allowed",
			batch.Options{Rows: 2, Runs: 1},
			[]arrival{one(0, 1, run), one(1*ms, 2, 2*run), one(2*ms, 3, 2*run), one(3*ms, 4, 3*run)},
			[]int{1, 2, 1},
		},
		{
			"without a delay a free slot is taken",
			batch.Options{Rows: 8, Runs: 2},
			[]arrival{one(0, 1, run), one(1*ms, 2, run+ms), one(2*ms, 3, 2*run)},
			[]int{1, 1, 1},
		},
		{
			"with a delay the first waits for company",
			batch.Options{Rows: 8, Delay: 10 * ms, Runs: 2},
			[]arrival{one(0, 1, run), one(5*ms, 2, run+15*ms), one(14*ms, 3, run+15*ms)},
			[]int{1, 2},
		},
		{
			"for a quarter of a run at most",
			batch.Options{Rows: 8, Delay: time.Second, Runs: 2},
			[]arrival{one(0, 1, run), one(5*ms, 2, run+30*ms), one(29*ms, 3, run+30*ms)},
			[]int{1, 2},
		},
		{
			"a full run waits for nobody",
			batch.Options{Rows: 2, Delay: 20 * ms, Runs: 2},
			[]arrival{one(0, 1, run), one(5*ms, 2, run+7*ms), one(7*ms, 3, run+7*ms)},
			[]int{1, 2},
		},
		{
			"other shapes keep apart",
			batch.Options{Rows: 8, Runs: 1},
			[]arrival{one(0, 1, run), {1 * ms, 2, 1, 4, 2 * run}, {2 * ms, 3, 1, 5, 3 * run}, {3 * ms, 4, 2, 4, 2 * run}},
			[]int{1, 3, 1},
		},
		{
			"a call with too many rows runs alone",
			batch.Options{Rows: 4, Runs: 1},
			[]arrival{one(0, 1, run), {1 * ms, 2, 9, 4, 2 * run}, {2 * ms, 3, 1, 4, 3 * run}},
			[]int{1, 9, 1},
		},
		{
			"no rows run alone",
			batch.Options{Rows: 4, Runs: 1},
			[]arrival{one(0, 1, run), {1 * ms, 2, 0, 4, 2 * run}, {2 * ms, 3, 2, 4, 3 * run}, {3 * ms, 3, 2, 4, 3 * run}},
			[]int{1, 0, 4},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &model{takes: run}
				j := joiner(t, m, test.o)
				start := time.Now()
				// The last run is what the longest wait is measured by.
				if err := score(t.Context(), j, 9, 1, 4); err != nil || time.Since(start) != run {
					t.Fatal(err, time.Since(start))
				}
				m.taken()
				start = time.Now()
				for _, c := range test.calls {
					go func() {
						time.Sleep(c.at)
						if err := score(t.Context(), j, c.v, c.rows, c.width); err != nil {
							t.Error(err)
						}
						if took := time.Since(start); took != c.done {
							t.Errorf("the call of %v was answered after %v, want %v", c.at, took, c.done)
						}
					}()
				}
				time.Sleep(time.Minute)
				if got := m.taken(); !slices.Equal(got, test.runs) {
					t.Errorf("runs of %v rows, want %v", got, test.runs)
				}
			})
		})
	}
}

// behind starts a run and n calls that queue behind it; the result of each is sent when it is there.
func behind(ctx context.Context, j *batch.Joiner, values ...float32) []chan error {
	go func() { _ = score(context.Background(), j, 1, 1, 4) }()
	synctest.Wait()
	var results []chan error
	for _, v := range values {
		c := make(chan error, 1)
		results = append(results, c)
		go func() { c <- score(ctx, j, v, 1, 4) }()
		synctest.Wait()
	}
	return results
}

func TestAPoisonedCallFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &model{takes: ms}
		j := joiner(t, m, batch.Options{Rows: 8, Runs: 1})
		for i, c := range behind(t.Context(), j, 2, poison, 3) {
			if err := <-c; (i == 1) != errors.Is(err, errPoison) || i != 1 && err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		if got := m.taken(); !slices.Equal(got, []int{1, 3, 1, 1, 1}) {
			t.Errorf("runs of %v rows", got)
		}
		if !j.On() {
			t.Error("one bad call ended joining")
		}
	})
}

func TestAPanicIsTheGuiltyCallsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &model{takes: ms}
		j := joiner(t, m, batch.Options{Rows: 8, Runs: 1})
		m.run = func(_ context.Context, n int) {
			if n == 2 {
				panic("two")
			}
		}
		for i, c := range behind(t.Context(), j, 2, 3) {
			if err := <-c; err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		if err := func() (err error) {
			defer func() {
				if recover() == nil {
					err = errors.New("no panic")
				}
			}()
			return score(t.Context(), j, 5, 2, 4)
		}(); err != nil {
			t.Error(err)
		}
		if err := score(t.Context(), j, 6, 1, 4); err != nil { // the slot was given back
			t.Error(err)
		}
	})
}

func TestInputsThatDoNotFitAreRefusedBeforeTheyAreJoined(t *testing.T) {
	t.Parallel()
	m := &model{}
	j := joiner(t, m, batch.Options{Rows: 8, Runs: 1})
	err := j.InferBatch(t.Context(), []tensor.Value{tensor.Of([]int64{1})}, new(tensor.Batch))
	if _, ok := errors.AsType[*tensor.Error](err); !ok || len(m.taken()) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestACallThatIsCancelledLeavesAtOnceAndHurtsNobody(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"in the queue": ms / 2, "in the run": 3 * ms / 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &model{takes: ms}
				j := joiner(t, m, batch.Options{Rows: 8, Runs: 1})
				cause := errors.New("had enough")
				start := time.Now()
				ctx, cancel := context.WithTimeoutCause(t.Context(), after, cause)
				defer cancel()
				short := make(chan error, 1)
				stay := behind(t.Context(), j, 2, 3)
				go func() { short <- score(ctx, j, 4, 1, 4) }()
				if err := <-short; !errors.Is(err, cause) || time.Since(start) != after {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				for i, c := range stay {
					if err := <-c; err != nil {
						t.Errorf("call %d: %v", i, err)
					}
				}
				if time.Since(start) != 2*ms {
					t.Errorf("the others took %v", time.Since(start))
				}
			})
		})
	}
}

func TestARunThatEverybodyHasLeftIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &model{takes: time.Hour}
		j, err := batch.New(m, inputs, outputs, batch.Options{Rows: 8, Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		m.takes = 0
		if err := j.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.takes = time.Hour
		first, stopFirst := context.WithCancel(t.Context())
		go func() { _ = score(first, j, 1, 1, 4) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		results := []chan error{make(chan error, 1), make(chan error, 1)}
		for _, c := range results {
			go func() { c <- score(ctx, j, 2, 1, 4) }()
		}
		synctest.Wait()
		stopFirst()
		synctest.Wait() // the two share a run now
		start := time.Now()
		cancel()
		for _, c := range results {
			if err := <-c; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		synctest.Wait()
		m.takes = ms
		if err := score(t.Context(), j, 3, 1, 4); err != nil || time.Since(start) != ms {
			t.Errorf("the slot was not free: %v, %v", time.Since(start), err)
		}
	})
}

func TestMisalignedOutputsEndJoiningForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &model{takes: ms}
		var reasons []error
		j := joiner(t, m, batch.Options{Rows: 8, Runs: 2, Off: func(err error) { reasons = append(reasons, err) }})
		m.mu.Lock()
		m.spoil = func(out []tensor.Value) {
			if n := out[0].Shape[0]; n > 2 { // as a model that drops what is equal
				out[0] = tensor.Of([]float32{1})
			}
		}
		m.mu.Unlock()
		var group sync.WaitGroup
		for i := range 12 {
			group.Go(func() {
				if err := score(t.Context(), j, float32(i), 1, 4); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if j.On() || len(reasons) != 1 {
			t.Errorf("on: %v, reasons %v", j.On(), reasons)
		}
		if m.max > 2 {
			t.Errorf("%d runs at one time", m.max)
		}
	})
}

func TestCallersOnTheirWayAreWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &model{takes: ms}
		j := joiner(t, m, batch.Options{Rows: 8, Runs: 1})
		var group sync.WaitGroup
		start := time.Now()
		var contexts [4]context.Context
		var callers [4]*batch.Caller
		for i := range callers {
			contexts[i], callers[i] = j.Caller(t.Context())
			callers[i].Coming()
		}
		for i, ctx := range contexts {
			group.Go(func() {
				defer callers[i].Gone()
				for n := range 2 {
					time.Sleep(time.Duration(i) * ms) // a body is decoded
					if i == 3 {
						return // and is no good
					}
					if err := score(ctx, j, float32(n), 1, 4); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		// The first run waits until the last is known not to come, after 3 ms; the second for the slowest, 2 ms more.
		if got := m.taken(); !slices.Equal(got, []int{3, 3}) || time.Since(start) != 7*ms || j.Coming() != 0 {
			t.Errorf("runs of %v rows after %v, %d to come", got, time.Since(start), j.Coming())
		}
		if j.Shared() != 4 {
			t.Errorf("%d calls shared a run", j.Shared())
		}
	})
}

func TestACallerThatNeverComesHoldsNobodyUpForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &model{takes: ms}
		j := joiner(t, m, batch.Options{Rows: 8, Runs: 1})
		_, caller := j.Caller(t.Context())
		caller.Coming()
		start := time.Now()
		if err := score(t.Context(), j, 1, 1, 4); err != nil || time.Since(start) != batch.Patience+ms {
			t.Errorf("%v, %v", time.Since(start), err)
		}
		caller.Coming()
		caller.Gone()
		caller.Gone()
		if j.Coming() != 0 {
			t.Errorf("%d to come", j.Coming())
		}
		var nobody *batch.Caller
		nobody.Coming()
		nobody.Gone()
	})
}
