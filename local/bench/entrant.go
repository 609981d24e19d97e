package bench

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
)

// The names of the entrants that others are compared with.
const (
	limitName = "C limit"
	floorName = "net/http, no model"
)

// entrant is one program that takes part with one model. Exactly one of tool, print, serve and lambda is set.
type entrant struct {
	name   string
	tool   func(ctx context.Context, seconds float64) *exec.Cmd // works and prints as limit.c does
	print  func(ctx context.Context) *exec.Cmd                  // prints its answer
	serve  func(ctx context.Context, addr string) *exec.Cmd     // answers HTTP at addr
	lambda func() (*lambdaFunction, error)                      // answers as a Lambda function

	path     string // of the scoring route
	body     []byte
	values   func(answer []byte) ([]float64, error) // the numbers of an answer; nil: the answer is not compared
	ours     bool                                   // a wrong answer is an error, and memory is watched over many requests
	peer     bool                                   // slow to start: fewer rounds
	coldOnly bool
	warmOnly bool
}

// entrants is everything that takes part with s, the limit first.
func (b *bench) entrants(s *subject) []*entrant {
	threads := strconv.Itoa(s.threads)
	ours := []string{"AZUREML_MODEL_DIR=" + s.file, "ONNXRUNTIME_LIB=" + b.Library, "SCOREFN_THREADS=" + threads}
	command := func(ctx context.Context, name string, env []string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, b.programs[name], args...)
		cmd.Dir, cmd.Env = b.Root, environment(env...)
		return cmd
	}
	tool := func(name string) func(context.Context, float64) *exec.Cmd {
		return func(ctx context.Context, seconds float64) *exec.Cmd {
			args := []string{b.Library, s.file, threads, s.inputs}
			if seconds > 0 {
				args = append(args, strconv.FormatFloat(seconds, 'f', 3, 64))
			}
			return command(ctx, name, nil, args...)
		}
	}
	server := func(name string, more ...string) func(context.Context, string) *exec.Cmd {
		return func(ctx context.Context, addr string) *exec.Cmd {
			return command(ctx, name, append(append(more, ours...), "PORT="+port(addr), "FUNCTIONS_CUSTOMHANDLER_PORT="+port(addr)))
		}
	}
	serve := func(more ...string) func(context.Context, string) *exec.Cmd {
		return func(ctx context.Context, addr string) *exec.Cmd {
			return command(ctx, "scorefn", append(more, ours...), "serve", "--addr", addr)
		}
	}
	all := []*entrant{
		{name: limitName, tool: tool("limit")},
		{name: "core in Go", tool: tool("core")},
		{name: "scorefn invoke", print: func(ctx context.Context) *exec.Cmd { return command(ctx, "scorefn", ours, "invoke", s.request) }, coldOnly: true},
		{name: floorName, warmOnly: true, serve: func(ctx context.Context, addr string) *exec.Cmd {
			return command(ctx, "floor", nil, addr, s.answerFile())
		}},
		{name: "net/http and the run", warmOnly: true, serve: func(ctx context.Context, addr string) *exec.Cmd {
			return command(ctx, "floor", nil, addr, s.answerFile(), b.Library, s.file, threads, s.inputs)
		}},
		{name: "scorefn serve", serve: serve(), ours: true},
		{name: "scorefn serve, no log", serve: serve("SCOREFN_ACCESS_LOG=false"), warmOnly: true},
		{name: "lambda bootstrap", lambda: func() (*lambdaFunction, error) { return newFunction(b.programs["bootstrap"], b.Root, ours) }, ours: true},
		{name: "cloudfunctions server", serve: server("server"), ours: true},
		{name: "azure handler", serve: server("handler"), path: "/api/score", ours: true},
		{name: "onnxruntime_go, encoding/json", serve: func(ctx context.Context, addr string) *exec.Cmd {
			return command(ctx, "naive", nil, addr, b.Library, s.file)
		}},
	}
	for _, e := range all {
		e.defaults(s)
	}
	return append(all, b.peerEntrants(s)...)
}

func (e *entrant) defaults(s *subject) {
	if e.path == "" {
		e.path = "/score"
	}
	if e.body == nil {
		e.body = s.body
	}
	if e.values == nil {
		e.values = numbers
	}
}

func port(addr string) string {
	for i := len(addr) - 1; i >= 0; i-- {
		if addr[i] == ':' {
			return addr[i+1:]
		}
	}
	return addr
}

// logFile is where an entrant's output goes.
func (b *bench) logFile(e *entrant) string {
	name := []byte(e.name)
	for i, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			name[i] = '-'
		}
	}
	return filepath.Join(b.Dir, string(name)+".log")
}
