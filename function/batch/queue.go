package batch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function/tensor"
)

// call is one call of InferBatch that is not over. All but in belongs to Joiner.mu until ready says that its turn has come.
type call struct {
	in    []tensor.Value
	rows  int
	alone bool // it shares its run with nobody
	since time.Time
	state callState
	run   *run // in which it has a part; nil when it runs by itself
	from  int  // its first row in run

	caller *Caller // who makes it; nil when that is not known
	ready  chan struct{}
}

type callState uint8

const (
	queued callState = iota
	inRun            // of a run that goes on
	turn             // told: to run by itself, or that its rows are there
)

// tell ends a call's wait. It never blocks: a call is told once.
func (c *call) tell() {
	c.state = turn
	c.ready <- struct{}{}
}

// run is one run of several calls.
type run struct {
	members []*call // nil where one has left
	left    int     // members that have not
	refs    int     // of the members and of the goroutine that runs, guarded by Joiner.mu
	rows    int

	copying sync.Mutex // held until the inputs are copied
	inputs  [][]tensor.Value
	in, out *tensor.Batch
	ctx     context.Context //nolint:containedctx // of the run itself: it ends when every member has left
	cancel  context.CancelFunc
}

const (
	// patience is how long calls wait for callers that are on their way: a body is being decoded.
	patience = 10 * time.Millisecond
	// worth is the shortest wait: a timer is not much more exact.
	worth = 100 * time.Microsecond
)

// dispatch starts the runs whose time has come. Joiner.mu is held, here and below.
func (j *Joiner) dispatch() {
	for len(j.queue) > 0 && j.running < j.o.Runs {
		n, full := j.company()
		if wait := j.wait(full); wait > 0 {
			j.timer.Reset(wait)
			return
		}
		j.running++
		if n > 1 {
			j.start(n)
			continue
		}
		c := j.queue[0]
		j.queue = slices.Delete(j.queue, 0, 1)
		c.tell()
	}
}

// wake is dispatch when the timer fires.
func (j *Joiner) wake() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dispatch()
}

// wait is how long the oldest call is still to wait for company.
func (j *Joiner) wait(full bool) time.Duration {
	waited := time.Since(j.queue[0].since)
	switch {
	case full:
		return 0
	case j.coming > 0:
		return patience - waited
	case j.running == 0 && len(j.queue) == 1:
		return 0 // nobody else is there
	}
	wait := min(j.o.Delay, j.last/4) - waited
	if wait < worth {
		return 0
	}
	return wait
}

// company is how many calls the next run would have; full when waiting for more of them is no use.
func (j *Joiner) company() (n int, full bool) {
	head := j.queue[0]
	if head.alone || !j.On() {
		return 1, true
	}
	rows := 0
	for _, c := range j.queue {
		switch {
		case !j.joins(head, c):
		case rows+c.rows > j.o.Rows:
			full = true
		default:
			n++
			rows += c.rows
		}
	}
	return n, full || rows == j.o.Rows
}

func (j *Joiner) joins(head, c *call) bool {
	return c == head || !c.alone && j.layout.alike(head.in, c.in)
}

// start takes n calls out of the queue, those that company has counted, and runs them.
func (j *Joiner) start(n int) {
	r := j.runs.Get().(*run)
	r.copying.Lock()
	r.in, r.out = tensor.GetBatch(), tensor.GetBatch()
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.left, r.refs = n, n+1
	head, rows := j.queue[0], 0
	j.queue = slices.DeleteFunc(j.queue, func(c *call) bool {
		if !j.joins(head, c) || rows+c.rows > j.o.Rows {
			return false
		}
		rows += c.rows
		c.run, c.state = r, inRun
		r.members = append(r.members, c)
		return true
	})
	go j.exec(r)
}

// settle tells the members of a run that it is over. After an error they are to run alone, before everybody else: whose
// error it is shows only then.
func (j *Joiner) settle(r *run, err error) {
	back := 0
	for _, c := range r.members {
		switch {
		case c == nil:
		case err == nil:
			c.caller.is(true) // now, or the first to wake up would find nobody to wait for
			c.tell()
		default:
			c.run, c.state, c.alone = nil, queued, true
			j.queue = slices.Insert(j.queue, back, c)
			back++
		}
	}
	r.refs -= back
	if err == nil && r.left > 0 {
		j.shared.Add(int64(r.left - 1))
	}
}

// leave takes a call out whose context is done; false when its turn has come already.
func (j *Joiner) leave(c *call) bool {
	j.mu.Lock()
	r := c.run
	switch c.state {
	case queued:
		i := slices.Index(j.queue, c)
		j.queue = slices.Delete(j.queue, i, i+1)
		j.dispatch() // it may have been waited for
		j.mu.Unlock()
		return true
	case turn:
		j.mu.Unlock()
		return false
	case inRun:
	}
	r.members[slices.Index(r.members, c)] = nil
	if r.left--; r.left == 0 {
		r.cancel()
	}
	j.mu.Unlock()
	r.copying.Lock()   // the inputs belong to its caller again
	r.copying.Unlock() //nolint:staticcheck // waiting is all that is wanted
	j.release(r, 1)
	return true
}

// release gives back n shares of a run.
func (j *Joiner) release(r *run, n int) {
	j.mu.Lock()
	r.refs -= n
	last := r.refs == 0
	j.mu.Unlock()
	if !last {
		return
	}
	r.in.Release()
	r.out.Release()
	clear(r.members)
	r.members, r.inputs = r.members[:0], r.inputs[:0]
	r.in, r.out, r.ctx, r.cancel = nil, nil, nil, nil
	j.runs.Put(r)
}
