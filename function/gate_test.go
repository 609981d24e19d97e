package function

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateBoundsRunsAndWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 3)
		for range 2 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		in := make(chan error)
		for range 3 {
			go func() { in <- g.enter(t.Context()) }()
		}
		synctest.Wait()
		var e *Error
		if err := g.enter(t.Context()); !errors.As(err, &e) || e.Kind != Unavailable || e.RetryAfter != time.Second {
			t.Errorf("a full queue: got %v", err)
		}
		go func() { in <- g.wait(t.Context()) }() // who only waits is not counted
		synctest.Wait()
		for range 4 {
			g.leave()
			if err := <-in; err != nil {
				t.Errorf("a waiter: %v", err)
			}
		}
	})
}

func TestGateWaiterLeavesOnItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 1)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		g.leave()
		if err := g.enter(t.Context()); err != nil { // the waiter that left is not counted any more
			t.Error(err)
		}
	})
}
