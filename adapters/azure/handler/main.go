// Handler is the executable of an Azure Functions custom handler (host.json: defaultExecutablePath). To serve a script of
// your own, copy this file into a folder named handler of your module and put your Init in place of score.Init.
package main

import (
	"os"

	"github.com/scorefn/scorefn/adapters/azure"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

func main() { os.Exit(azure.Serve(function.New(score.Init))) }
