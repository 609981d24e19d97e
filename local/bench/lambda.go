package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/bench/proc"
	"github.com/scorefn/scorefn/local/lambdaemu"
)

// lambdaFunction is a Lambda function under its emulator, one process of it.
type lambdaFunction struct {
	emulator  *lambdaemu.Emulator
	bootstrap string
	log       *headLog
	process   int // id, once it has answered; 0 when it is not known
}

// headLog keeps the beginning of what is written to it.
type headLog struct {
	mu   sync.Mutex
	head []byte
}

// mostHead is how much of a log is kept: what a program says when it starts.
const mostHead = 64 << 10

func (l *headLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head = append(l.head, b[:min(len(b), mostHead-len(l.head))]...)
	return len(b), nil
}

func (l *headLog) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.head)
}

// newFunction makes one; its process starts with the first call.
func newFunction(bootstrap, root string, env []string) (*lambdaFunction, error) {
	log := new(headLog)
	e, err := lambdaemu.New(lambdaemu.Config{
		Command: []string{bootstrap}, Dir: root, Env: env, Concurrency: 1, Timeout: longestStart,
		// An answer comes when the process is free again, however long a busy machine takes: the next call would be refused.
		Timing: lambdaemu.Timing{Init: longestStart, Settle: longestStart}, Output: log,
	})
	return &lambdaFunction{emulator: e, bootstrap: bootstrap, log: log}, err
}

// do invokes it directly: the payload is the request.
func (f *lambdaFunction) do(ctx context.Context, body []byte) ([]byte, error) {
	a, err := f.emulator.Invoke(ctx, lambdaemu.Call{Payload: body})
	if err != nil {
		return nil, err
	}
	if a.FunctionError != "" {
		return nil, fmt.Errorf("function error: %s\n%s", a.Payload, a.Log)
	}
	return a.Payload, nil
}

func (f *lambdaFunction) pid() int { return f.process }

func (f *lambdaFunction) stop() { _ = f.emulator.Close() } // it never fails

// first is the first call and its time, the start of the process included.
func (f *lambdaFunction) first(ctx context.Context, body []byte) (took time.Duration, answer []byte, err error) {
	others := proc.Running(os.Getpid(), f.bootstrap)
	start := time.Now()
	answer, err = f.do(ctx, body)
	took = time.Since(start)
	for _, pid := range proc.Running(os.Getpid(), f.bootstrap) {
		if !slices.Contains(others, pid) {
			f.process = pid
		}
	}
	return took, answer, err
}
