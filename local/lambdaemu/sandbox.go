package lambdaemu

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"time"
)

// sandbox is one process and the Runtime API that it alone talks to. It carries one call at a time.
type sandbox struct {
	cmd      *exec.Cmd
	api      *http.Server
	console  *console
	shutdown time.Duration // between SIGTERM and SIGKILL

	calls   chan *invocation
	ready   chan struct{}      // closed when the process asks for its first call: the end of init
	failed  chan *functionFail // the process's own report that init failed
	stopped chan struct{}      // closed when the process is to end
	ended   chan struct{}      // closed when it has, and has been waited for

	mu        sync.Mutex
	current   *invocation // between two "next"
	isReady   bool
	extension string // identifier of a registered extension: it wants SIGTERM
	stopOnce  sync.Once
}

// launch starts the process; it does not wait for its init.
func launch(cfg Config, out *output, logStream string) (*sandbox, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c, err := newConsole(out)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s := &sandbox{
		console: c, shutdown: cfg.Timing.Shutdown,
		calls: make(chan *invocation), ready: make(chan struct{}), failed: make(chan *functionFail, 1),
		stopped: make(chan struct{}), ended: make(chan struct{}),
	}
	s.cmd = exec.CommandContext(context.Background(), cfg.Command[0], cfg.Command[1:]...)
	s.cmd.Dir, s.cmd.Env = cfg.Dir, cfg.environ(ln.Addr().String(), logStream)
	s.cmd.Stdout, s.cmd.Stderr = c.w, c.w
	s.cmd.SysProcAttr = processAttributes()
	if err := s.cmd.Start(); err != nil {
		c.close()
		return nil, errors.Join(err, ln.Close())
	}
	s.api = &http.Server{Handler: s.runtimeAPI(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.api.Serve(ln) // until wait closes it
	}()
	go s.wait(served)
	return s, nil
}

// wait reaps the process, whenever it ends and whoever ended it.
func (s *sandbox) wait(served chan struct{}) {
	_ = s.cmd.Wait() // ProcessState tells
	kill(s.cmd.Process)
	s.console.close()
	_ = s.api.Close()
	<-served
	close(s.ended)
}

// end ends the process as the service does and returns when it has been waited for: SIGTERM first only if an extension was
// registered (lambda.WithEnableSIGTERM does that), since all others get SIGKILL at once.
func (s *sandbox) end() {
	s.stopOnce.Do(func() {
		close(s.stopped)
		s.mu.Lock()
		wantsTerm := s.extension != ""
		s.mu.Unlock()
		if wantsTerm {
			terminate(s.cmd.Process)
			s.waitEnd(nil)
		}
		select {
		case <-s.ended: // its id may be another process's by now
		default:
			kill(s.cmd.Process)
		}
	})
	<-s.ended
}

// leave gives the process a moment to end by itself, until it goes on.
func (s *sandbox) leave(goesOn <-chan struct{}) {
	s.waitEnd(goesOn)
	s.end()
}

func (s *sandbox) waitEnd(goesOn <-chan struct{}) {
	t := time.NewTimer(s.shutdown)
	defer t.Stop()
	select {
	case <-s.ended:
	case <-goesOn:
	case <-t.C:
	}
}

func (s *sandbox) isEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// memoryMB is the most memory the process has used, 0 when unknown.
func (s *sandbox) memoryMB() int {
	kb := memoryKB
	if s.isEnded() {
		kb = func(int) int { return endedMemoryKB(s.cmd.ProcessState) }
	}
	return (kb(s.cmd.Process.Pid) + 1023) / 1024
}

// exit says how the process ended, in the service's words.
func (s *sandbox) exit() *functionFail {
	if s.cmd.ProcessState.Success() {
		return &functionFail{kind: "Runtime.ExitError", message: "Runtime exited without providing a reason"}
	}
	return &functionFail{kind: "Runtime.ExitError", message: "Runtime exited with error: " + s.cmd.ProcessState.String()}
}
