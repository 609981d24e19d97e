package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/scorefn/scorefn/local/lambdaemu/event"
)

// eventCall is one use of "scorefn event".
type eventCall struct {
	opts event.Options
}

func eventCommand() command {
	e := &eventCall{}
	const indent = "\n                       " // as in "scorefn help"
	names := event.Names()
	half := strings.LastIndexByte(names[:len(names)/2+8], ' ')
	what := "print a sample event of AWS Lambda; SOURCE is" + indent + names[:half] + indent + names[half+1:]
	return command{"event", "[SOURCE]", what, e.run, e.flags}
}

func (e *eventCall) flags(f *flag.FlagSet, _ *call) {
	f.Func("body", "what the event carries: `TEXT`, or @FILE; repeatable, a record each (default: the model's sample)", func(v string) error {
		b := []byte(v)
		if name, isFile := strings.CutPrefix(v, "@"); isFile {
			var err error
			if b, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		e.opts.Bodies = append(e.opts.Bodies, b)
		return nil
	})
	f.Func("lines", "`file` with a body on every line", e.lines)
	f.StringVar(&e.opts.Bucket, "bucket", "input", "bucket of the object, for s3, s3-batch and eventbridge")
	f.Func("key", "`key` of the object; repeatable for s3 and s3-batch", func(v string) error {
		e.opts.Keys = append(e.opts.Keys, v)
		return nil
	})
	f.StringVar(&e.opts.Path, "path", "/score", "of the request, for http-v2, http-v1, alb and function-url")
}

func (e *eventCall) lines(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			e.opts.Bodies = append(e.opts.Bodies, bytes.Clone(line))
		}
	}
	return nil
}

func (e *eventCall) run(ctx context.Context, c *call) error {
	if len(c.args) == 0 {
		return &exit{exitUsage, fmt.Errorf("which source? one of %s", event.Names())}
	}
	source, err := event.Find(c.args[0])
	if err != nil {
		return &exit{exitUsage, err}
	}
	if source.NeedsBody(e.opts) {
		set, _, err := c.load()
		if err != nil {
			return err
		}
		body, _ := sample(ctx, set)
		e.opts.Bodies = [][]byte{[]byte(oneLine(body))}
	}
	b, err := source.Make(e.opts)
	if err != nil {
		return &exit{exitUsage, err}
	}
	_, err = fmt.Fprintf(c.out, "%s\n", b)
	return err
}
