// Core is limit.c written with function/onnx: the same arguments, work and output, so that the two differ by Go and by
// scorefn's own code alone. "scorefn bench" builds and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/tensor"
	"github.com/scorefn/scorefn/local/bench/inputs"
	"github.com/scorefn/scorefn/local/bench/proc"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "core: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0) // as limit.c: without ONNX Runtime's destructors
}

func run(args []string, w io.Writer) error {
	start := time.Now()
	if len(args) < 4 {
		return errors.New("usage: core LIBRARY MODEL THREADS INPUTS [SECONDS]")
	}
	threads, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := onnx.Load(args[0]); err != nil {
		return err
	}
	loaded := time.Now()
	s, err := onnx.Open(ctx, args[1], onnx.Options{Library: args[0], Threads: threads})
	if err != nil {
		return err
	}
	opened := time.Now()
	in, err := inputs.Read(args[3], s.Inputs())
	if err != nil {
		return err
	}
	out := tensor.GetBatch()
	if err := s.InferBatch(ctx, in, out); err != nil {
		return err
	}
	warmed := time.Now()
	if err := s.InferBatch(ctx, in, out); err != nil {
		return err
	}
	ran := time.Now()
	_, err = fmt.Fprintf(w, "scored %d 0 %d %d %d\n", loaded.Sub(start), opened.Sub(loaded), warmed.Sub(opened), ran.Sub(warmed))
	if err != nil {
		return err
	}
	if len(args) < 5 {
		return nil
	}
	seconds, err := strconv.ParseFloat(args[4], 64)
	if err != nil {
		return err
	}
	return warm(ctx, w, s, in, out, time.Duration(seconds*float64(time.Second)))
}

// warm runs the model for so long, in blocks that take a millisecond or more: the clock is to cost nothing.
func warm(ctx context.Context, w io.Writer, s *onnx.Session, in []tensor.Value, out *tensor.Batch, during time.Duration) error {
	pid := os.Getpid()
	cpu, _ := proc.CPU(pid)
	runs, block := 0, 1
	var took time.Duration
	for from := time.Now(); took < during; {
		for range block {
			if err := s.InferBatch(ctx, in, out); err != nil {
				return err
			}
		}
		runs += block
		if took = time.Since(from); took < time.Duration(block)*time.Millisecond && block < 1<<12 {
			block *= 2
		}
	}
	end, _ := proc.CPU(pid)
	rss, _ := proc.RSS(pid)
	n := float64(runs)
	_, err := fmt.Fprintf(w, "%.1f %.1f %d %d\n", float64(took)/n, float64(end-cpu)/n, rss>>10, runs)
	return err
}
