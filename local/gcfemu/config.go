package gcfemu

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// The platform's limits: cloud.google.com/functions/quotas and cloud.google.com/run/quotas.
const (
	MaxBody       = 32 << 20         // request and response over HTTP/1
	MaxStreamed   = 10 << 20         // streamed response of a function
	MaxEvent      = 512 << 10        // an event that Eventarc delivers
	MaxEventTime  = 9 * time.Minute  // of an event-driven function
	MaxTime       = 60 * time.Minute // of a request
	AckDeadline   = 10 * time.Second // of a Pub/Sub subscription, unless it is configured
	MaxConcurrent = 1000
)

// Config says what runs and with what. Only Command is needed.
type Config struct {
	Command      []string      // the executable and its arguments
	Dir          string        // working directory; "." by default
	Env          []string      // the function's own variables, K=V
	Name         string        // of the service: K_SERVICE; "function" by default
	Target       string        // FUNCTION_TARGET; "" for a container of Cloud Run, which is no function
	Concurrency  int           // requests in one instance at the same time; 1 for a function, 80 for a container
	MaxInstances int           // 10 by default
	Timeout      time.Duration // of one request; 1 min for a function, 5 min for a container
	MemoryMB     int           // of one instance, not enforced; 1024 by default
	HTTP2        bool          // the container is spoken to in h2c: no limit on sizes (gcloud run deploy --use-http2)
	Output       io.Writer     // the processes' output and the platform's lines, whole lines only
	Progress     io.Writer     // a line a second while a start takes long; none by default
	Timing       Timing
}

// Timing is the platform's pace. A zero field has the default; tests make it faster.
type Timing struct {
	Startup  time.Duration // an instance must listen by then: 240 s
	Shutdown time.Duration // between SIGTERM and SIGKILL: 10 s
	Pending  time.Duration // a request waits so long for room, longer while an instance starts: 10 s
	Probe    time.Duration // between two looks whether an instance listens: 10 ms
	Progress time.Duration // between two lines of progress: 1 s
}

// function tells a function from a container.
func (c *Config) function() bool { return c.Target != "" }

func (c Config) withDefaults() (Config, error) {
	if len(c.Command) == 0 {
		return c, errors.New("gcfemu: no command")
	}
	path, err := filepath.Abs(c.Command[0]) // a relative one would be looked up in Dir
	if err != nil {
		return c, err
	}
	c.Command = append([]string{path}, c.Command[1:]...)
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, err
	}
	concurrency, timeout := 80, 5*time.Minute
	if c.function() {
		concurrency, timeout = 1, time.Minute
	}
	orDefault(&c.Name, "function")
	orDefault(&c.Concurrency, concurrency)
	orDefault(&c.MaxInstances, 10)
	orDefault(&c.Timeout, timeout)
	orDefault(&c.MemoryMB, 1024)
	orDefault(&c.Timing.Startup, 240*time.Second)
	orDefault(&c.Timing.Shutdown, 10*time.Second)
	orDefault(&c.Timing.Pending, 10*time.Second)
	orDefault(&c.Timing.Probe, 10*time.Millisecond)
	orDefault(&c.Timing.Progress, time.Second)
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.Output == nil {
		c.Output = io.Discard
	}
	return c, c.check()
}

func (c *Config) check() error {
	switch {
	case c.Timeout <= 0 || c.Timeout > MaxTime:
		return fmt.Errorf("gcfemu: a request may take more than 0 and at most %v, not %v", MaxTime, c.Timeout)
	case c.Concurrency <= 0 || c.Concurrency > MaxConcurrent:
		return fmt.Errorf("gcfemu: concurrency is 1 to %d, not %d", MaxConcurrent, c.Concurrency)
	case c.MaxInstances <= 0 || c.MemoryMB <= 0:
		return errors.New("gcfemu: the number of instances and the memory must be more than 0")
	case c.Timing.Startup <= 0:
		return errors.New("gcfemu: an instance needs time to start")
	case c.HTTP2 && c.function():
		return errors.New("gcfemu: the Functions Framework does not speak h2c; only a container may")
	}
	for _, kv := range c.Env {
		name, _, _ := strings.Cut(kv, "=")
		if Reserved(name) {
			return fmt.Errorf("gcfemu: %s is the platform's own variable: a deployment that sets it is refused", name)
		}
	}
	return nil
}

func orDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
