package lambda_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scorefn/scorefn/adapters/lambda"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

func TestInvokeAnswersTheGoldenVectors(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	f := function.New(score.Init)
	t.Cleanup(func() { _ = f.Close() })
	h := lambda.Handler(f)
	functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
		t.Helper()
		out, err := h.Invoke(t.Context(), body)
		clear(body) // the library uses its memory again: the answer must not
		if err == nil {
			return 200, out
		}
		var e messages.InvokeResponse_Error
		if !errors.As(err, &e) || e.Type != "Function.Invalid" {
			t.Errorf("got %#v", err)
		}
		return 400, functiontest.Message(e.Message)
	})
}
