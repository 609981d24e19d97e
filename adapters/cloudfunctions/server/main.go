// Server is the executable of a Cloud Run container: it scores over HTTP at PORT. To serve a script of your own, copy this
// file and put your Init in place of score.Init.
package main

import (
	"os"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

func main() { os.Exit(cloudfunctions.Serve(function.New(score.Init))) }
