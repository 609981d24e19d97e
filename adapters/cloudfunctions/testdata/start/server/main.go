// Server is the adapter in its own server, with a script that costs nothing.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type one struct{}

func (one) Run(context.Context, json.RawMessage) (any, error) { return 1, nil }

func main() {
	os.Exit(cloudfunctions.Serve(function.New(
		func(context.Context, modeldir.Model) (function.Script, error) { return one{}, nil },
		function.WithModel(modeldir.Model{Name: "one"}))))
}
