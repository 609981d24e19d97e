// Scorefn runs, inspects and serves a scoring function on a laptop or in a container: see "scorefn help".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/settings"
)

// The exit codes; "scorefn help" prints them.
const (
	exitOK      = 0
	exitFailed  = 1 // the command could not do its work
	exitUsage   = 2 // the command line is wrong
	exitInit    = 3 // the model could not be loaded, as the reference server exits
	exitInvalid = 4 // the request is wrong: the answer would have been a 4xx
	exitScore   = 5 // the model failed or took too long: a 5xx
)

func main() { os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, os.Getenv)) }

// streams is what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// command is one word after "scorefn".
type command struct {
	name, args, what string
	run              func(ctx context.Context, c *call) error
	flags            func(f *flag.FlagSet, c *call)
}

// call is one use of a command.
type call struct {
	streams
	getenv   func(string) string
	override map[string]string // settings given as flags
	args     []string
	addr     string
	sample   bool
	dir      string
	goos     string
	goarch   string
}

func commands() []command {
	return []command{
		{"serve", "", "score over HTTP until it is interrupted", serve, serveFlags},
		{"invoke", "[FILE|-]", "score one request and print the answer; without FILE the model's sample", invoke, modelFlags},
		lambdaCommand(),
		cloudFunctionsCommand(),
		azureCommand(),
		eventCommand(),
		packageCommand(),
		bakeCommand(),
		benchCommand(),
		{"doctor", "", "print the library, the model and the settings in force", doctor, modelFlags},
		{"setup", "", "fetch the ONNX Runtime library, once", setup, setupFlags},
		{"version", "", "print the version", version, func(*flag.FlagSet, *call) {}},
	}
}

// exit is an error that chooses the exit code; what was to say has been said when err is nil.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *exit) Unwrap() error { return e.err }

// run is the whole program: it returns the exit code.
func run(args []string, s streams, getenv func(string) string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		out, code := s.out, exitOK
		if len(args) == 0 {
			out, code = s.err, exitUsage
		}
		usage(out)
		return code
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends what does not end by itself
	for _, cmd := range commands() {
		if cmd.name != args[0] {
			continue
		}
		err := start(ctx, cmd, args[1:], s, getenv)
		if err == nil || errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		code := exitFailed
		if e := new(exit); errors.As(err, &e) {
			code = e.code
		}
		if text := err.Error(); text != "" {
			fmt.Fprintf(s.err, "scorefn %s: %s\n", cmd.name, text)
		}
		return code
	}
	fmt.Fprintf(s.err, "scorefn: there is no command %q\n\n", args[0])
	usage(s.err)
	return exitUsage
}

func start(ctx context.Context, cmd command, args []string, s streams, getenv func(string) string) error {
	c := &call{streams: s, getenv: getenv, override: map[string]string{}}
	f := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // the error comes back, and is printed once
	f.Usage = func() {}
	cmd.flags(f, c)
	err := parse(f, args, &c.args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(s.out, "usage: scorefn %s\n\n%s.\n", strings.Join(strings.Fields(cmd.name+" [flags] "+cmd.args), " "), strings.Join(cmd.lines(), "\n  "))
		f.SetOutput(s.out)
		fmt.Fprintln(s.out, "\nflags:")
		f.PrintDefaults()
		return err
	}
	if most := strings.Count(cmd.args, "["); err == nil && len(c.args) > most {
		err = fmt.Errorf("unexpected argument %q", c.args[most])
	}
	if err != nil {
		return &exit{exitUsage, fmt.Errorf("%w (\"scorefn %s -h\" shows the flags)", err, cmd.name)}
	}
	return cmd.run(ctx, c)
}

// parse reads flags wherever they stand, and collects the arguments between them.
func parse(f *flag.FlagSet, args []string, rest *[]string) error {
	for {
		if err := f.Parse(args); err != nil || f.NArg() == 0 {
			return err
		}
		*rest = append(*rest, f.Arg(0))
		args = f.Args()[1:]
	}
}

// usageColumn is where "scorefn help" tells what a command does.
const usageColumn = 23

// lines is what the command does, of which a text that was indented for the column is not.
func (c *command) lines() []string {
	return strings.Split(strings.ReplaceAll(c.what, "\n"+strings.Repeat(" ", usageColumn), "\n"), "\n")
}

func usage(w io.Writer) {
	fmt.Fprint(w, "scorefn scores an ONNX model as a serverless function does, on this machine.\n\nusage: scorefn COMMAND [flags]\n\n")
	for _, c := range commands() {
		name := "  " + strings.TrimSpace(c.name+" "+c.args)
		if len(name) >= usageColumn { // a line of its own
			fmt.Fprintln(w, name)
			name = ""
		}
		for _, line := range c.lines() {
			fmt.Fprintf(w, "%-*s%s\n", usageColumn, name, line)
			name = ""
		}
	}
	fmt.Fprint(w, `
"scorefn COMMAND -h" shows a command's flags. Settings come from the environment: "scorefn doctor" lists them.
Exit codes: 0 done, 1 failed, 2 wrong command line, 3 the model could not be loaded, 4 wrong request, 5 the run failed.
`)
}

// modelFlags are the flags of every command that loads a model: each stands for a setting and beats it.
func modelFlags(f *flag.FlagSet, c *call) {
	for name, to := range map[string]string{
		"model-dir": "AZUREML_MODEL_DIR", "model": "MODEL_NAME", "model-version": "MODEL_VERSION",
		"library": "ONNXRUNTIME_LIB", "threads": "SCOREFN_THREADS",
	} {
		f.Func(name, fmt.Sprintf("instead of %s: %s", to, doc(to)), func(v string) error {
			c.override[to] = v
			return nil
		})
	}
}

func doc(name string) string {
	for _, s := range settings.Table() {
		if s.Name == name {
			return s.Doc
		}
	}
	return ""
}

// env is the environment with the flags on top.
func (c *call) env(name string) string {
	if v, ok := c.override[name]; ok {
		return v
	}
	return c.getenv(name)
}

// load is the settings in force and a logger for them.
func (c *call) load() (settings.Settings, *slog.Logger, error) {
	set, err := settings.Load(c.env)
	if err != nil {
		return set, nil, &exit{exitUsage, err}
	}
	return set, function.Logger(c.err, set.LogLevel), nil
}

func version(_ context.Context, c *call) error {
	_, err := fmt.Fprintln(c.out, "scorefn", function.Version)
	return err
}
