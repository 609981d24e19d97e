package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scorefn/scorefn/function/tensor"
)

// Model is what scores: *onnx.Session is one below its own joiner. It is called by many goroutines at one time.
type Model interface {
	// Check is an error when in does not fit the model.
	Check(in []tensor.Value) error
	// InferBatch scores in into the memory of out.
	InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error
}

// Options is how calls are joined.
type Options struct {
	Rows  int           // most rows of one run, 2 or more; a call with more runs alone
	Delay time.Duration // longest time that a call waits for company beside a run
	Runs  int           // runs at one time, 1 or more
	Off   func(error)   // told, once, why joining ended after it had begun; may be nil
}

// The states of a Joiner.
const (
	untried int32 = iota // calls go to the model as they are, and the first one is remembered for Check
	refused              // calls go to the model as they are: Check did not like its answers
	on
	ended // calls queue for a run of their own: there may be more of them than the model is to run at one time
)

// Joiner is a model whose calls may share runs. It is safe for concurrent use. Until [Joiner.Check] has succeeded it only
// hands calls on.
type Joiner struct {
	model  Model
	layout layout
	o      Options
	state  atomic.Int32
	shared atomic.Int64 // calls that had no run of their own
	calls  sync.Pool
	runs   sync.Pool

	mu      sync.Mutex // guards what follows and the calls' own state
	queue   []*call    // the oldest first
	running int        // runs going on
	coming  int        // callers on their way
	last    time.Duration
	timer   *time.Timer
	sample  []tensor.Value
}

// New makes a Joiner of a model. The error says why a model with these inputs and outputs cannot be joined.
func New(m Model, inputs, outputs []tensor.Spec, o Options) (*Joiner, error) {
	if o.Rows < 2 || o.Runs < 1 || o.Delay < 0 {
		return nil, fmt.Errorf("batch: %d rows, %d runs, %v: expected 2 rows, 1 run, no time, or more of them", o.Rows, o.Runs, o.Delay)
	}
	l, err := newLayout(inputs, outputs)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	j := &Joiner{model: m, layout: l, o: o}
	j.calls.New = func() any { return &call{ready: make(chan struct{}, 1)} }
	j.runs.New = func() any { return new(run) }
	j.timer = time.AfterFunc(time.Hour, j.wake)
	j.timer.Stop()
	return j, nil
}

// On tells whether calls are joined.
func (j *Joiner) On() bool { return j.state.Load() == on }

// Calls is how many calls at one time fill all runs.
func (j *Joiner) Calls() int { return j.o.Rows * j.o.Runs }

// Shared is how many calls shared the run of another call.
func (j *Joiner) Shared() int64 { return j.shared.Load() }

// InferBatch is the model's, perhaps together with other calls. A context that ends is the call's own affair: it leaves at
// once with the cause, and the others go on.
func (j *Joiner) InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error {
	if s := j.state.Load(); s == untried || s == refused {
		j.learn(in)
		return j.model.InferBatch(ctx, in, out)
	}
	c := j.calls.Get().(*call)
	defer j.forget(c)
	if err := j.enter(ctx, c, in); err != nil {
		return err
	}
	select {
	case <-c.ready:
	case <-ctx.Done():
		if j.leave(c) {
			return context.Cause(ctx)
		}
		<-c.ready // its turn came at this very moment
	}
	if c.run == nil {
		return j.alone(ctx, c, out)
	}
	r := c.run
	split(r.out.Values, c.from, c.rows, r.rows, out)
	j.release(r, 1)
	return nil
}

// forget is the end of a call.
func (j *Joiner) forget(c *call) {
	c.in, c.run, c.caller = nil, nil, nil
	j.calls.Put(c)
}

// enter puts a call into the queue.
func (j *Joiner) enter(ctx context.Context, c *call, in []tensor.Value) error {
	err := context.Cause(ctx)
	if err == nil {
		err = j.model.Check(in)
	}
	if err != nil {
		return err
	}
	rows, ok := j.layout.rows(in)
	j.mu.Lock()
	defer j.mu.Unlock()
	*c = call{in: in, rows: rows, alone: !ok || rows > j.o.Rows, since: time.Now(), ready: c.ready, caller: j.callerOf(ctx)}
	c.caller.is(false)
	j.queue = append(j.queue, c)
	if j.running < j.o.Runs && !c.alone {
		j.yield()
	}
	j.dispatch()
	return nil
}

// yield lets those go first who are ready to run: requests that have arrived and wait for a processor, not for a run. They
// get here meanwhile and share the run. Where there is nobody it returns at once. Joiner.mu is held before and after.
func (j *Joiner) yield() {
	j.mu.Unlock()
	runtime.Gosched()
	j.mu.Lock()
}

// alone scores one call in its own goroutine, on its own memory and with its own context. It holds a run.
func (j *Joiner) alone(ctx context.Context, c *call, out *tensor.Batch) error {
	start := time.Now()
	defer func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		c.caller.is(true)
		j.over(start)
	}()
	return j.model.InferBatch(ctx, c.in, out)
}

// over is the end of a run. Joiner.mu is held.
func (j *Joiner) over(start time.Time) {
	j.running--
	j.last = time.Since(start)
	j.dispatch()
}

// exec scores the calls of r. Whoever has left before their inputs were read is left out.
func (j *Joiner) exec(r *run) {
	defer j.release(r, 1)
	defer r.cancel()
	start := time.Now()
	err := j.score(r)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.settle(r, err)
	j.over(start)
}

// score joins the inputs of r and runs the model on them.
func (j *Joiner) score(r *run) (err error) {
	defer func() {
		if p := recover(); p != nil { // the call that is at fault will meet it again, in a goroutine whose owner expects it
			err = fmt.Errorf("batch: a joined run panicked: %v", p)
		}
	}()
	if !j.gather(r) {
		return nil
	}
	if err = j.model.InferBatch(r.ctx, r.in.Values, r.out); err != nil {
		return err
	}
	if err = misaligned(r.out.Values, r.rows); err != nil {
		j.end(err)
	}
	return err
}

// gather copies the inputs of r, which are their callers' again as soon as it returns; false when nobody is left.
func (j *Joiner) gather(r *run) bool {
	defer r.copying.Unlock() // it was locked when r was made: whoever leaves waits for it
	j.mu.Lock()
	r.rows = 0
	for _, c := range r.members {
		if c != nil {
			c.from = r.rows
			r.rows += c.rows
			r.inputs = append(r.inputs, c.in)
		}
	}
	j.mu.Unlock()
	if r.rows == 0 {
		return false
	}
	j.layout.join(r.inputs, r.in)
	clear(r.inputs)
	return true
}

var errMisaligned = errors.New("a joined run did not answer a row for each row")

// end stops joining for good.
func (j *Joiner) end(reason error) {
	if j.state.CompareAndSwap(on, ended) && j.o.Off != nil {
		j.o.Off(fmt.Errorf("batch: %w: %w", errMisaligned, reason))
	}
}
