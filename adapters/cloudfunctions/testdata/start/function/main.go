// Function is the adapter under the Functions Framework, with a script that costs nothing.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type one struct{}

func (one) Run(context.Context, json.RawMessage) (any, error) { return 1, nil }

func main() {
	cloudfunctions.Register("Score", function.New(
		func(context.Context, modeldir.Model) (function.Script, error) { return one{}, nil },
		function.WithModel(modeldir.Model{Name: "one"})))
	if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
		os.Exit(1)
	}
}
