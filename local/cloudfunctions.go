package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/local/gcfemu"
)

// cloudFunctionsCall is one use of "scorefn cloudfunctions".
type cloudFunctionsCall struct {
	*call

	cfg   gcfemu.Config
	built builtFunction
	gcs   gcsFlags
	emu   *gcfemu.Emulator
}

func cloudFunctionsCommand() command {
	g := &cloudFunctionsCall{}
	return command{"cloudfunctions", "", "run the function as Google Cloud Functions does; --server: the container of Cloud Run", g.run, g.flags}
}

func (g *cloudFunctionsCall) flags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.addr, "addr", "127.0.0.1:9080", "`address` to listen on; port 0 takes a free one")
	g.built.flags(f)
	f.StringVar(&g.cfg.Target, "target", "Score", "`name` that the function is registered under: --entry-point of gcloud, FUNCTION_TARGET")
	f.StringVar(&g.cfg.Name, "name", "function", "`name` of the service: K_SERVICE")
	f.IntVar(&g.cfg.Concurrency, "concurrency", 0, "`requests` that one instance gets at the same time (default 1, as Google's; with --server 80)")
	f.IntVar(&g.cfg.MaxInstances, "max-instances", 10, "most `processes`; a request beyond them waits up to 10s and is then answered 429")
	f.DurationVar(&g.cfg.Timeout, "timeout", 0, "of one request, which is answered 504 then (default 1m; with --server 5m)")
	f.DurationVar(&g.cfg.Timing.Startup, "startup", 240*time.Second, "an instance must listen on PORT by then")
	f.IntVar(&g.cfg.MemoryMB, "memory", 1024, "`MB` of an instance; using more is warned of, not ended")
	f.BoolVar(&g.cfg.HTTP2, "http2", false, "with --server: speak h2c to it, as --use-http2 of gcloud run; there is no limit on sizes then")
	f.Func("env", "`K=V` for the function, repeatable; SCOREFN_* and the settings of this shell are passed on as well", func(kv string) error {
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" {
			return errors.New("expected NAME=VALUE")
		}
		g.cfg.Env = append(g.cfg.Env, kv)
		return nil
	})
	g.gcs.flags(f)
}

func (g *cloudFunctionsCall) run(ctx context.Context, c *call) (err error) {
	g.call = c
	set, log, err := c.load()
	if err != nil {
		return err
	}
	if err := g.gcs.check(); err != nil {
		return &exit{exitUsage, err}
	}
	if g.built.server {
		g.cfg.Target = ""
	}
	own := g.cfg.Env
	g.cfg.Env = append(passedToGoogle(), own...)
	g.cfg.Command, g.cfg.Output = []string{"not built yet"}, c.err
	if isTerminal(c.err) {
		g.cfg.Progress = c.err
	}
	if _, err := gcfemu.New(g.cfg); err != nil { // a mistake of the command line is told before anything is built
		return &exit{exitUsage, errors.New(strings.TrimPrefix(err.Error(), "gcfemu: "))}
	}
	ln, err := function.Listener(ctx, c.addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer func() { _ = ln.Close() }() // closed already when Serve ran
	if err := g.built.build(ctx, c); err != nil {
		return err
	}
	defer g.built.remove()
	g.cfg.Command, g.cfg.Dir = []string{g.built.program}, g.built.dir
	url := "http://" + reachable(ln.Addr())
	gcs, err := g.gcs.open(ctx, c, url, g.cfg.Env)
	if err != nil {
		return err
	}
	defer gcs.close()
	g.cfg.Env = append(append(passedToGoogle(), gcs.env()...), own...)
	if g.emu, err = gcfemu.New(g.cfg); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.emu.Close()) }()
	defer context.AfterFunc(ctx, func() { _ = g.emu.Close() })() // SIGTERM at once; closing twice is harmless
	if err := g.emu.Start(ctx); err != nil {
		return g.notStarted(ctx, err)
	}
	g.greet(ctx, url, set, gcs)
	if err := function.Serve(ctx, ln, g.emu, drain, log); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "stopped")
	return nil
}

// notStarted is how a deployment ends whose first instance does not listen.
func (g *cloudFunctionsCall) notStarted(ctx context.Context, err error) error {
	if ctx.Err() != nil { // interrupted
		return err
	}
	start, ok := errors.AsType[*gcfemu.StartError](err)
	if !ok {
		return err
	}
	return &exit{exitInit, fmt.Errorf("a deployment of %s would fail: %s", g.built.program, start.Reason)}
}

// greet says what is where, and a line that works when it is pasted.
func (g *cloudFunctionsCall) greet(ctx context.Context, url string, set settings.Settings, gcs *gcsService) {
	fmt.Fprintf(g.out, "%s is served at %s (Ctrl-C stops)\n\n", g.built.title, url)
	t := tabwriter.NewWriter(g.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  %s/score\tscoring over HTTP; every path reaches the function\n", url)
	fmt.Fprintf(t, "  %s/\tevents, for example: scorefn event pubsub --to %s\n", url, url)
	gcs.print(t)
	_ = t.Flush() // to a terminal
	body, file := sample(ctx, set)
	fmt.Fprintf(g.out, "\n%s\n", curl(url+"/score", body, file))
	if line := gcs.curl(file); line != "" {
		fmt.Fprintf(g.out, "%s\n", line)
	}
	fmt.Fprintln(g.out)
}

// passedToGoogle is what of this shell's environment the function gets: what configures it, and what opens Google's own
// services from a laptop.
func passedToGoogle() []string {
	known := map[string]bool{}
	for _, name := range googleVariables() {
		known[name] = true
	}
	for _, s := range settings.Table() {
		known[s.Name] = !strings.HasPrefix(s.Name, "AWS_") && !strings.HasPrefix(s.Name, "AIP_") && !gcfemu.Reserved(s.Name)
	}
	env := []string{"GOOGLE_CLOUD_PROJECT=local"} // nobody asks a metadata server for it
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); known[name] || strings.HasPrefix(name, "SCOREFN_") {
			env = append(env, kv)
		}
	}
	return env
}

// googleVariables are the adapter's own settings that a shell may have.
func googleVariables() []string {
	return []string{
		"CLOUDSDK_CONFIG", "GCE_METADATA_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "HOME", "STORAGE_EMULATOR_HOST",
	}
}
