package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/local/lambdaemu"
	"github.com/scorefn/scorefn/local/lambdaemu/door"
)

// lambdaCall is one use of "scorefn lambda".
type lambdaCall struct {
	*call

	cfg       lambdaemu.Config
	bootstrap string
	event     string
	retry     time.Duration
	s3        s3Flags
	emu       *lambdaemu.Emulator
}

func lambdaCommand() command {
	l := &lambdaCall{}
	return command{"lambda", "", "run bin/bootstrap as AWS Lambda does, with HTTP in front; --event FILE: one invocation", l.run, l.flags}
}

func (l *lambdaCall) flags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.addr, "addr", "127.0.0.1:9000", "`address` to listen on; port 0 takes a free one")
	f.StringVar(&l.bootstrap, "bootstrap", "bin/bootstrap", "the function's executable (\"make build\")")
	f.StringVar(&l.cfg.Dir, "task-root", "", "working `folder` and LAMBDA_TASK_ROOT (default: the executable's folder)")
	f.StringVar(&l.cfg.Name, "name", "function", "function `name` in the environment; callers may use any")
	f.DurationVar(&l.cfg.Timeout, "timeout", 3*time.Second, "of one invocation; the process is killed then")
	f.IntVar(&l.cfg.MemoryMB, "memory", 1769, "`MB` that the function is told it has; 1769 are one vCPU. Not enforced")
	f.IntVar(&l.cfg.Concurrency, "concurrency", 10, "most `processes`, one for every invocation at the same time; more are answered 429")
	f.DurationVar(&l.retry, "retry", time.Second, "wait before the second of three attempts of an asynchronous invocation, twice that before the third; AWS: 1m")
	f.Func("env", "`K=V` for the function, repeatable; SCOREFN_* and the settings of this shell are passed on as well", l.addEnv)
	f.StringVar(&l.event, "event", "", "`file` (or -) to invoke the function with once: prints the answer and exits, 5 for a function error, 3 for a failed init")
	l.s3.flags(f)
}

func (l *lambdaCall) addEnv(kv string) error {
	if name, _, ok := strings.Cut(kv, "="); !ok || name == "" {
		return errors.New("expected NAME=VALUE")
	}
	l.cfg.Env = append(l.cfg.Env, kv)
	return nil
}

func (l *lambdaCall) run(ctx context.Context, c *call) (err error) {
	l.call = c
	if l.cfg.Timeout <= 0 || l.cfg.MemoryMB <= 0 || l.cfg.Concurrency <= 0 {
		return &exit{exitUsage, errors.New("--timeout, --memory and --concurrency must be more than 0")}
	}
	if info, err := os.Stat(l.bootstrap); err != nil || info.IsDir() {
		return fmt.Errorf("there is no executable %s: \"make build\" makes bin/bootstrap, or name yours with --bootstrap", l.bootstrap)
	}
	set, log, err := c.load()
	if err != nil {
		return err
	}
	s3, err := l.s3.open(ctx, c, log)
	if err != nil {
		return err
	}
	defer s3.close()
	l.cfg.Command = []string{l.bootstrap}
	l.cfg.Env = append(append(passedOn(), s3.env()...), l.cfg.Env...)
	l.cfg.Output = c.err
	l.cfg.Timing.Retry = []time.Duration{l.retry, 2 * l.retry}
	l.cfg.Async = l.asyncEnd
	if isTerminal(c.err) {
		l.cfg.Progress = c.err
	}
	if l.emu, err = lambdaemu.New(l.cfg); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.emu.Close()) }()
	defer context.AfterFunc(ctx, func() { _ = l.emu.Close() })() // ends the processes at once; closing twice is harmless
	s3.triggers(l.emu)
	if l.event != "" {
		return l.once(ctx)
	}
	ln, err := function.Listener(ctx, c.addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer func() { _ = ln.Close() }() // closed already when Serve ran
	url := "http://" + reachable(ln.Addr())
	l.greet(ctx, url, set, s3)
	if err := function.Serve(ctx, ln, l.handler(url), drain, log); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "stopped")
	return nil
}

// handler is the Invoke API, the doors, and at the root what there is.
func (l *lambdaCall) handler(url string) http.Handler {
	mux := door.Mux(l.emu, func(err error) { fmt.Fprintf(l.err, "door %v\n", err) })
	mux.Handle("/2015-03-31/", l.emu.Handler())
	mux.Handle("/2021-11-15/", l.emu.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		printDoors(w, url)
	})
	return mux
}

// once is --event.
func (l *lambdaCall) once(ctx context.Context) error {
	payload, err := l.readEvent()
	if err != nil {
		return err
	}
	a, err := l.emu.Invoke(ctx, lambdaemu.Call{Payload: payload})
	if r, ok := errors.AsType[*lambdaemu.RejectedError](err); ok {
		return &exit{exitInvalid, fmt.Errorf("%s: %s", r.Type, r.Message)}
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(l.out, "%s\n", a.Payload); err != nil {
		return err
	}
	switch {
	case a.InitFailed:
		return &exit{exitInit, nil} // the answer says it
	case a.FunctionError != "":
		return &exit{exitScore, nil}
	}
	return nil
}

func (l *lambdaCall) readEvent() ([]byte, error) {
	if l.event == "-" {
		return io.ReadAll(l.in)
	}
	return os.ReadFile(l.event)
}

// asyncEnd tells of an asynchronous invocation that failed for good: on AWS it goes to the dead-letter queue.
func (l *lambdaCall) asyncEnd(r lambdaemu.AsyncResult) {
	switch {
	case r.Answer == nil:
	case r.Answer.FunctionError != "":
		fmt.Fprintf(l.err, "async %s failed %d times and is dropped: %s\n", r.RequestID, r.Attempts, shorten(r.Answer.Payload))
	default:
		fmt.Fprintf(l.err, "async %s answered %s\n", r.RequestID, shorten(r.Answer.Payload))
	}
}

// shorten is an answer as one line of a log.
func shorten(b []byte) string {
	const most = 500
	s := oneLine(b)
	if len(s) > most {
		return fmt.Sprintf("%s… (%d bytes)", s[:most], len(s))
	}
	return s
}

// greet says what is where, and a line that works when it is pasted.
func (l *lambdaCall) greet(ctx context.Context, url string, set settings.Settings, s3 *s3Service) {
	fmt.Fprintf(l.out, "%s is served at %s (Ctrl-C stops)\n\n", l.bootstrap, url)
	printDoors(l.out, url)
	s3.print(l.out)
	body, file := sample(ctx, set)
	fmt.Fprintf(l.out, "\n%s\n\n", curl(url+"/http-api/score", body, file))
}

func printDoors(w io.Writer, url string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  %s%s\tInvoke API: POST an event\n", url, lambdaemu.InvokePath)
	for _, d := range door.Doors() {
		fmt.Fprintf(t, "  %s%s/…\t%s\n", url, d.Prefix, d.What)
	}
	_ = t.Flush() // to a terminal, or a caller that left
}

// sample is the bundled model's, or else a request that shows the form.
func sample(ctx context.Context, set settings.Settings) (body []byte, file string) {
	f := function.New(score.Init, function.WithSettings(set))
	defer func() { _ = f.Close() }() // nothing was loaded
	if m, err := f.Model(ctx, "", ""); err == nil {
		file = filepath.Join(m.Dir, function.SampleFile)
		if b, err := os.ReadFile(file); err == nil && json.Valid(b) {
			return b, file
		}
	}
	return []byte(`{"data":[]}`), ""
}

// passedOn is what of this shell's environment the function gets: what configures it.
func passedOn() []string {
	known := map[string]bool{"AWS_LAMBDA_LOG_FORMAT": true, "AWS_LAMBDA_LOG_LEVEL": true}
	for _, s := range settings.Table() {
		known[s.Name] = !strings.HasPrefix(s.Name, "AWS_")
	}
	var env []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); known[name] || strings.HasPrefix(name, "SCOREFN_") {
			env = append(env, kv)
		}
	}
	return env
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
