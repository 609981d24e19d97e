package lambdaemu

import (
	"context"
	"time"
)

// AsyncResult is the end of an asynchronous call: docs.aws.amazon.com/lambda/latest/dg/invocation-async.html.
type AsyncResult struct {
	RequestID string
	Attempts  int
	Answer    *Answer // of the last attempt; nil when the emulator was closed before
}

// InvokeAsync accepts a call and returns its request id. It runs when a process is free; a function error is tried again,
// with the same request id. Config.Async is told the end.
func (e *Emulator) InvokeAsync(c Call) (requestID string, err error) {
	if err := checkPayload(c.Payload, MaxAsyncPayload, "Event"); err != nil {
		return "", err
	}
	if c.RequestID == "" {
		c.RequestID = NewID()
	}
	c.Stream = false
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return "", ErrClosed
	}
	e.work.Go(func() { e.cfg.Async(e.async(c)) })
	return c.RequestID, nil
}

func (e *Emulator) async(c Call) AsyncResult {
	end := AsyncResult{RequestID: c.RequestID}
	for {
		select {
		case e.slots <- struct{}{}:
		case <-e.stop:
			return end
		}
		a, err := e.invoke(context.Background(), c) // Close ends it
		if err != nil {                             // closed
			return end
		}
		end.Answer = a
		end.Attempts++
		if a.FunctionError == "" || end.Attempts > len(e.cfg.Timing.Retry) {
			return end
		}
		wait := time.NewTimer(e.cfg.Timing.Retry[end.Attempts-1])
		select {
		case <-wait.C:
		case <-e.stop:
			wait.Stop()
			return end
		}
	}
}
