package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

// invoke is one call in this process: init, run, print.
func invoke(ctx context.Context, c *call) error {
	set, log, err := c.load()
	if err != nil {
		return err
	}
	f := function.New(score.Init, function.WithSettings(set), function.WithLogger(log))
	if err := f.Init(ctx); err != nil { // not closed: that would wait for a load that was interrupted
		return &exit{exitInit, function.Reason(err)}
	}
	defer func() { _ = f.Close() }() // the process ends here
	m, err := f.Model(ctx, "", "")
	if err != nil {
		return err
	}
	body, err := c.request(filepath.Join(m.Dir, function.SampleFile))
	if err != nil {
		return err
	}
	answer, err := f.Run(ctx, function.Request{Body: body})
	if err != nil {
		e := function.AsError(err)
		if e.Kind.Status() < 500 {
			return &exit{exitInvalid, errors.New(e.Msg)}
		}
		return &exit{exitScore, err}
	}
	_, err = fmt.Fprintf(c.out, "%s\n", answer.Body)
	return err
}

// request is the body to score: standard input, a file, or the sample.
func (c *call) request(sample string) ([]byte, error) {
	switch {
	case len(c.args) == 0:
		b, err := os.ReadFile(sample)
		if errors.Is(err, os.ErrNotExist) {
			return nil, &exit{exitUsage, fmt.Errorf("the model has no %s: give a FILE, or - for standard input", function.SampleFile)}
		}
		return b, err
	case c.args[0] == "-":
		return io.ReadAll(c.in)
	}
	return os.ReadFile(c.args[0])
}
