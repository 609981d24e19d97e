package gcfemu

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// instance is one process and the port that it listens on.
type instance struct {
	number  int
	port    int
	process *process.Process // once it was started; written by live alone, before ready
	stopped chan struct{}    // closed when it is to end
	stop    sync.Once
	heavy   sync.Once // told that it uses too much memory

	// Guarded by the emulator's lock.
	ready bool // it listens
	load  int  // requests in it
}

func (i *instance) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(i.port)) }

// StartError is an instance that did not come to listen. On the platform the deployment fails, or the request with 503.
type StartError struct{ Reason string }

func (s *StartError) Error() string { return "gcfemu: the instance did not start: " + s.Reason }

// live is an instance from its start to its end.
func (e *Emulator) live(i *instance) {
	begin := time.Now()
	if err := e.boot(i); err != nil {
		if i.process != nil {
			i.process.Stop(e.cfg.Timing.Shutdown)
		}
		e.forget(i, err)
		return
	}
	e.line("instance %d (pid %d) listens after %v", i.number, i.process.Pid(), time.Since(begin).Round(time.Millisecond))
	e.checkAddress(i)
	e.mu.Lock()
	i.ready = true
	e.dispatch()
	e.mu.Unlock()
	select {
	case <-i.process.Ended():
	case <-i.stopped:
		i.process.Stop(e.cfg.Timing.Shutdown)
	}
	e.mu.Lock()
	load := i.load
	e.mu.Unlock()
	e.farewell(i, load)
	e.forget(i, nil)
}

// boot starts the process and waits until it listens.
func (e *Emulator) boot(i *instance) error {
	var err error
	if i.port, err = process.FreePort(); err != nil {
		return &StartError{err.Error()}
	}
	i.process, err = process.Start(process.Spec{Command: e.cfg.Command, Dir: e.cfg.Dir, Env: e.cfg.environ(i.port), Output: e.out})
	if err != nil {
		return &StartError{err.Error()}
	}
	begin := time.Now()
	limit := time.NewTimer(e.cfg.Timing.Startup)
	defer limit.Stop()
	probe := time.NewTicker(e.cfg.Timing.Probe)
	defer probe.Stop()
	progress := time.NewTicker(e.cfg.Timing.Progress)
	defer progress.Stop()
	for !listens(i.addr()) {
		select {
		case <-i.process.Ended():
			return &StartError{"it ended with " + i.process.State().String() + " before it listened on PORT; its own lines say why"}
		case <-i.stopped:
			return ErrClosed
		case <-limit.C:
			return &StartError{fmt.Sprintf("it did not listen on PORT=%d within %v: listen before work that takes long, and on the port that PORT names",
				i.port, e.cfg.Timing.Startup)}
		case <-progress.C:
			fmt.Fprintf(e.cfg.Progress, "instance %d: %.0f s of the %.0f s it has to listen on PORT\n",
				i.number, time.Since(begin).Seconds(), e.cfg.Timing.Startup.Seconds())
		case <-probe.C:
		}
	}
	return nil
}

// farewell says how an instance ended.
func (e *Emulator) farewell(i *instance, load int) {
	state := i.process.State()
	asked := false
	select {
	case <-i.stopped:
		asked = true
	default:
	}
	switch {
	case !asked && load > 0:
		e.warn("instance %d ended (%v) with %d requests in it: they are answered 503, events come again. The next request starts another instance",
			i.number, state, load)
	case !asked:
		e.warn("instance %d ended by itself (%v): the next request pays for a cold start", i.number, state)
	case state.String() == "signal: killed":
		e.warn("instance %d did not end within %v of SIGTERM and was killed: what it had not written yet is lost", i.number, e.cfg.Timing.Shutdown)
	}
}

// checkAddress warns of a server that only this machine reaches. Linux answers for all of 127.0.0.0/8, a server on 127.0.0.1
// does not.
func (e *Emulator) checkAddress(i *instance) {
	if runtime.GOOS == "linux" && !listens(net.JoinHostPort("127.0.0.2", strconv.Itoa(i.port))) {
		e.warn("instance %d listens on 127.0.0.1 alone: the platform's front end cannot reach it and the deployment fails; listen on every address, \":\"+PORT", i.number)
	}
}

// checkMemory warns of an instance that has used more than it has, once.
func (e *Emulator) checkMemory(i *instance) {
	if used := i.process.MemoryMB(); used > e.cfg.MemoryMB {
		i.heavy.Do(func() {
			e.warn("instance %d has used %d MB of %d: the platform would have ended it and its requests (--memory)", i.number, used, e.cfg.MemoryMB)
		})
	}
}

func listens(addr string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // a full backlog
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was said
	return true
}
