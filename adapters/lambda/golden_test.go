package lambda_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	aws "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scorefn/scorefn/adapters/lambda"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

func digits(t *testing.T) aws.Handler {
	t.Helper()
	onnxtest.Library(t)
	f := function.New(score.Init)
	t.Cleanup(func() { _ = f.Close() })
	return lambda.Handler(f, lambda.WithEnv(func(string) string { return "" }))
}

func TestDirectInvocationsAnswerTheGoldenVectors(t *testing.T) {
	t.Parallel()
	h := digits(t)
	functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
		t.Helper()
		out, err := h.Invoke(t.Context(), body)
		clear(body) // the library uses its memory again: the answer must not
		if err == nil {
			return 200, out
		}
		e, ok := errors.AsType[messages.InvokeResponse_Error](err)
		if !ok || e.Type != "Function.Invalid" {
			t.Errorf("got %#v", err)
		}
		return 400, functiontest.Message(e.Message)
	})
}

// The same through every door of HTTP, as the types of aws-lambda-go write and read its events.
func TestHTTPDoorsAnswerTheGoldenVectors(t *testing.T) {
	t.Parallel()
	h := digits(t)
	header := map[string]string{"content-type": "application/json"}
	multi := map[string][]string{"content-type": {"application/json"}}
	doors := map[string]func(body string, packed bool) any{
		"HTTP API": func(body string, packed bool) any {
			e := events.APIGatewayV2HTTPRequest{RouteKey: "$default", RawPath: "/score", Headers: header, Body: body, IsBase64Encoded: packed}
			e.RequestContext.HTTP.Method = "POST"
			return e
		},
		"function URL": func(body string, packed bool) any {
			e := events.LambdaFunctionURLRequest{RawPath: "/", Headers: header, Body: body, IsBase64Encoded: packed}
			e.RequestContext.HTTP.Method = "POST"
			return e
		},
		"REST API": func(body string, packed bool) any {
			return events.APIGatewayProxyRequest{Resource: "/{proxy+}", Path: "/score", HTTPMethod: "POST", MultiValueHeaders: multi, Body: body, IsBase64Encoded: packed}
		},
		"ALB": func(body string, packed bool) any {
			e := events.ALBTargetGroupRequest{HTTPMethod: "POST", Path: "/score", Headers: header, Body: body, IsBase64Encoded: packed}
			e.RequestContext.ELB.TargetGroupArn = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/score/1"
			return e
		},
		"ALB with multi-value headers": func(body string, packed bool) any {
			e := events.ALBTargetGroupRequest{HTTPMethod: "POST", Path: "/score", MultiValueHeaders: multi, Body: body, IsBase64Encoded: packed}
			e.RequestContext.ELB.TargetGroupArn = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/score/1"
			return e
		},
	}
	for name, event := range doors {
		for _, packed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
					t.Helper()
					text := string(body)
					if packed {
						text = base64.StdEncoding.EncodeToString(body)
					}
					payload, err := json.Marshal(event(text, packed))
					if err != nil {
						t.Fatal(err)
					}
					out, err := h.Invoke(t.Context(), payload)
					if err != nil {
						t.Fatal(err)
					}
					clear(payload)
					var r events.APIGatewayV2HTTPResponse
					if err := json.Unmarshal(out, &r); err != nil {
						t.Fatal(err)
					}
					return r.StatusCode, []byte(r.Body)
				})
			})
		}
	}
}
