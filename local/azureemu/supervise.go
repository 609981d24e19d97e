package azureemu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// worker is one start of the handler.
type worker struct {
	p       *process.Process
	stderr  *lastLines
	restart chan string // a function's timeout: the reason, once
	isReady bool        // under the emulator's lock
}

// The exit codes that the host knows.
const (
	exitDead    = 0   // nothing happens: nobody starts it again
	exitRestart = 200 // on purpose
)

// endKnown is the longest pause between the end of a process's connections and its own.
const endKnown = time.Second

// supervise starts the handler, and starts it again as the host does, until Close or until it has failed three times
// (HttpFunctionInvocationDispatcher).
func (e *Emulator) supervise(ctx context.Context) {
	defer close(e.done)
	var errs failures
	for ctx.Err() == nil {
		err := e.session(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
		case errs.add(time.Now()) < maxErrors:
			e.log.error("handler: %v; it is started again", err)
		default:
			e.log.error("handler: %v", err)
			e.shutDown(errors.New("Exceeded http worker restart retry count. Shutting down Functions Host")) //nolint:staticcheck // the host's words
		}
	}
}

// failures are the times of the handler's errors.
type failures []time.Time

// add counts an error; one after a long pause is the first again.
func (f *failures) add(now time.Time) int {
	if n := len(*f); n > 0 && now.Sub((*f)[n-1]) > errorWindow {
		*f = nil
	}
	*f = append(*f, now)
	return len(*f)
}

// session is one start of the handler to its end. The error is one that counts.
func (e *Emulator) session(ctx context.Context) error {
	w, err := e.launch()
	if err != nil {
		return err
	}
	defer e.change(func() { e.worker = nil })
	defer e.forget()
	defer func() { w.p.Stop(e.cfg.Grace) }()
	if e.cfg.Started != nil {
		e.cfg.Started(w.p.Pid())
	}
	started := time.Now()
	if err := e.probed(ctx, w); err != nil {
		return err
	}
	e.log.info("Worker process started and initialized. (%s)", round(time.Since(started)))
	e.change(func() { e.worker, w.isReady = w, true })
	return e.watch(ctx, w)
}

func (e *Emulator) launch() (*worker, error) {
	argv, dir, err := e.app.command(e.env)
	if err != nil {
		return nil, err
	}
	id, port := newID(), strconv.Itoa(e.port)
	env := append(slices.Clone(e.env),
		"FUNCTIONS_CUSTOMHANDLER_PORT="+port, "FUNCTIONS_HTTPWORKER_PORT="+port,
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID="+id, "FUNCTIONS_HTTPWORKER_ID="+id,
		"FUNCTIONS_APP_ROOT_PATH="+e.app.Root)
	w := &worker{stderr: &lastLines{}, restart: make(chan string, 1)}
	w.p, err = process.Start(process.Spec{
		Command: argv, Dir: dir, Env: env,
		Output: process.NewOutput(&stream{e.log, stdoutLevel, nil}),
		Errors: process.NewOutput(&stream{e.log, stderrLevel, w.stderr}),
	})
	if err != nil {
		return nil, fmt.Errorf("it cannot be started: %w", err)
	}
	return w, nil
}

// probed waits until the handler is ready. A handler that ends with 0 meanwhile is probed on, in vain, as the host does.
func (e *Emulator) probed(ctx context.Context, w *worker) error {
	clientTimeout := time.Duration(0)
	if e.app.Host.FunctionTimeout > 0 {
		clientTimeout = e.app.Host.FunctionTimeout + extraTime
	}
	ended := w.p.Ended()
	for {
		err := probe(ctx, e.direct, e.url+"/", e.app.Host.InitTimeout, clientTimeout, ended)
		if errors.Is(err, errDropped) && (ended == nil || e.lives(ctx, w)) {
			return nil
		}
		if !errors.Is(err, errEnded) && !errors.Is(err, errDropped) {
			return err
		}
		if w.p.State().ExitCode() != exitDead {
			return e.exited(w)
		}
		e.deadTrap()
		ended = nil
	}
}

// lives tells whether a handler that dropped a connection is still there: the connections of a process that ends are closed a
// moment before its end is known.
func (e *Emulator) lives(ctx context.Context, w *worker) bool {
	pause := time.NewTimer(endKnown)
	defer pause.Stop()
	select {
	case <-w.p.Ended():
		return false
	case <-pause.C:
	case <-ctx.Done():
	}
	return true
}

// exited is the error of a process that has ended, nil when that does not count.
func (e *Emulator) exited(w *worker) error {
	state := w.p.State()
	if state.ExitCode() == exitRestart {
		e.log.info("handler: exit code %d: it is started again", exitRestart)
		return nil
	}
	if last := w.stderr.String(); last != "" {
		return fmt.Errorf("%s: %s", state, last)
	}
	return fmt.Errorf("%s", state)
}

// forget closes the connections to a process that has ended: a request on one would fail in another way than one to nobody.
func (e *Emulator) forget() {
	e.client.CloseIdleConnections()
	e.direct.CloseIdleConnections()
}

func (e *Emulator) deadTrap() {
	e.forget()
	e.log.traps("handler", traps{{"exit-0", "it has ended with exit code 0: the host does not start it again, every invocation fails " +
		"from now on, until the app is restarted. End with 200 to be started again, with any other code to be seen"}})
}

// watch waits for the end of a ready handler.
func (e *Emulator) watch(ctx context.Context, w *worker) error {
	ended := w.p.Ended()
	for {
		select {
		case <-ended:
			if w.p.State().ExitCode() != exitDead {
				return e.exited(w)
			}
			e.deadTrap()
			ended = nil
		case why := <-w.restart:
			e.log.warn("%s: the handler is killed and started again; all that it was doing is lost", why)
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// expire ends the handler because a function took too long.
func (w *worker) expire(why string) {
	select {
	case w.restart <- why:
	default: // it is on its way
	}
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
