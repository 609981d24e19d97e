package function

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// gate bounds how many runs go on at one time and how many requests may wait for one: native runs hold an OS thread and a
// core each, so that more of them only makes all of them late.
type gate struct {
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64
}

func newGate(concurrency, queue int) *gate {
	return &gate{slots: make(chan struct{}, max(concurrency, 1)), queue: int64(queue)}
}

// enter waits for a slot; leave gives it back. A full queue is refused at once.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return &Error{Kind: Unavailable, Msg: "Too many requests are waiting. Try again later.", RetryAfter: time.Second}
	}
	defer g.waiting.Add(-1)
	return g.wait(ctx)
}

// wait is enter for those who are not refused however many wait: their number is bounded elsewhere.
func (g *gate) wait(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g *gate) leave() { <-g.slots }

func newPanic(what string, value any) error {
	return &panicError{what: what, value: value, stack: debug.Stack()}
}
