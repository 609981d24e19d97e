package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/local/pack"
)

// baking is one use of "scorefn bake".
type baking struct {
	out string
	o   onnx.BakeOptions
}

func bakeCommand() command {
	b := new(baking)
	return command{"bake", "", "make a model folder that starts faster", b.run, b.flags}
}

func (b *baking) flags(f *flag.FlagSet, c *call) {
	f.StringVar(&b.out, "out", "", "`folder` to write (default dist/baked/NAME/VERSION)")
	f.BoolVar(&b.o.InitOverWarm, "init-over-warm", false, "start faster still, and run slower: weights are used as they lie in the file")
	f.BoolVar(&b.o.KeepSource, "keep-source", false, "keep the original beside, and fall back to it where the baked one does not fit")
	modelFlags(f, c)
}

func (b *baking) run(ctx context.Context, c *call) error {
	set, log, err := c.load()
	if err != nil {
		return err
	}
	f := function.New(score.Init, function.WithSettings(set), function.WithLogger(log))
	defer func() { _ = f.Close() }() // nothing was loaded
	m, err := f.Model(ctx, "", "")
	if err != nil {
		return &exit{exitInit, function.Reason(err)}
	}
	out := filepath.Clean(cmp.Or(b.out, filepath.Join("dist", "baked", m.Name, cmp.Or(m.Version, "1"))))
	made, err := bakeModel(settings.With(ctx, set), m, out, b.o)
	if err != nil {
		return err
	}
	before, after, err := loadTimes(ctx, set, m.File, filepath.Join(out, made.File))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s  %.2f MB, from %s, %.2f MB\n", filepath.Join(out, made.File), megabytes(made.Size+made.WeightsSize), m.File, megabytes(made.Source.Bytes()))
	if made.Weights != "" {
		fmt.Fprintln(c.out, "It has convolutions, so it stays ONNX: their weights are still ordered for the processor that loads it.")
	}
	fmt.Fprintf(c.out, "To load it and run it once takes %.1f ms here, %.1f ms before, besides ONNX Runtime's own start.\n", after, before)
	if after > before*worthIt {
		fmt.Fprintln(c.out, "That is not worth it: keep the original.")
		return nil
	}
	fmt.Fprintf(c.out, "\n  scorefn serve --model-dir %s\n", out)
	return nil
}

// worthIt is the part of the time that a baked model may take.
const worthIt = 0.9

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// loadTimes is how long two models take to be ready and to have run once, in milliseconds: the shortest of a few times each,
// in turns, with the files in memory.
func loadTimes(ctx context.Context, set settings.Settings, before, after string) (b, a float64, err error) {
	const times = 5
	b, a = math.Inf(1), math.Inf(1)
	for range times {
		for file, shortest := range map[string]*float64{before: &b, after: &a} {
			took, err := loadTime(ctx, set, file)
			if err != nil {
				return 0, 0, &exit{exitInit, err}
			}
			*shortest = min(*shortest, took)
		}
	}
	return b, a, nil
}

func loadTime(ctx context.Context, set settings.Settings, file string) (float64, error) {
	start := time.Now()
	s, err := onnx.Open(settings.With(ctx, set), file, onnx.Options{})
	if err == nil {
		err = errors.Join(s.Warm(ctx), s.Close())
	}
	return float64(time.Since(start)) / float64(time.Millisecond), err
}

// bakeModel bakes a model, and copies what lies beside it, into a folder that is written whole or not at all.
func bakeModel(ctx context.Context, m modeldir.Model, out string, o onnx.BakeOptions) (made *onnx.Baked, err error) {
	if _, err := os.Stat(out); err == nil {
		return nil, fmt.Errorf("%s exists already: remove it, or choose another folder with --out", out)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), ".bake-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if made, err = onnx.Bake(ctx, m.File, tmp, o); err != nil {
		return nil, err
	}
	var beside pack.Files
	if err := beside.Tree(m.Dir, ".", "train"); err != nil {
		return nil, err
	}
	sig, err := onnx.ReadSignature(m.File)
	if err != nil {
		return nil, err
	}
	if err := besides(beside, append(sig.Weights, made.File, made.Weights)).Dir(tmp); err != nil {
		return nil, err
	}
	if err := os.Chmod(tmp, 0o755); err != nil { // a temporary folder is private
		return nil, err
	}
	if err := os.Rename(tmp, out); err != nil {
		return nil, err
	}
	return made, nil
}

// besides is what lies around a model: labels, score.json, the sample. Its weights are in the baked file now.
func besides(files pack.Files, baked []string) pack.Files {
	return slices.DeleteFunc(files, func(f pack.File) bool {
		return onnx.IsModelFile(f.Name) || slices.ContainsFunc(baked, func(name string) bool { return path.Clean(name) == f.Name })
	})
}
