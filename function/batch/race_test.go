package batch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/batch"
)

// Whatever comes at one time, every call is answered with its own rows, its own error or its own cause, no run is larger than
// allowed, and no more runs go on than allowed.
func TestEveryCallHasItsOwnAnswer(t *testing.T) {
	t.Parallel()
	const most, large, runs, clients, each = 5, 50, 2, 16, 150
	m := &model{run: func(context.Context, int) { time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond) }}
	j := joiner(t, m, batch.Options{Rows: most, Delay: 300 * time.Microsecond, Runs: runs})
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(client), 7))
			for range each {
				ctx, cancel := context.WithCancel(t.Context())
				v, n, width := float32(rng.IntN(100)), 1+rng.IntN(most), 1+rng.IntN(2)
				bad, short := rng.IntN(10) == 0, rng.IntN(10) == 0
				if rng.IntN(20) == 0 {
					n = large
				}
				if bad {
					v = poison
				}
				if short {
					time.AfterFunc(time.Duration(rng.IntN(200))*time.Microsecond, cancel)
				}
				var caller *batch.Caller
				if rng.IntN(3) == 0 {
					ctx, caller = j.Caller(ctx)
					caller.Coming()
				}
				err := score(ctx, j, v, n, width)
				caller.Gone()
				switch {
				case short && errors.Is(err, context.Canceled):
				case bad && !errors.Is(err, errPoison), !bad && err != nil:
					t.Errorf("bad %v, short %v: %v", bad, short, err)
				}
				cancel()
			}
		})
	}
	group.Wait()
	for _, n := range m.taken() {
		if n > most && n != large {
			t.Errorf("a run of %d rows", n)
		}
	}
	if m.max > runs {
		t.Errorf("%d runs at one time", m.max)
	}
	if j.Shared() == 0 {
		t.Error("no call shared a run")
	}
	if j.Coming() != 0 {
		t.Errorf("%d callers are to come", j.Coming())
	}
}
