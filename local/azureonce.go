package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"path/filepath"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/local/azureemu"
)

// azureOnce is --invoke.
type azureOnce struct {
	function, data, name string
}

func (o *azureOnce) flags(f *flag.FlagSet) {
	f.StringVar(&o.function, "invoke", "", "`function` to invoke once, with its trigger's retries: prints what it writes or answers, and exits, 4 or 5 when it failed, 3 for a failed init")
	f.StringVar(&o.data, "data", "", "`file` (or -) with what the event of --invoke carries: the message, the blob, the event (default: the model's sample)")
	f.StringVar(&o.name, "name", "", "`name` of the blob, for --invoke of a blob trigger (default: that of --data)")
}

func (o *azureOnce) check() error {
	if o.function == "" && (o.data != "" || o.name != "") {
		return errors.New("--data and --name need --invoke FUNCTION")
	}
	if o.name == "" && o.data != "" && o.data != "-" {
		o.name = filepath.Base(o.data)
	}
	return nil
}

// invokeOnce is one event, or one request for an HTTP function.
func (a *azureCall) invokeOnce(ctx context.Context, set settings.Settings) (err error) {
	app, err := azureemu.LoadApp(a.cfg.Root, a.cfg.Env)
	if err != nil {
		return err
	}
	f, err := app.Function(a.once.function)
	if err != nil {
		return &exit{exitUsage, err}
	}
	var data []byte
	if a.once.data != "" {
		if data, err = a.readData(a.once.data); err != nil {
			return err
		}
	} else {
		body, _ := sample(ctx, set)
		data = []byte(oneLine(body))
	}
	if a.cfg.Sink == nil {
		a.cfg.Sink = a.print
	}
	if err := a.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.emu.Close()) }()
	defer context.AfterFunc(ctx, func() { _ = a.emu.Close() })()
	if method, path := app.Path(f); path != "" {
		return a.requestOnce(ctx, method, path, data)
	}
	if f, err = a.emu.App().Function(f.Name); err != nil { // with its expressions resolved
		return err
	}
	event, err := azureemu.NewEvent(f, azureemu.Input{Data: data, Name: a.once.name})
	if err != nil {
		return &exit{exitInvalid, err}
	}
	d, err := a.emu.Deliver(ctx, f, event)
	if err != nil {
		return err
	}
	if d.Outcome != azureemu.Succeeded {
		return &exit{exitScore, nil} // the log says why
	}
	return nil
}

// print writes an output alone to the standard output; the log says where it goes.
func (a *azureCall) print(_ context.Context, o azureemu.Output) error {
	fmt.Fprintf(a.err, "INFO    %s %s <-\n", o.Type, o.Target)
	_, err := fmt.Fprintf(a.out, "%s\n", o.Body)
	return err
}

// requestOnce sends data to an HTTP function over a loopback port, as a client does.
func (a *azureCall) requestOnce(ctx context.Context, method, path string, data []byte) error {
	ln, err := function.Listener(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: a.emu.Handler(), ReadHeaderTimeout: sigtermGrace}
	defer func() { _ = server.Close() }() // ln with it
	go func() { _ = server.Serve(ln) }()  // until it is closed
	var body io.Reader = http.NoBody
	if method != http.MethodGet {
		body = bytes.NewReader(data)
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+ln.Addr().String()+path, body)
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }() // nothing was written
	answer, err := io.ReadAll(io.LimitReader(r.Body, azureemu.MaxBody))
	if err == nil {
		_, err = fmt.Fprintf(a.out, "%s\n", bytes.TrimSuffix(answer, []byte("\n")))
	}
	switch {
	case err != nil:
		return err
	case r.StatusCode >= http.StatusInternalServerError:
		return &exit{exitScore, fmt.Errorf("the answer is %s", r.Status)}
	case r.StatusCode >= http.StatusBadRequest:
		return &exit{exitInvalid, fmt.Errorf("the answer is %s", r.Status)}
	}
	return nil
}
