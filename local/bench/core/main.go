// Core is limit.c written with function/onnx: the same arguments, work and output, so that the two differ by Go and by
// scorefn's own code alone. "scorefn bench" builds and runs it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/tensor"
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
	in, err := readInputs(args[3], s.Inputs())
	if err != nil {
		return err
	}
	out := tensor.GetBatch()
	if err := s.InferBatch(ctx, in, out); err != nil {
		return err
	}
	ran := time.Now()
	if _, err := fmt.Fprintf(w, "scored %d 0 %d %d\n", loaded.Sub(start), opened.Sub(loaded), ran.Sub(opened)); err != nil {
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

// readInputs reads the file that limit.c reads, in the order of specs.
func readInputs(path string, specs []tensor.Spec) ([]tensor.Value, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := make([]tensor.Value, len(specs))
	for i := range values {
		values[i] = tensor.None()
	}
	for r := bufio.NewReader(bytes.NewReader(file)); ; {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		name, v, err := readInput(line, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := range specs {
			if specs[i].Name == name {
				values[i] = v
			}
		}
	}
}

func readInput(line string, r io.Reader) (name string, v tensor.Value, err error) {
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	numbers := make([]int64, len(fields)-1)
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(fields[i+1], 10, 64); err != nil {
			return "", v, err
		}
	}
	if len(numbers) < 3 {
		return "", v, fmt.Errorf("the line %q lacks fields", line)
	}
	b := new(tensor.Batch)
	b.Reset(1)
	data := b.Arena(int(numbers[1])) // aligned as the kernels like it
	if _, err := io.ReadFull(r, data); err != nil {
		return "", v, err
	}
	b.SetTensor(0, tensor.DType(numbers[0]), numbers[3:], data)
	return fields[0], b.Values[0], nil
}
