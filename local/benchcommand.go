package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scorefn/scorefn/local/bench"
)

// benchCall is one use of "scorefn bench".
type benchCall struct {
	cfg   bench.Config
	quick bool
	setup bool
	made  string
	peers string
	files map[string]*string // to write, by form
}

// bigModels are the models that local/bench/models writes, by ascending size.
const bigModels = "conv-10mb,transformer-10mb,transformer-90mb,conv-100mb"

func benchCommand() command {
	b := new(benchCall)
	return command{"bench", "", "measure this source against a C program that does the same: cold start, requests, memory", b.run, b.flags}
}

func (b *benchCall) flags(f *flag.FlagSet, c *call) {
	f.BoolVar(&b.quick, "quick", false, "the bundled model alone and few rounds: about a minute, larger spread")
	f.Func("model", "`folder` of a model, or NAME=FOLDER, to measure as well; repeatable", func(v string) error {
		b.cfg.Models = append(b.cfg.Models, v)
		return nil
	})
	f.StringVar(&b.made, "made", bigModels, "`names` of the large models that are written and measured, or none")
	f.IntVar(&b.cfg.Cold, "cold", 20, "`rounds` of cold starts; 0 leaves them out")
	f.IntVar(&b.cfg.Warm, "warm", 10, "`rounds` of warm requests with the bundled model, half as many with others; 0 leaves them out")
	f.DurationVar(&b.cfg.Slice, "slice", 300*time.Millisecond, "`duration` of one measurement in a warm round")
	f.IntVar(&b.cfg.Requests, "requests", 100_000, "`number` of requests that memory is watched over, with the bundled model")
	f.IntVar(&b.cfg.Threads, "threads", 0, "of one run, everywhere; 0: 1 for a model under 1 MiB, else the vCPUs")
	f.Uint64Var(&b.cfg.Seed, "seed", 1, "of the order in which the entrants take turns")
	f.StringVar(&b.peers, "peers", "all",
		"`names` of what one would use instead, of those that are set up: "+strings.Join(bench.PeerNames(), ",")+", or none")
	f.BoolVar(&b.setup, "setup-peers", false, "install the peers into dist/peers first (python3 and npm; 1 GB on disk)")
	b.files = map[string]*string{
		"json":     f.String("json", "", "`file` to write everything to"),
		"svg":      f.String("svg", "", "`file` to draw a chart to"),
		"markdown": f.String("markdown", "", "`file` to write the README's table to"),
	}
	f.Func("library", "instead of ONNXRUNTIME_LIB: "+doc("ONNXRUNTIME_LIB"), func(v string) error {
		c.override["ONNXRUNTIME_LIB"] = v
		return nil
	})
}

func (b *benchCall) run(ctx context.Context, c *call) error {
	cfg := b.cfg
	var err error
	if cfg.Cold < 0 || cfg.Warm < 0 || cfg.Slice <= 0 || cfg.Requests < 0 || cfg.Threads < 0 {
		return &exit{exitUsage, errors.New("--cold, --warm, --requests and --threads cannot be negative, and --slice must be more than 0")}
	}
	if cfg.Peers, err = names("--peers", b.peers, bench.PeerNames()); err != nil {
		return err
	}
	if cfg.Made, err = names("--made", b.made, strings.Split(bigModels, ",")); err != nil {
		return err
	}
	if cfg.Root, err = sourceRoot(); err == nil {
		_, err = os.Stat(filepath.Join(cfg.Root, "local", "bench", "limit.c"))
	}
	if err != nil {
		return errors.New("bench builds what it measures: run it in a folder of scorefn's source (git clone, cd scorefn)")
	}
	for form, path := range b.files { // it would be a pity to find out in the end
		if info, err := os.Stat(filepath.Dir(*path)); *path != "" && (err != nil || !info.IsDir()) {
			return fmt.Errorf("--%s %s: there is no such folder to write into", form, *path)
		}
	}
	cfg.Progress = func(line string) { fmt.Fprintf(c.err, "bench %s\n", line) }
	if b.setup {
		say := func(format string, a ...any) { cfg.Progress(fmt.Sprintf(format, a...)) }
		if err := bench.SetupPeers(ctx, cfg.Root, cfg.Peers, say); err != nil {
			return err
		}
	}
	cfg.Dir = filepath.Join(cfg.Root, "dist", "bench")
	cfg.Library = c.env("ONNXRUNTIME_LIB")
	cfg.Models = append([]string{"digits=" + filepath.Join(cfg.Root, "model", "digits")}, cfg.Models...)
	cfg.Clients, cfg.FewClients = []int{1, 2, 4, 16}, []int{1, 4}
	if b.quick {
		cfg.Made, cfg.Cold, cfg.Warm, cfg.Requests = nil, min(cfg.Cold, 5), min(cfg.Warm, 3), min(cfg.Requests, 10_000)
	}
	report, err := bench.Run(ctx, cfg)
	if ctx.Err() != nil {
		err = errors.New("interrupted; every process that was started has ended")
	}
	if report == nil {
		return err
	}
	if err != nil {
		err = fmt.Errorf("%w (above is what had been measured)", err)
	}
	return errors.Join(report.WriteTable(c.out), b.write(report), err)
}

// write writes the files that were asked for.
func (b *benchCall) write(r *bench.Report) (failed error) {
	forms := map[string]func(io.Writer) error{
		"svg":      r.WriteSVG,
		"markdown": r.WriteMarkdown,
		"json": func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(r)
		},
	}
	for form, path := range b.files {
		if *path == "" {
			continue
		}
		var text bytes.Buffer
		err := forms[form](&text)
		if err == nil {
			err = os.WriteFile(*path, text.Bytes(), 0o644)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// names is a comma list in which "all" and "none" may stand for every name and for none.
func names(option, list string, known []string) ([]string, error) {
	switch list {
	case "all":
		return known, nil
	case "none", "":
		return nil, nil
	}
	chosen := strings.Split(list, ",")
	for _, n := range chosen {
		if !slices.Contains(known, n) {
			return nil, &exit{exitUsage, fmt.Errorf("%s %s: there is no %q; there is: %s, all, none", option, list, n, strings.Join(known, ", "))}
		}
	}
	return chosen, nil
}
