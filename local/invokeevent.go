package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scorefn/scorefn/adapters/lambda"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

// invokeCall is one use of "scorefn invoke".
type invokeCall struct {
	event string
	s3    s3Flags
}

func invokeCommand() command {
	i := new(invokeCall)
	return command{
		"invoke", "[FILE|-]", "score one request and print the answer; without FILE the model's sample",
		func(ctx context.Context, c *call) error {
			switch {
			case i.event == "" && i.s3.dir != "":
				return &exit{exitUsage, errors.New("--s3 needs --event: a request has its data with it")}
			case i.event == "":
				return invoke(ctx, c)
			case len(c.args) > 0:
				return &exit{exitUsage, fmt.Errorf("%q and --event: there is one request", c.args[0])}
			}
			return i.run(ctx, c)
		},
		func(f *flag.FlagSet, c *call) {
			f.StringVar(&i.event, "event", "", "`file` (or -) with an event of AWS Lambda, as \"scorefn event\" prints: it goes through the adapter, in this process")
			f.StringVar(&i.s3.dir, "s3", "", "`folder` that is S3 for the event, buckets are its folders (default: S3 itself, or AWS_ENDPOINT_URL_S3)")
			modelFlags(f, c)
		},
	}
}

// run is one event through the adapter of AWS Lambda, in this process: init, the event, the answer.
func (i *invokeCall) run(ctx context.Context, c *call) error {
	set, log, err := c.load()
	if err != nil {
		return err
	}
	slog.SetDefault(log) // where the adapter logs
	payload, err := readEvent(c, i.event)
	if err != nil {
		return err
	}
	i.s3.addr = "127.0.0.1:0"
	s3, err := i.s3.open(ctx, c, log)
	if err != nil {
		return err
	}
	defer s3.close()
	f := function.New(score.Init, function.WithSettings(set), function.WithLogger(log))
	defer func() { _ = f.Close() }() // the process ends here
	if err := f.Init(ctx); err != nil {
		return &exit{exitInit, function.Reason(err)}
	}
	getenv := func(name string) string {
		for _, kv := range s3.env() {
			if value, ok := strings.CutPrefix(kv, name+"="); ok {
				return value
			}
		}
		return c.env(name)
	}
	answer, err := lambda.Handler(f, lambda.WithEnv(getenv), lambda.WithMetrics(c.err)).Invoke(ctx, payload)
	code := exitOK
	if e, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		code = exitOfType(e.Type)
		answer, err = json.Marshal(e) // as the service answers it
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.out, "%s\n", answer); err != nil || code == exitOK {
		return err
	}
	return &exit{code, nil} // the answer says it
}

// readEvent reads an event from a file, or from standard input.
func readEvent(c *call, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(c.in)
	}
	return os.ReadFile(file)
}

// exitOfType is the exit code for the errorType of a failed invocation.
func exitOfType(errorType string) int {
	switch errorType {
	case "Function.Internal", "Function.Unavailable", "Function.Timeout", "Function.Canceled":
		return exitScore
	}
	return exitInvalid
}
