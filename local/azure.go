package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/local/azureemu"
	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// azureCall is one use of "scorefn azure".
type azureCall struct {
	*call

	cfg     azureemu.Config
	root    string
	handler string
	framing string
	sigterm bool
	retry   time.Duration
	azurite string
	folder  string
	once    azureOnce
	emu     *azureemu.Emulator
}

func azureCommand() command {
	a := &azureCall{}
	return command{"azure", "", "run bin/handler as the Azure Functions host does; --invoke FUNCTION: one event or request", a.run, a.flags}
}

func (a *azureCall) flags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.addr, "addr", "127.0.0.1:7071", "`address` to listen on; port 0 takes a free one")
	f.StringVar(&a.root, "root", "", "`folder` of an app: host.json, a folder with a function.json for each function, the executable (default: adapters/azure/app with --handler)")
	f.StringVar(&a.handler, "handler", "bin/handler", "the executable for the bundled app (\"make build\")")
	f.StringVar(&a.framing, "framing", "azure", "`form` of payloads: azure, chunked; or coretools, with a Content-Length")
	f.BoolVar(&a.sigterm, "sigterm", false, "end the handler with SIGTERM and 5s of time; the host kills at once")
	f.DurationVar(&a.cfg.FunctionTimeout, "function-timeout", 0, "instead of functionTimeout of host.json: the handler is killed then, with everything in flight")
	f.DurationVar(&a.cfg.InitTimeout, "init-timeout", 0, "instead of customHandler.initializationTimeout of host.json: how long nobody may listen")
	f.Func("env", "app setting `K=V`, repeatable; SCOREFN_* and the settings of this shell are passed on as well", func(kv string) error {
		if name, _, ok := strings.Cut(kv, "="); !ok || name == "" {
			return errors.New("expected NAME=VALUE")
		}
		a.cfg.Env = append(a.cfg.Env, kv)
		return nil
	})
	f.DurationVar(&a.retry, "retry", time.Second, "most that is waited before a further try; Azure waits as host.json and function.json say")
	f.StringVar(&a.azurite, "azurite", "", "`URL` of Azurite's blobs (http://127.0.0.1:10000), or a connection string: queue and blob triggers, outputs and input blobs are there")
	f.StringVar(&a.folder, "out", "", "`folder` for what output bindings write, a file each; without it they are logged")
	a.once.flags(f)
}

// sigtermGrace is how long --sigterm waits.
const sigtermGrace = 5 * time.Second

func (a *azureCall) run(ctx context.Context, c *call) (err error) {
	a.call = c
	set, log, err := c.load()
	if err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return &exit{exitUsage, err}
	}
	if err := a.reach(ctx); err != nil {
		return err
	}
	root, remove, err := a.app()
	if err != nil {
		return err
	}
	defer remove()
	a.cfg.Root, a.cfg.Output = root, c.err
	a.cfg.Env = append(passedToAzure(), a.cfg.Env...)
	sink, err := openSink(a.folder)
	if err != nil {
		return err
	}
	if sink != nil {
		defer func() { err = errors.Join(err, sink.Close()) }()
		a.cfg.Sink = sink.write
	}
	if a.once.function != "" {
		return a.invokeOnce(ctx, set)
	}
	ln, err := function.Listener(ctx, c.addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer func() { _ = ln.Close() }() // closed already when Serve ran
	if err := a.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.emu.Close()) }()
	defer context.AfterFunc(ctx, func() { _ = a.emu.Close() })() // ends the handler at once; closing twice is harmless
	url := "http://" + reachable(ln.Addr())
	a.greet(ctx, url, set)
	serving, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		<-a.emu.Done() // by itself, after the third error
		stop()
	}()
	pumped := a.pump(serving)
	if err := function.Serve(serving, ln, a.emu.Handler(), drain, log); err != nil {
		return err
	}
	if err := errors.Join(a.emu.Err(), pumped()); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "stopped")
	return nil
}

func (a *azureCall) check() error {
	a.cfg.ContentLength = a.framing == "coretools"
	if a.framing != "azure" && !a.cfg.ContentLength {
		return fmt.Errorf("--framing %s: expected azure or coretools", a.framing)
	}
	if a.cfg.FunctionTimeout < 0 || a.cfg.InitTimeout < 0 {
		return errors.New("--function-timeout and --init-timeout must be more than 0")
	}
	if a.cfg.RetryMost = max(a.retry, 1); a.retry < 0 {
		return errors.New("--retry must not be less than 0")
	}
	if a.sigterm {
		a.cfg.Grace = sigtermGrace
	}
	if a.azurite != "" {
		account, err := storage.Open(a.azurite)
		if err != nil {
			return fmt.Errorf("--azurite: %s", strings.TrimPrefix(err.Error(), "storage: "))
		}
		a.cfg.Storage = account
	}
	return a.once.check()
}

// reach finds out whether there is the storage of --azurite; the host keeps a container there.
func (a *azureCall) reach(ctx context.Context) error {
	if a.cfg.Storage == nil {
		return nil
	}
	if err := a.cfg.Storage.CreateContainer(ctx, azureemu.HostContainer); err != nil {
		return fmt.Errorf("--azurite: %w; Azurite is started with \"npx azurite --skipApiVersionCheck\"", err)
	}
	return nil
}

// start starts the handler and waits until it has loaded its model.
func (a *azureCall) start(ctx context.Context) (err error) {
	if a.emu, err = azureemu.New(a.cfg); err != nil {
		return err
	}
	ready := make(chan error, 1)
	go func() { ready <- a.emu.Ready(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for begin := time.Now(); ; {
		select {
		case err := <-ready:
			if err == nil {
				return nil
			}
			if ctx.Err() == nil {
				err = &exit{exitInit, err}
			}
			return errors.Join(err, a.emu.Close())
		case <-tick.C:
			if isTerminal(a.err) {
				fmt.Fprintf(a.err, "init: %.0f s\n", time.Since(begin).Seconds())
			}
		}
	}
}

// pump runs the triggers of --azurite beside the front; what it returns waits for their end.
func (a *azureCall) pump(ctx context.Context) func() error {
	ended := make(chan error, 1)
	if a.cfg.Storage == nil {
		ended <- nil
	} else {
		go func() {
			err := a.emu.Pump(ctx)
			if err != nil && ctx.Err() == nil {
				fmt.Fprintf(a.err, "ERROR the triggers of --azurite do not run: %v\n", err)
			}
			ended <- err
		}()
	}
	return func() error {
		if err := <-ended; ctx.Err() == nil {
			return err
		}
		return nil // it was told already, or is the end
	}
}

// greet says what is where, and lines that work when they are pasted: a request, and an event whose result is in the log.
func (a *azureCall) greet(ctx context.Context, url string, set settings.Settings) {
	fmt.Fprintf(a.out, "%s is served at %s (Ctrl-C stops)\n\n", a.title(), url)
	a.emu.App().List(a.out, url)
	body, file := sample(ctx, set)
	var request, event string
	for _, f := range a.emu.App().Functions {
		method, path := a.emu.App().Path(f)
		switch {
		case method == http.MethodPost && request == "":
			request = "\n" + curl(url+path, body, file) + "\n"
		case method == "" && event == "":
			input, err := azureemu.ManualInput([]byte(oneLine(body)))
			if err == nil && len(input) < longestCurl {
				event = "\n" + curl(url+azureemu.AdminPath+f.Name, input, "") + "\n"
			}
		}
	}
	fmt.Fprintf(a.out, "%s%s\n", request, event)
}

// title is what is run.
func (a *azureCall) title() string {
	if a.root != "" {
		return a.root
	}
	return azureApp + " with " + a.handler
}

// passedToAzure is what of this shell's environment the handler gets: what configures it.
func passedToAzure() []string {
	known := map[string]bool{"AzureWebJobsStorage": true, "AZURE_CLIENT_ID": true, "PATH": true, "TMPDIR": true}
	for _, s := range settings.Table() {
		known[s.Name] = !strings.HasPrefix(s.Name, "AWS_") && !strings.HasPrefix(s.Name, "AIP_")
	}
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if known[name] || strings.HasPrefix(name, "SCOREFN_") || strings.HasPrefix(name, "AzureFunctionsJobHost__") {
			env = append(env, kv)
		}
	}
	return env
}

// readData is --data: a file, or - for the standard input.
func (c *call) readData(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(c.in, azureemu.MaxBody+1))
	}
	return os.ReadFile(name)
}
