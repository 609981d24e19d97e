package function

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrClosed is what a closed function answers.
var ErrClosed = errors.New("function: closed")

// longestRetry bounds how long a failed load is remembered.
const longestRetry = 30 * time.Second

// cell caches one load: success for good, failure for 1, 2, 4 … 30 s, after which the next caller tries again. mu is never
// held while load runs.
type cell[T any] struct {
	load func(context.Context) (T, error)

	mu     sync.Mutex
	cur    *attempt[T]
	fails  int
	closed bool
}

// attempt is one call of load. done is closed once the other fields are set.
type attempt[T any] struct {
	done  chan struct{}
	value T
	err   error
	retry time.Time // after a failure: when the next attempt may start
}

// get returns what load returned. Concurrent callers share one load, which goes on when the caller that started it goes
// away: a short first request must not poison the others. Each caller waits no longer than its own context.
func (c *cell[T]) get(ctx context.Context) (value T, err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return value, ErrClosed
	}
	a := c.cur
	if a == nil || a.stale() {
		a = &attempt[T]{done: make(chan struct{})}
		c.cur = a
		go c.run(context.WithoutCancel(ctx), a)
	}
	c.mu.Unlock()
	select {
	case <-a.done:
	default:
		select {
		case <-a.done:
		case <-ctx.Done():
			return value, context.Cause(ctx)
		}
	}
	if a.err != nil {
		return value, &loadError{a.err, max(time.Until(a.retry), 0)}
	}
	return a.value, nil
}

// loadError is a failed load, with the time until the next try.
type loadError struct {
	error
	wait time.Duration
}

func (e *loadError) Unwrap() error { return e.error }

func (a *attempt[T]) stale() bool {
	select {
	case <-a.done:
		return a.err != nil && !time.Now().Before(a.retry)
	default:
		return false // still loading
	}
}

func (c *cell[T]) run(ctx context.Context, a *attempt[T]) {
	a.err = errors.New("init did not return") // stays when load calls runtime.Goexit
	defer func() {
		if p := recover(); p != nil {
			a.err = newPanic("init", p)
		}
		if a.err != nil {
			c.mu.Lock()
			a.retry = time.Now().Add(backoff(c.fails))
			c.fails++
			c.mu.Unlock()
		}
		close(a.done)
	}()
	a.value, a.err = c.load(ctx)
}

// backoff is 1, 2, 4 … 30 s after fails earlier failures.
func backoff(fails int) time.Duration {
	return min(time.Second<<min(fails, 5), longestRetry)
}

// peek is the value where there is one already.
func (c *cell[T]) peek() (value T, ok bool) {
	c.mu.Lock()
	a := c.cur
	c.mu.Unlock()
	if a == nil {
		return value, false
	}
	select {
	case <-a.done:
		return a.value, a.err == nil
	default:
		return value, false
	}
}

// close makes get fail from now on, waits for a load in flight and returns the value for its owner to free; ok is false
// when there is none, or when it was handed out before.
func (c *cell[T]) close() (value T, ok bool) {
	c.mu.Lock()
	a, was := c.cur, c.closed
	c.closed = true
	c.mu.Unlock()
	if a == nil || was {
		return value, false
	}
	<-a.done
	return a.value, a.err == nil
}

// panicError is a recovered panic; its text has the stack for the log.
type panicError struct {
	what  string
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("%s panicked: %v\n%s", e.what, e.value, e.stack)
}
