package lambda

import (
	"context"
	"sync"
	"sync/atomic"
)

// lanes scores the lanes of a batch and returns what became of each, in their order. In an ordered lane one record is scored
// at a time and the lanes know nothing of each other, so that as many of them go on side by side as the model takes. Of a
// batch without an order each lane keeps the model busy by itself. What is logged stands in the order of the lanes either way.
func (h *handler) lanes(ctx context.Context, b batch) [][]outcome {
	out := make([][]outcome, len(b.lanes))
	width := 1
	if b.ordered && len(b.lanes) > 1 {
		width = min(len(b.lanes), h.f.Concurrency(ctx))
	}
	if width == 1 {
		for i, records := range b.lanes {
			out[i] = h.lane(ctx, records, b.ordered, func(line func()) { line() })
		}
		return out
	}
	logs := make([]laneLog, len(b.lanes))
	done := make([]chan struct{}, len(b.lanes))
	for i := range done {
		done[i] = make(chan struct{})
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range width {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(out); i = int(next.Add(1)) - 1 {
				out[i] = h.lane(ctx, b.lanes[i], true, logs[i].add)
				close(done[i])
			}
		})
	}
	for i := range logs {
		logs[i].open()
		<-done[i]
	}
	group.Wait()
	return out
}

// laneLog holds the log lines of a lane back until the lanes before it have written theirs. The first lane waits for none,
// so that a sandbox that is killed has logged as much as it could.
type laneLog struct {
	mu   sync.Mutex
	now  bool // it is this lane's turn
	held []func()
}

// add writes a line, now or when it is the lane's turn.
func (l *laneLog) add(line func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now {
		line()
		return
	}
	l.held = append(l.held, line)
}

// open says that it is the lane's turn.
func (l *laneLog) open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.held {
		line()
	}
	l.now, l.held = true, nil
}
