package lambdaemu

import (
	"errors"
	"io"
	"path/filepath"
	"time"
)

// The service's quotas (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html): 6 MB is 6 MiB and 100 bytes.
const (
	MaxPayload      = 6*1024*1024 + 100 // request and response of a synchronous call
	MaxAsyncPayload = 1024 * 1024       // event of an asynchronous call
	MaxStream       = 200 * 1024 * 1024 // streamed response
)

// Config says which function runs and with what. Only Command is needed.
type Config struct {
	Command     []string      // the executable and its arguments; Lambda starts "bootstrap" with none
	Dir         string        // working directory and LAMBDA_TASK_ROOT; the executable's folder by default
	Env         []string      // the function's own variables, K=V; they beat the platform's
	Name        string        // function name; "function" by default
	MemoryMB    int           // told to the function and in REPORT lines, not enforced; 1769 by default, one vCPU
	Timeout     time.Duration // of one call; 3 s by default, as the service's
	Concurrency int           // processes; 10 by default, the quota of a new account
	Output      io.Writer     // the processes' output and the platform's lines, whole lines only
	Progress    io.Writer     // a line a second while an init takes long; none by default
	Timing      Timing

	// Async is told the end of every asynchronous call, as the service tells a destination.
	Async func(AsyncResult)
}

// Timing is the service's pace. A zero field has the default; tests make it faster.
type Timing struct {
	Init     time.Duration   // of the init phase: 10 s
	Shutdown time.Duration   // between SIGTERM and SIGKILL, for functions that registered an extension: 500 ms
	Retry    []time.Duration // before each further attempt of an asynchronous call: 1 min, 2 min
	Settle   time.Duration   // a finished call waits so long for its process to ask for the next one: 100 ms
	Progress time.Duration   // between two lines of progress: 1 s
}

func (c Config) withDefaults() (Config, error) {
	if len(c.Command) == 0 {
		return c, errors.New("lambdaemu: no command")
	}
	path, err := filepath.Abs(c.Command[0]) // a relative one would be looked up in Dir
	if err != nil {
		return c, err
	}
	c.Command = append([]string{path}, c.Command[1:]...)
	if c.Dir == "" {
		c.Dir = filepath.Dir(path)
	}
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, err
	}
	orDefault(&c.Name, "function")
	orDefault(&c.MemoryMB, 1769)
	orDefault(&c.Timeout, 3*time.Second)
	orDefault(&c.Concurrency, 10)
	orDefault(&c.Timing.Init, 10*time.Second)
	orDefault(&c.Timing.Shutdown, 500*time.Millisecond)
	orDefault(&c.Timing.Settle, 100*time.Millisecond)
	orDefault(&c.Timing.Progress, time.Second)
	if c.Timing.Retry == nil {
		c.Timing.Retry = []time.Duration{time.Minute, 2 * time.Minute}
	}
	if c.Output == nil {
		c.Output = io.Discard
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.Async == nil {
		c.Async = func(AsyncResult) {}
	}
	if c.Timeout < 0 || c.MemoryMB < 0 || c.Concurrency < 0 {
		return c, errors.New("lambdaemu: timeout, memory and concurrency must be positive")
	}
	return c, nil
}

func orDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
