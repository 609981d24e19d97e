package lambdaemu

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// run takes one call through a process from the first line of its log to the last. It owns the process meanwhile.
func (e *Emulator) run(box *sandbox, inv *invocation) {
	defer close(inv.finished)
	rep := report{id: inv.id, memoryMB: e.cfg.MemoryMB}
	if box == nil {
		box, rep.init = e.init(e.cfg.Timing.Init, "init", nil)
	}
	e.line(inv, "START RequestId: %s Version: %s", inv.id, version)
	begin := time.Now()
	inv.deadline = begin.Add(e.cfg.Timeout)
	timeout := time.NewTimer(e.cfg.Timeout)
	defer timeout.Stop()
	var r reply
	if box == nil { // the init failed: the service tries it again inside the call
		box, _ = e.init(e.cfg.Timeout, "invoke", &r)
	}
	initFailed := box == nil
	useful := false
	if !initFailed {
		r = e.perform(box, inv, timeout.C)
		if useful = r.fail == nil || !r.retire; useful {
			useful = e.settle(box, inv, &r, timeout.C)
		}
		rep.usedMB = box.process.MemoryMB()
	}
	e.ending(box, inv, &rep, r.fail, time.Since(begin), useful)
	e.done(box, useful)
	e.answer(inv, r, initFailed)
}

// init starts a process and waits until it asks for its first call. When it does not, the failure is in r, if one is wanted,
// and in the log.
func (e *Emulator) init(limit time.Duration, phase string, r *reply) (*sandbox, time.Duration) {
	begin := time.Now()
	box, fail := e.boot(limit)
	took := time.Since(begin)
	if fail == nil {
		return box, took
	}
	status := "error\tError Type: " + fail.kind
	if fail.timeout {
		status = "timeout"
	}
	e.out.Line(fmt.Appendf(nil, "INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", millis(took), phase, status))
	if r != nil {
		r.fail = fail
	}
	return nil, 0
}

func (e *Emulator) boot(limit time.Duration) (*sandbox, *functionFail) {
	box, err := e.launch()
	if err != nil {
		return nil, &functionFail{kind: "Runtime.InvalidEntrypoint", message: err.Error()}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	tick := time.NewTicker(e.cfg.Timing.Progress)
	defer tick.Stop()
	begin := time.Now()
	for {
		select {
		case <-box.ready:
			return box, nil
		case f := <-box.failed:
			box.leave(box.ready)
			return nil, f
		case <-box.ended:
			select {
			case f := <-box.failed: // it said why before it ended
				return nil, f
			default:
				return nil, box.exit()
			}
		case <-timer.C:
			box.end()
			return nil, timedOut(limit)
		case <-tick.C:
			fmt.Fprintf(e.cfg.Progress, "init: %.0f s of %.0f s\n", time.Since(begin).Seconds(), limit.Seconds())
		}
	}
}

// launch starts a process that Close knows of.
func (e *Emulator) launch() (*sandbox, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	box, err := launch(e.cfg, e.out, time.Now().UTC().Format("2006/01/02/")+"["+version+"]"+NewID())
	if err != nil {
		return nil, err
	}
	e.boxes[box] = true
	e.work.Go(func() {
		<-box.ended
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.boxes, box)
	})
	return box, nil
}

// perform hands the call over and waits for the answer, for the end of the process or for the timeout.
func (e *Emulator) perform(box *sandbox, inv *invocation, timeout <-chan time.Time) reply {
	box.process.Attach(inv.log.line)
	select {
	case box.calls <- inv:
	case <-timeout:
		return e.late(box, inv)
	case <-box.ended:
		return reply{fail: box.exit(), retire: true}
	}
	var r reply
	select {
	case r = <-inv.replies:
	case <-timeout:
		return e.late(box, inv)
	case <-box.ended:
		select {
		case r = <-inv.replies: // it answered, and then it ended
		default:
			return reply{fail: box.exit(), retire: true}
		}
	}
	switch {
	case r.stream != nil:
		e.stream(box, inv, &r, timeout)
	case r.retire: // aws-lambda-go ends itself after a 413; others are ended
		box.leave(inv.settled)
	}
	return r
}

// late ends a process that did not answer in time.
func (e *Emulator) late(box *sandbox, inv *invocation) reply {
	box.process.Sync() // what it wrote comes first
	box.end()
	e.line(inv, "%s %s %s", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), inv.id, timeoutText(e.cfg.Timeout))
	return reply{fail: timedOut(e.cfg.Timeout), retire: true}
}

// stream lets the caller read, and closes its side when the function has ended its own, whichever way.
func (e *Emulator) stream(box *sandbox, inv *invocation, r *reply, timeout <-chan time.Time) {
	e.answer(inv, *r, false)
	var err error
	select {
	case err = <-r.copied:
	case <-timeout:
		r.fail, r.retire = e.late(box, inv).fail, true
	case <-box.ended:
		select {
		case err = <-r.copied:
		default:
			r.fail, r.retire = box.exit(), true
		}
	}
	if s, ok := errors.AsType[*StreamError](err); ok {
		r.fail = ownFail(s.Type, s.Body)
	} else if r.fail != nil {
		err = &StreamError{r.fail.kind, r.fail.body(inv.id)}
	}
	_ = r.pipe.CloseWithError(err) // nil is io.EOF; never fails
}

// settle waits until the process asks for the next call, which ends this one; false when it will not. A caller that waits
// longer than a moment gets its answer first: so calls one after the other meet the same process.
func (e *Emulator) settle(box *sandbox, inv *invocation, r *reply, timeout <-chan time.Time) bool {
	moment := time.NewTimer(e.cfg.Timing.Settle)
	defer moment.Stop()
	for {
		select {
		case <-inv.settled:
			return true
		case <-box.ended:
			return false
		case <-timeout:
			r.fail = e.late(box, inv).fail // for the report; most callers have their answer
			return false
		case <-moment.C:
			e.answer(inv, *r, false)
		}
	}
}

// answer is what the caller gets, once.
func (e *Emulator) answer(inv *invocation, r reply, initFailed bool) {
	inv.deliver.Do(func() {
		a := &Answer{RequestID: inv.id, Payload: r.payload, ContentType: r.contentType}
		switch {
		case r.stream != nil:
			a.Body = &streamBody{r.stream, inv.finished}
		case r.fail != nil:
			a.Payload, a.ContentType = r.fail.body(inv.id), "application/json"
			a.FunctionError, a.ErrorType, a.InitFailed = "Unhandled", r.fail.kind, initFailed
			fallthrough
		default:
			a.Log = inv.log.bytes()
		}
		inv.result <- a
	})
}

// streamBody ends when the process is free again, as the other answers come then.
type streamBody struct {
	r        *io.PipeReader
	finished chan struct{}
}

func (b *streamBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil {
		<-b.finished
	}
	return n, err
}

// Close tells that the rest is not wanted; the function goes on.
func (b *streamBody) Close() error { return b.r.Close() }
