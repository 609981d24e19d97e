// Package lambda serves a function on AWS Lambda's runtime provided.al2023. An invocation is a scoring request,
// {"data": …}, and its result is the answer; a failed one is a function error whose errorType is Function.Invalid,
// Function.Timeout and so on.
package lambda

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scorefn/scorefn/function"
)

// Start loads f's model in the init phase, which Lambda gives a full core, and then takes invocations until the sandbox
// ends. It does not return. A model that cannot be loaded ends the process with status 1, so that Lambda starts afresh.
func Start(f *function.Function) {
	slog.SetDefault(function.Logger(os.Stdout, f.Settings().LogLevel))
	if err := f.Init(context.Background()); err != nil {
		slog.Error("init failed", "error", err)
		os.Exit(1)
	}
	lambda.StartWithOptions(Handler(f))
}

// Handler is f as aws-lambda-go's raw handler: the event's bytes in, the result's bytes out.
func Handler(f *function.Function) lambda.Handler { return handler{f} }

type handler struct{ f *function.Function }

// Invoke scores one event. The payload's memory belongs to the library and is not kept.
func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := h.f.Run(ctx, function.Request{Body: payload})
	if err == nil {
		return r.Body, nil
	}
	e := function.AsError(err)
	if e.Err != nil {
		slog.ErrorContext(ctx, "request failed", "kind", e.Kind.String(), "error", err)
	}
	// By value: aws-lambda-go takes the errorType of this type alone, and only when it is not wrapped.
	return nil, messages.InvokeResponse_Error{Type: errorType(e.Kind), Message: e.Msg}
}

// errorType is a kind as Lambda writes types: Function.TooLarge.
func errorType(k function.Kind) string {
	var b strings.Builder
	b.WriteString("Function.")
	for word := range strings.FieldsSeq(k.String()) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
