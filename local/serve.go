package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

// drain is how long requests in flight may go on after an interrupt.
const drain = 25 * time.Second

func serveFlags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.addr, "addr", "", "`address` to listen on (default 127.0.0.1:PORT)")
	f.BoolVar(&c.sample, "sample", false, "first score the model's sample, and print it with the answer")
	modelFlags(f, c)
}

// serve listens first, so that a port in use is found before the model is loaded, and answers once the model is.
func serve(ctx context.Context, c *call) error {
	set, log, err := c.load()
	if err != nil {
		return err
	}
	if c.addr == "" {
		c.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(set.Port))
	}
	ln, err := function.Listener(ctx, c.addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer func() { _ = ln.Close() }() // closed already when Serve ran
	f := function.New(score.Init, function.WithSettings(set), function.WithLogger(log))
	if err := f.Init(ctx); err != nil { // not closed: that would wait for a load that was interrupted
		return &exit{exitInit, function.Reason(err)}
	}
	defer func() { _ = f.Close() }() // the process ends here
	url := "http://" + reachable(ln.Addr())
	if err := c.welcome(ctx, f, url); err != nil {
		return err
	}
	if err := function.Serve(ctx, ln, function.Handler(f), drain, log); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "stopped")
	return nil
}

// reachable is the address to call: a server that listens on every address is called on the loopback one.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// welcome says what is served and how to call it.
func (c *call) welcome(ctx context.Context, f *function.Function, url string) error {
	m, err := f.Model(ctx, "", "")
	if err != nil {
		return err
	}
	body, err := os.ReadFile(filepath.Join(m.Dir, function.SampleFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if c.sample && body == nil {
		return fmt.Errorf("there is no %s beside %s", function.SampleFile, m.File)
	}
	if c.sample {
		answer, err := f.Run(ctx, function.Request{Body: body})
		if err != nil {
			return &exit{exitScore, err}
		}
		fmt.Fprintf(c.out, "request  %s\nanswer   %s\n\n", oneLine(body), answer.Body)
	}
	fmt.Fprintf(c.out, "%s is served at %s/score (Ctrl-C stops)\n", title(m.Name, m.Version), url)
	if body != nil {
		fmt.Fprintf(c.out, "\n%s\n\n", curl(url+"/score", body, filepath.Join(m.Dir, function.SampleFile)))
	}
	return nil
}

func title(name, version string) string {
	if version == "" {
		return name
	}
	return name + " version " + version
}

// longestCurl is the longest body that is still pasted into a terminal.
const longestCurl = 1000

// curl is a command line that sends body when it is pasted.
func curl(url string, body []byte, file string) string {
	data := quote(oneLine(body))
	if len(data) > longestCurl {
		data = quote("@" + file)
	}
	return "curl -s " + url + " -H 'Content-Type: application/json' -d " + data
}

// oneLine is JSON without the white space that a person put into the file.
func oneLine(body []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, body); err != nil {
		return string(body)
	}
	return b.String()
}

// quote is s as one word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
