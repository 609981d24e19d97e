// Floor is the least that a scoring server on net/http can cost: it reads the body and answers what a file holds. With a model, it
// also runs it, on tensors that were ready before: between two requests the processor's caches forget the model, which a
// loop that does nothing else never sees. What scorefn adds to either is scorefn's own. "scorefn bench" builds and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/tensor"
	"github.com/scorefn/scorefn/local/bench/inputs"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "floor: %v\n", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 2 && len(args) != 6 {
		return errors.New("usage: floor ADDRESS ANSWERFILE [LIBRARY MODEL THREADS INPUTS]")
	}
	answer, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	run := func() error { return nil }
	if len(args) == 6 {
		if run, err = model(args[2], args[3], args[4], args[5]); err != nil {
			return err
		}
	}
	buffers := sync.Pool{New: func() any { return new([64 << 10]byte) }}
	server := &http.Server{Addr: args[0], ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			b := buffers.Get().(*[64 << 10]byte)
			defer buffers.Put(b)
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, b[:]); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			if err := run(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer) // a client that left hears nothing
		})}
	return server.ListenAndServe()
}

// model is one run of a model on the tensors of a file.
func model(library, path, threads, file string) (run func() error, err error) {
	n, err := strconv.Atoi(threads)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	s, err := onnx.Open(ctx, path, onnx.Options{Library: library, Threads: n})
	if err != nil {
		return nil, err
	}
	in, err := inputs.Read(file, s.Inputs())
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return func() error {
		out := tensor.GetBatch()
		defer out.Release()
		return s.InferBatch(ctx, in, out)
	}, nil
}
