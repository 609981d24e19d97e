// Models writes the large models that "scorefn bench" measures: shapes that are in use, weights from a seeded generator,
// and a sample.json beside each. Equal versions of this program write equal bytes. The models know nothing: only their cost
// is real.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "models: %v\n", err)
		os.Exit(1)
	}
}

// made is one model: its graph, and the data of a request.
type made struct {
	name   string
	model  func() onnxtest.Model
	sample func() any
}

// all is the models: 9.8, 10.6, 90 and 102 MB.
func all() []made {
	return []made{
		{"conv-10mb", func() onnxtest.Model { return residual(20, [4]int{2, 2, 6, 2}, 112) }, func() any { return image(112) }},
		{"transformer-10mb", func() onnxtest.Model { return encoder(small) }, func() any { return tokens(32, small.vocabulary) }},
		{"transformer-90mb", func() onnxtest.Model { return encoder(miniature) }, func() any { return tokens(32, miniature.vocabulary) }},
		{"conv-100mb", func() onnxtest.Model { return residual(64, [4]int{3, 4, 6, 3}, 224) }, func() any { return image(224) }},
	}
}

func run(ctx context.Context, args []string, w io.Writer) error {
	if len(args) < 1 {
		return errors.New("usage: models FOLDER [NAME…]: writes FOLDER/NAME/model.onnx and sample.json, and prints each folder")
	}
	wanted := map[string]bool{}
	for _, name := range args[1:] {
		wanted[name] = true
	}
	for _, m := range all() {
		if len(wanted) > 0 && !wanted[m.name] {
			continue
		}
		if ctx.Err() != nil { // between two models, so that none is left half-written
			return errors.New("interrupted")
		}
		delete(wanted, m.name)
		dir := filepath.Join(args[0], m.name)
		if err := write(m, dir); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, dir); err != nil {
			return err
		}
	}
	for name := range wanted {
		return fmt.Errorf("there is no model %q", name)
	}
	return nil
}

func write(m made, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"data": m.sample()})
	if err != nil {
		return err
	}
	return errors.Join(replace(filepath.Join(dir, "sample.json"), body), replace(filepath.Join(dir, "model.onnx"), m.model().Bytes()))
}

// replace writes a file that is either whole or not there.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	b := bufio.NewWriterSize(f, 1<<20)
	_, err = io.Copy(b, bytes.NewReader(data))
	if err = errors.Join(err, b.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// image is one picture of size x size, NCHW, with four decimals as one writes normalised pixels.
func image(size int) any {
	rng := rand.New(rand.NewPCG(1, 2))
	planes := make([][][]float64, 3)
	for c := range planes {
		planes[c] = make([][]float64, size)
		for y := range planes[c] {
			planes[c][y] = make([]float64, size)
			for x := range planes[c][y] {
				planes[c][y][x] = float64(rng.IntN(20001)-10000) / 1e4
			}
		}
	}
	return []any{planes}
}

// tokens is one text of n words.
func tokens(n, vocabulary int) any {
	rng := rand.New(rand.NewPCG(3, 4))
	ids := make([]int, n)
	for i := range ids {
		ids[i] = rng.IntN(vocabulary)
	}
	return [][]int{ids}
}
