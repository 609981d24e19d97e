package function

import (
	"sync/atomic"
	"time"
)

// stats counts what a model has done since it was loaded, for the statistics extension of the Open Inference Protocol.
type stats struct {
	last                 atomic.Int64 // milliseconds since the epoch
	success, fail        counter
	queue, in, run, outs counter
}

// counter is a number of events and the time that they took.
type counter struct{ count, ns atomic.Int64 }

func (c *counter) add(d time.Duration) {
	c.count.Add(1)
	c.ns.Add(int64(d))
}

// counterJSON is a counter as the extension writes it.
type counterJSON struct {
	Count int64 `json:"count"`
	NS    int64 `json:"ns"`
}

func (c *counter) json() counterJSON { return counterJSON{c.count.Load(), c.ns.Load()} }

// note counts one run whose stages c knows.
func (s *stats) note(c *Call, err error, end time.Time) {
	if c.ended.IsZero() {
		return // refused before it ran
	}
	s.last.Store(end.UnixMilli())
	if err != nil {
		s.fail.add(end.Sub(c.queued))
		return
	}
	s.success.add(end.Sub(c.queued))
	s.queue.add(c.started.Sub(c.queued))
	from := c.started
	if !c.decoded.IsZero() {
		s.in.add(c.decoded.Sub(from))
		from = c.decoded
	}
	s.run.add(c.ended.Sub(from))
	s.outs.add(end.Sub(c.ended))
}
