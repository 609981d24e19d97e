package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
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
		Timing: lambdaemu.Timing{Init: longestStart}, Output: log,
	})
	return &lambdaFunction{e, bootstrap, log}, err
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

func (f *lambdaFunction) pid() int {
	if all := proc.Running(os.Getpid(), f.bootstrap); len(all) > 0 {
		return all[0]
	}
	return 0
}

func (f *lambdaFunction) stop() { _ = f.emulator.Close() } // it never fails

// cold is the time of the first call, the start of the process included.
func (f *lambdaFunction) cold(ctx context.Context, body []byte) (time.Duration, []byte, error) {
	start := time.Now()
	answer, err := f.do(ctx, body)
	return time.Since(start), answer, err
}
