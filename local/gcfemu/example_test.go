package gcfemu_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/scorefn/scorefn/local/gcfemu"
)

// A function as Google runs it, at an address of one's own.
func ExampleEmulator() {
	e, err := gcfemu.New(gcfemu.Config{Command: []string{"bin/function"}, Target: "Score", Output: os.Stderr})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = e.Close() }()
	if err := e.Start(context.Background()); err != nil { // as a deployment would fail
		fmt.Println(err)
		return
	}
	fmt.Println(http.ListenAndServe("127.0.0.1:9080", e))
}

func ExampleNew_reserved() {
	_, err := gcfemu.New(gcfemu.Config{Command: []string{"bin/function"}, Env: []string{"PORT=80"}})
	fmt.Println(err)
	// Output: gcfemu: PORT is the platform's own variable: a deployment that sets it is refused
}
