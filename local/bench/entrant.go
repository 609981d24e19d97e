package bench

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
)

// The names of the entrants that others are compared with.
const (
	limitName  = "C limit"
	floorName  = "net/http, no model"
	insideName = "net/http and the run"
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

// maker makes the entrants of one model.
type maker struct {
	*bench

	s       *subject
	threads string
}

func (m *maker) command(ctx context.Context, program string, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.programs[program], args...)
	cmd.Dir, cmd.Env = m.Root, environment(env...)
	return cmd
}

// env is what configures scorefn for a model file.
func (m *maker) env(file string, more ...string) []string {
	return append(more, "AZUREML_MODEL_DIR="+file, "ONNXRUNTIME_LIB="+m.Library, "SCOREFN_THREADS="+m.threads)
}

func (m *maker) tool(program, file string) func(context.Context, float64) *exec.Cmd {
	return func(ctx context.Context, seconds float64) *exec.Cmd {
		args := []string{m.Library, file, m.threads, m.s.inputs}
		if seconds > 0 {
			args = append(args, strconv.FormatFloat(seconds, 'f', 3, 64))
		}
		return m.command(ctx, program, nil, args...)
	}
}

// adapter is a program that is told its port by the platform.
func (m *maker) adapter(program string) func(context.Context, string) *exec.Cmd {
	return func(ctx context.Context, addr string) *exec.Cmd {
		return m.command(ctx, program, m.env(m.s.file, "PORT="+port(addr), "FUNCTIONS_CUSTOMHANDLER_PORT="+port(addr)))
	}
}

func (m *maker) serve(file string, more ...string) func(context.Context, string) *exec.Cmd {
	return func(ctx context.Context, addr string) *exec.Cmd {
		return m.command(ctx, "scorefn", m.env(file, more...), "serve", "--addr", addr)
	}
}

func (m *maker) lambda(file string) func() (*lambdaFunction, error) {
	return func() (*lambdaFunction, error) { return newFunction(m.programs["bootstrap"], m.Root, m.env(file)) }
}

func (m *maker) floor(more ...string) func(context.Context, string) *exec.Cmd {
	return func(ctx context.Context, addr string) *exec.Cmd {
		return m.command(ctx, "floor", nil, append([]string{addr, m.s.answerFile()}, more...)...)
	}
}

// entrants is everything that takes part with s, the limit first and "scorefn invoke" before everything that answers.
func (b *bench) entrants(s *subject) []*entrant {
	m := &maker{b, s, strconv.Itoa(s.threads)}
	all := []*entrant{
		{name: limitName, tool: m.tool("limit", s.file)},
		{name: "core in Go", tool: m.tool("core", s.file)},
		{name: "scorefn invoke", coldOnly: true, print: func(ctx context.Context) *exec.Cmd {
			return m.command(ctx, "scorefn", m.env(s.file), "invoke", s.request)
		}},
		{name: floorName, warmOnly: true, serve: m.floor()},
		{name: insideName, warmOnly: true, serve: m.floor(b.Library, s.file, m.threads, s.inputs)},
		{name: "scorefn serve", serve: m.serve(s.file), ours: true},
		{name: "scorefn serve, no log", serve: m.serve(s.file, "SCOREFN_ACCESS_LOG=false"), warmOnly: true},
		{name: "scorefn serve, runs of 16 rows", serve: m.serve(s.file, "SCOREFN_BATCH=16"), warmOnly: true},
		{name: "lambda bootstrap", lambda: m.lambda(s.file), ours: true},
		{name: "cloudfunctions server", serve: m.adapter("server"), ours: true},
		{name: "azure handler", serve: m.adapter("handler"), path: "/api/score", ours: true},
	}
	if s.baked != "" {
		all = append(all,
			&entrant{name: "C limit, baked", tool: m.tool("limit", s.baked)},
			&entrant{name: "scorefn serve, baked", serve: m.serve(s.baked), ours: true},
			&entrant{name: "lambda bootstrap, baked", lambda: m.lambda(s.baked), ours: true},
		)
	}
	all = append(all, &entrant{name: "onnxruntime_go, encoding/json", serve: func(ctx context.Context, addr string) *exec.Cmd {
		return m.command(ctx, "naive", nil, addr, b.Library, s.file)
	}})
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
