package lambdaemu

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// sandbox is one process and the Runtime API that it alone talks to. It carries one call at a time.
type sandbox struct {
	process  *process.Process
	api      *http.Server
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
func launch(cfg Config, out *process.Output, logStream string) (*sandbox, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p, err := process.Start(process.Spec{
		Command: cfg.Command, Dir: cfg.Dir, Env: cfg.environ(ln.Addr().String(), logStream), Output: out,
	})
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s := &sandbox{
		process: p, shutdown: cfg.Timing.Shutdown,
		calls: make(chan *invocation), ready: make(chan struct{}), failed: make(chan *functionFail, 1),
		stopped: make(chan struct{}), ended: make(chan struct{}),
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

// lastWords is how long the API goes on to read what a process has sent before it ended. Its connections are closed by then,
// so that there is seldom anything to wait for.
const lastWords = time.Second

// wait closes the API when the process has ended, whoever ended it, and all that it said has been heard.
func (s *sandbox) wait(served chan struct{}) {
	<-s.process.Ended()
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if s.api.Shutdown(ctx) != nil {
		_ = s.api.Close() // a process of its own may hold a connection
	}
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
		grace := time.Duration(0)
		if wantsTerm {
			grace = s.shutdown
		}
		s.process.Stop(grace)
	})
	<-s.ended
}

// leave gives the process a moment to end by itself, until it goes on.
func (s *sandbox) leave(goesOn <-chan struct{}) {
	s.process.Wait(s.shutdown, goesOn)
	s.end()
}

func (s *sandbox) isEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// exit says how the process ended, in the service's words.
func (s *sandbox) exit() *functionFail {
	state := s.process.State()
	if state.Success() {
		return &functionFail{kind: "Runtime.ExitError", message: "Runtime exited without providing a reason"}
	}
	return &functionFail{kind: "Runtime.ExitError", message: "Runtime exited with error: " + state.String()}
}
