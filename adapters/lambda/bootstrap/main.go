// Bootstrap is the executable of an AWS Lambda function on provided.al2023. To serve a script of your own, copy this file
// into a folder named bootstrap of your module and put your Init in place of score.Init.
package main

import (
	"github.com/scorefn/scorefn/adapters/lambda"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

func main() { lambda.Start(function.New(score.Init)) }
