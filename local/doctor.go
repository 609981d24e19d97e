package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// doctor says what a server would work with, as far as it gets.
func doctor(ctx context.Context, c *call) error {
	set, log, err := c.load()
	if err != nil {
		return err
	}
	healthy := errors.Join(c.library(set), c.model(ctx, set, function.WithLogger(log)))
	fmt.Fprintln(c.out, "settings (those that are marked are set, the others have their default)")
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, s := range settings.Table() {
		value := c.env(s.Name)
		if value == "" {
			value = s.Default
		} else {
			value += " (set)"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.Name, value, s.Doc)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if healthy != nil {
		return &exit{exitInit, nil} // said already, in its place
	}
	return nil
}

func (c *call) library(set settings.Settings) error {
	path, _, err := onnx.FindLibrary(set.Library)
	if err != nil {
		fmt.Fprintf(c.out, "library   NOT FOUND: %v\n", err)
		return err
	}
	fmt.Fprintf(c.out, "library   %s\n", path)
	return nil
}

func (c *call) model(ctx context.Context, set settings.Settings, o function.Option) error {
	f := function.New(score.Init, function.WithSettings(set), o)
	defer func() { _ = f.Close() }() // the process ends here
	m, err := f.Model(ctx, "", "")
	if err != nil {
		fmt.Fprintf(c.out, "model     NOT FOUND: %v\n", function.Reason(err))
		return err
	}
	fmt.Fprintf(c.out, "model     %s, %s\n", title(m.Name, m.Version), m.File)
	script, err := f.Script(ctx, "", "")
	if err != nil {
		fmt.Fprintf(c.out, "          NOT LOADED: %v\n", function.Reason(err))
		return err
	}
	fmt.Fprintf(c.out, "runtime   ONNX Runtime %s, %d vCPUs\n", onnx.LibraryVersion(), set.VCPUs())
	if s, ok := script.(function.Inferer); ok {
		specs(c.out, "inputs", s.Inputs())
		specs(c.out, "outputs", s.Outputs())
	}
	return nil
}

func specs(w io.Writer, title string, specs []tensor.Spec) {
	for i, s := range specs {
		if i > 0 {
			title = ""
		}
		text := fmt.Sprintf("%q %v", s.Name, s.Type)
		if s.Optional {
			text += " (may be left out)"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-9s %s", title, text), " "))
	}
}
