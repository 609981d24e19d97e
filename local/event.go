package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
)

// eventCall is one use of "scorefn event": what the flags say. Each platform takes what it knows of.
type eventCall struct {
	bodies     [][]byte
	bucket     string
	keys       []string // objects
	path       string
	generation int64
	form       string
	to         string
}

// eventSource is a kind of event of some platform.
type eventSource struct {
	name      string
	needsBody func(e *eventCall) bool
	make      func(e *eventCall) ([]eventMessage, error)
}

// eventMessage is an HTTP request that carries events.
type eventMessage struct {
	header http.Header
	body   []byte
}

// eventPlatform is the sources of one platform. Their names must differ from those of the others.
type eventPlatform struct {
	name    string
	takes   []string // flags besides --body, --lines and --to
	sources func() []eventSource
}

// eventPlatforms is where a platform is added.
func eventPlatforms() []eventPlatform {
	return []eventPlatform{
		{"AWS Lambda", []string{"bucket", "key", "path"}, lambdaSources},
		{"Google Cloud", []string{"bucket", "object", "generation", "form"}, googleSources},
	}
}

func (p eventPlatform) names() string {
	var names []string
	for _, s := range p.sources() {
		names = append(names, s.name)
	}
	return strings.Join(names, " ")
}

func eventCommand() command {
	e := &eventCall{}
	const indent = "\n                       " // as in "scorefn help"
	what := []string{"print a sample event, or post it with --to URL; SOURCE is"}
	for _, p := range eventPlatforms() {
		what = append(what, "of "+p.name+": "+strings.Join(wrapped(p.names(), 90), indent+"  "))
	}
	return command{"event", "[SOURCE]", strings.Join(what, indent), e.run, e.flags}
}

// wrapped is text in lines of at most that many bytes, broken at blanks.
func wrapped(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(word) <= width {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

func (e *eventCall) flags(f *flag.FlagSet, _ *call) {
	f.Func("body", "what the event carries: `TEXT`, or @FILE; repeatable, a record or an event each (default: the model's sample)", func(v string) error {
		b := []byte(v)
		if name, isFile := strings.CutPrefix(v, "@"); isFile {
			var err error
			if b, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		e.bodies = append(e.bodies, b)
		return nil
	})
	f.Func("lines", "`file` with a body on every line", e.lines)
	f.StringVar(&e.to, "to", "", "`URL` to post the event to, headers and all; the status and the answer are printed")
	f.StringVar(&e.bucket, "bucket", "input", "bucket of the object, for s3, s3-batch, eventbridge; gcs, auditlog")
	key := func(v string) error {
		e.keys = append(e.keys, v)
		return nil
	}
	f.Func("key", "`key` of the object; repeatable for s3 and s3-batch", key)
	f.Func("object", "`name` of the object, for gcs and auditlog; repeatable", key)
	f.Int64Var(&e.generation, "generation", 0, "`number` of the object's version, for gcs (default: none is named, and the newest is read)")
	f.StringVar(&e.form, "form", "", "of a Google event: "+strings.Join(googleForms(), ", ")+" (default binary, as Eventarc sends)")
	f.StringVar(&e.path, "path", "/score", "of the request, for http-v2, http-v1, alb and function-url")
}

func (e *eventCall) lines(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			e.bodies = append(e.bodies, bytes.Clone(line))
		}
	}
	return nil
}

// find is the source of that name.
func (e *eventCall) find(args []string) (eventSource, error) {
	var known []string
	for _, p := range eventPlatforms() {
		known = append(known, p.names())
		for _, s := range p.sources() {
			if len(args) == 1 && s.name == args[0] {
				return s, e.fits(p, s)
			}
		}
	}
	if len(args) == 0 {
		return eventSource{}, fmt.Errorf("which source? one of %s", strings.Join(known, " "))
	}
	return eventSource{}, fmt.Errorf("there is no source %q: choose one of %s", args[0], strings.Join(known, " "))
}

// fits refuses a flag that would change nothing.
func (e *eventCall) fits(p eventPlatform, s eventSource) error {
	for name, given := range map[string]bool{"form": e.form != "", "generation": e.generation != 0} {
		if given && !slices.Contains(p.takes, name) {
			return fmt.Errorf("--%s says nothing of %s, a source of %s", name, s.name, p.name)
		}
	}
	return nil
}

func (e *eventCall) run(ctx context.Context, c *call) error {
	source, err := e.find(c.args)
	if err != nil {
		return &exit{exitUsage, err}
	}
	if source.needsBody(e) {
		set, _, err := c.load()
		if err != nil {
			return err
		}
		body, _ := sample(ctx, set)
		e.bodies = [][]byte{[]byte(oneLine(body))}
	}
	messages, err := source.make(e)
	if err != nil {
		return &exit{exitUsage, err}
	}
	if e.to != "" {
		return e.post(ctx, c, messages)
	}
	for i, m := range messages {
		if i > 0 {
			fmt.Fprintln(c.out)
		}
		m.print(c)
	}
	return nil
}

// print writes the headers that say more than that the body is JSON, and the body.
func (m eventMessage) print(c *call) {
	names := make([]string, 0, len(m.header))
	for name := range m.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(c.out, "%s: %s\n", name, m.header.Get(name))
	}
	if len(names) > 0 {
		fmt.Fprintln(c.out)
	}
	fmt.Fprintf(c.out, "%s\n", m.body)
}
