// Core is the core's handler without an adapter.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type one struct{}

func (one) Run(context.Context, json.RawMessage) (any, error) { return 1, nil }

func main() {
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return one{}, nil },
		function.WithModel(modeldir.Model{Name: "one"}))
	if err := f.Init(context.Background()); err != nil {
		os.Exit(1)
	}
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), function.Handler(f)); err != nil {
		os.Exit(1)
	}
}
