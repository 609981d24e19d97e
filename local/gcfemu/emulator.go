package gcfemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// ErrClosed is returned after [Emulator.Close].
var ErrClosed = errors.New("gcfemu: the emulator is closed")

// errBusy is a request that found no room in time.
var errBusy = errors.New("gcfemu: no instance had room in time")

// Emulator is one service, its instances and the front end that callers see.
type Emulator struct {
	cfg       Config
	out       *process.Output
	transport *http.Transport
	work      sync.WaitGroup // instances

	mu        sync.Mutex
	closed    bool
	started   int         // instances so far
	instances []*instance // that start or serve
	waiting   []*waiter   // requests, oldest first
}

// waiter is a request on its way to an instance.
type waiter struct{ granted chan grant } // of one; whoever takes the waiter off the list sends

type grant struct {
	to  *instance
	err error
}

// New makes an emulator; the first request, or Start, starts the first instance.
func New(cfg Config) (*Emulator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!cfg.HTTP2)
	protocols.SetUnencryptedHTTP2(cfg.HTTP2)
	return &Emulator{
		cfg: cfg, out: process.NewOutput(withoutBlankLines{cfg.Output}),
		transport: &http.Transport{Protocols: protocols, DisableKeepAlives: !cfg.HTTP2, DisableCompression: true},
	}, nil
}

// withoutBlankLines drops the empty line that the Functions Framework writes after every request; Cloud Logging shows none.
type withoutBlankLines struct{ io.Writer }

func (w withoutBlankLines) Write(p []byte) (int, error) {
	if len(bytes.TrimSpace(p)) == 0 {
		return len(p), nil
	}
	return w.Writer.Write(p)
}

// Start is the check of a new revision: it returns when the first instance listens, or why none does.
func (e *Emulator) Start(ctx context.Context) error {
	i, err := e.acquire(ctx)
	if err == nil {
		e.release(i)
	}
	return err
}

// Close ends every instance as the platform does, and returns when none is left.
func (e *Emulator) Close() error {
	e.mu.Lock()
	e.closed = true
	for _, w := range e.waiting {
		w.granted <- grant{nil, ErrClosed}
	}
	e.waiting = nil
	for _, i := range e.instances {
		i.stop.Do(func() { close(i.stopped) })
	}
	e.mu.Unlock()
	e.work.Wait()
	e.transport.CloseIdleConnections()
	return nil
}

// acquire is an instance that has room for one more request. It starts one where that is allowed and needed.
func (e *Emulator) acquire(ctx context.Context) (*instance, error) {
	w := &waiter{make(chan grant, 1)}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, ErrClosed
	}
	e.waiting = append(e.waiting, w)
	e.dispatch()
	e.mu.Unlock()
	patience := time.NewTicker(e.cfg.Timing.Pending)
	defer patience.Stop()
	for {
		select {
		case g := <-w.granted:
			return g.to, g.err
		case <-ctx.Done():
			return e.leave(w, context.Cause(ctx))
		case <-patience.C:
			if !e.starting() {
				return e.leave(w, errBusy)
			}
		}
	}
}

// leave takes a waiter off the list, unless an instance was just given to it.
func (e *Emulator) leave(w *waiter, why error) (*instance, error) {
	e.mu.Lock()
	at := slices.Index(e.waiting, w)
	if at >= 0 {
		e.waiting = slices.Delete(e.waiting, at, at+1)
	}
	e.mu.Unlock()
	if at < 0 {
		g := <-w.granted
		return g.to, g.err
	}
	return nil, why
}

// release gives back what acquire gave.
func (e *Emulator) release(i *instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i.load--
	e.dispatch()
}

func (e *Emulator) starting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.instances, func(i *instance) bool { return !i.ready })
}

// dispatch gives the instances that have room to the requests that wait, and starts what is missing. The caller has the lock.
func (e *Emulator) dispatch() {
	room := func(i *instance) bool { return i.ready && i.load < e.cfg.Concurrency }
	for len(e.waiting) > 0 {
		at := slices.IndexFunc(e.instances, room)
		if at < 0 {
			break
		}
		e.instances[at].load++
		e.waiting[0].granted <- grant{e.instances[at], nil}
		e.waiting = e.waiting[1:]
	}
	starting := 0
	for _, i := range e.instances {
		if !i.ready {
			starting++
		}
	}
	for ; !e.closed && starting*e.cfg.Concurrency < len(e.waiting) && len(e.instances) < e.cfg.MaxInstances; starting++ {
		e.launch()
	}
}

// launch adds an instance, which starts. The caller has the lock.
func (e *Emulator) launch() {
	e.started++
	i := &instance{number: e.started, stopped: make(chan struct{})}
	if len(e.instances) > 0 {
		e.line("instance %d starts, since the others take no more than %d at a time (--concurrency); a request waits for its cold start",
			i.number, e.cfg.Concurrency)
	}
	e.instances = append(e.instances, i)
	e.work.Go(func() { e.live(i) })
}

// forget takes an instance off the list. The requests that it would have served get the error, if there is one; the others
// go on waiting.
func (e *Emulator) forget(i *instance, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.instances = slices.DeleteFunc(e.instances, func(other *instance) bool { return other == i })
	for n := 0; err != nil && n < e.cfg.Concurrency && len(e.waiting) > 0; n++ {
		e.waiting[0].granted <- grant{nil, err}
		e.waiting = e.waiting[1:]
	}
	e.dispatch()
}

// line is a line of the platform's in the log.
func (e *Emulator) line(format string, a ...any) { e.out.Line(fmt.Appendf(nil, format, a...)) }

// warn is a line that tells of harm which the platform would do without a word.
func (e *Emulator) warn(format string, a ...any) { e.line("warning: "+format, a...) }
