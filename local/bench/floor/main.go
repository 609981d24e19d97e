// Floor is the least that a scoring server on net/http can cost: it reads the body and answers a constant. What scorefn adds
// to it and to the model's run is scorefn's own. "scorefn bench" builds and runs it.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "floor: %v\n", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: floor ADDRESS ANSWER")
	}
	answer := []byte(args[1])
	buffers := sync.Pool{New: func() any { return new([64 << 10]byte) }}
	server := &http.Server{Addr: args[0], ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			b := buffers.Get().(*[64 << 10]byte)
			defer buffers.Put(b)
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, b[:]); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer) // a client that left hears nothing
		})}
	return server.ListenAndServe()
}
