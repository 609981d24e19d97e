package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

func TestDirect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ payload, want, fail, message string }{
		{`{"data":21}`, "42", "", ""},
		{`{"instances":21}`, `{"predictions": 42}`, "", ""},
		{`{"data":"invalid"}`, "", "Function.Invalid", "data is not a number"},
		{`{"data":"broken"}`, "", "Function.Internal", "An unexpected error occurred in scoring script. Check the logs for more info."},
		{`{"data":"panic"}`, "", "Function.Internal", "An unexpected error occurred in scoring script. Check the logs for more info."},
		{`{"data":"large"}`, "", "Function.TooLarge", "The answer has 7340034 bytes, AWS Lambda lets 6291556 through here."},
		{`{"key1":"value1"}`, "", "Function.Invalid", "A value is not provided for the 'data' parameter."},
		{`null`, "", "Function.Invalid", "POST body should be a JSON dictionary."},
		{`{"data":`, "", "Function.Invalid", ""},
		{``, "", "Function.Invalid", "POST body is empty. Expecting a JSON dictionary."},
	} {
		out, err := invoke(t, newTest(t, nil), []byte(tt.payload))
		if tt.fail == "" {
			if err != nil || string(out) != tt.want {
				t.Errorf("%s: got %s %v", tt.payload, out, err)
			}
			continue
		}
		if kind, message := typeOf(t, err); kind != tt.fail || !strings.HasPrefix(message, tt.message) {
			t.Errorf("%s: got %s %q", tt.payload, kind, message)
		}
	}
}

// No answer is too large for what it goes through.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fixture, data string
		status        int
	}{
		{"http-api", "large", 413},
		{"rest-api", "large", 413},
		{"alb", "large", 413},
		{"http-api", "medium", 200},
		{"alb", "medium", 413},
	} {
		payload := bytes.Replace(fixture(t, tt.fixture), []byte("21}"), []byte(`\"`+tt.data+`\"}`), 1)
		out, err := invoke(t, newTest(t, nil), payload)
		if r := decoded(t, out, err); r.StatusCode != tt.status || tt.status == 413 && !strings.HasPrefix(r.Body, `{"message": "The answer has `) {
			t.Errorf("%s %s: got %.300s", tt.fixture, tt.data, out)
		}
	}
	// Two answers of a batch together.
	event := strings.Replace(string(fixture(t, "eventbridge")), `"data": 7`, `"data": "large"`, 1)
	if kind, _ := typeOf(t, second(invoke(t, newTest(t, nil), []byte(event)))); kind != "Function.TooLarge" {
		t.Errorf("got %s", kind)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"direct": `{"data":"slow"}`,
		"http":   `{"requestContext":{"http":{"method":"POST"}},"rawPath":"/score","body":"{\"data\":\"slow\"}"}`,
		"fifo":   string(sqsOf(t, "q.fifo", `{"data":1}`, `{"data":"slow"}`, `{"data":1}`)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newTest(t, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				start := time.Now()
				out, err := h.Invoke(ctx, []byte(payload))
				if d := time.Since(start); d != 2850*time.Millisecond {
					t.Errorf("stopped after %v: a twentieth of 3 s is the margin", d)
				}
				switch name {
				case "direct":
					if kind, message := typeOf(t, err); kind != "Function.Timeout" || message != errDeadline.Msg {
						t.Errorf("got %s %q", kind, message)
					}
				case "http":
					if r := decoded(t, out, err); r.StatusCode != 500 || r.Body != `{"message": "`+errDeadline.Msg+`"}` {
						t.Errorf("got %s", out)
					}
				case "fifo":
					if want := `{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"m2"}]}`; string(out) != want {
						t.Errorf("got %s %v, want %s", out, err, want)
					}
				}
				if out, err := h.Invoke(t.Context(), []byte(`{"data":1}`)); err != nil || string(out) != "2" {
					t.Errorf("the next one: %s %v", out, err)
				}
			})
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	ctx, cancel = withMargin(ctx)
	defer cancel()
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) < time.Hour-time.Second {
		t.Error("the margin is more than half a second")
	}
}

func TestPanicOutsideTheScript(t *testing.T) {
	t.Parallel()
	h := newTest(t, nil)
	h.http = nil
	if kind, message := typeOf(t, second(invoke(t, h, fixture(t, "http-api")))); kind != "Function.Internal" || strings.Contains(message, "nil") {
		t.Errorf("got %s %q", kind, message)
	}
}

// Concurrent mode calls one handler from many goroutines (AWS_LAMBDA_MAX_CONCURRENCY).
func TestConcurrentInvocations(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newTest(t, map[string]string{"SCOREFN_EMF": "true"}, WithMetrics(&log))
	var group sync.WaitGroup
	events := map[string]string{"direct": "42", "http-api": `"body":"42"`, "sns": `"result":10`, "s3": `"result":42`}
	for name, want := range events {
		payload := fixture(t, name)
		for range 4 {
			group.Go(func() {
				for range 20 {
					out, err := invoke(t, h, payload)
					if err != nil || !strings.Contains(string(out), want) {
						t.Errorf("%s: got %s %v", name, out, err)
					}
				}
			})
		}
	}
	group.Wait()
	if n := strings.Count(log.String(), "\n"); n != len(events)*4*20 {
		t.Errorf("%d metric lines", n)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newTest(t, map[string]string{"SCOREFN_EMF": "true", "AWS_LAMBDA_FUNCTION_NAME": "score"}, WithMetrics(&log))
	for _, name := range []string{"sqs", "http-api", "cloudwatch-logs"} {
		_, _ = invoke(t, h, fixture(t, name))
	}
	type line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		FunctionName, Source string
		Latency              *float64
		BatchSize, Failures  int
		ColdStart            int
	}
	for _, want := range []line{
		{Source: "sqs", BatchSize: 4, Failures: 2, ColdStart: 1},
		{Source: "http-api", BatchSize: 1},
		{Source: "cloudwatch-logs", BatchSize: 1, Failures: 1},
	} {
		text, err := log.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var got line
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.FunctionName != "score" || got.Source != want.Source || got.Latency == nil || got.BatchSize != want.BatchSize ||
			got.Failures != want.Failures || got.ColdStart != want.ColdStart || got.AWS.Timestamp == 0 ||
			len(got.AWS.CloudWatchMetrics) != 1 || len(got.AWS.CloudWatchMetrics[0].Metrics) != 3+want.ColdStart {
			t.Errorf("got %s", text)
		}
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		level, id string // of the caller's x-request-id
		want      map[string]any
	}{
		{"INFO", "8476a536", map[string]any{"level": "INFO", "message": "hello", "requestId": "8476a536", "a": 1.0, "xrayTraceId": "Root=1"}},
		{"", "mine", map[string]any{"level": "INFO", "message": "hello", "requestId": "8476a536", "callerRequestId": "mine", "a": 1.0, "xrayTraceId": "Root=1"}},
		{"WARN", "mine", nil},
		{"FATAL", "mine", nil},
	} {
		var out bytes.Buffer
		log := slog.New(function.LogHandler(Logger(&out, tt.level).Handler()))
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536"})
		ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1") //nolint:staticcheck // aws-lambda-go's key
		ctx = function.WithRequestID(ctx, tt.id)
		log.DebugContext(ctx, "no")
		log.InfoContext(ctx, "hello", "a", 1)
		if tt.want == nil {
			if out.Len() > 0 {
				t.Errorf("%s: got %s", tt.level, out.String())
			}
			continue
		}
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(got["timestamp"])); err != nil {
			t.Error(err)
		}
		delete(got, "timestamp")
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("got %v, want %v", got, tt.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value string }{
		{"SCOREFN_POISON", "keep"},
		{"SCOREFN_OUTPUT", "bucket/prefix"},
		{"SCOREFN_OUTPUT", "s3://"},
		{"SCOREFN_EMF", "perhaps"},
		{"SCOREFN_STREAM", "2"},
		{"SCOREFN_PARTIAL_BATCH", "x"},
	} {
		getenv := func(name string) string {
			if name == tt.name {
				return tt.value
			}
			return ""
		}
		_, err := readEnvironment(getenv)
		if err == nil || !strings.Contains(err.Error(), tt.name+"=") {
			t.Errorf("%s=%s: %v", tt.name, tt.value, err)
		}
		h := Handler(newTest(t, nil).f, WithEnv(getenv))
		if kind, message := typeOf(t, second(h.Invoke(t.Context(), []byte(`{"data":1}`)))); kind != "Function.Unavailable" || !strings.Contains(message, tt.name) {
			t.Errorf("got %s %q", kind, message)
		}
		if initType(err) != "Settings.Invalid" {
			t.Errorf("got %s", initType(err))
		}
	}
}

// Whatever is read stands in the table.
func TestSettingsAreComplete(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, s := range Settings() {
		if s.Doc == "" || s.Group == "" {
			t.Errorf("%+v", s)
		}
		listed[s.Name] = true
	}
	getenv := func(name string) string {
		if !listed[name] {
			t.Errorf("%s is not in the table", name)
		}
		return ""
	}
	if _, err := readEnvironment(getenv); err != nil {
		t.Fatal(err)
	}
	_, _ = newS3(getenv).open()
}

func TestInitTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("modeldir: x: %w", modeldir.ErrNotFound), "Model.NotFound"},
		{fmt.Errorf(`modeldir: AZUREML_MODEL_DIR="x": there is no such folder or file: %w`, fs.ErrNotExist), "Model.NotFound"},
		{fmt.Errorf("modeldir: x: %w", modeldir.ErrAmbiguous), "Model.Ambiguous"},
		{errors.New("modeldir: MODEL_NAME: not a plain name"), "Model.Invalid"},
		{errors.New("onnx: no ONNX Runtime library found: run"), "Runtime.LibraryNotFound"},
		{errors.New(`score: onnx: library "x", named by`), "Runtime.LibraryNotFound"},
		{errors.New("onnx: x.onnx: INVALID_PROTOBUF: \nonnx: library"), "Model.Invalid"},
		{errors.New("settings: PORT"), "Settings.Invalid"},
		{errors.New("the script's own"), "Function.InitFailed"},
		{&function.Error{Kind: function.Unavailable, Msg: "public", Err: fmt.Errorf("modeldir: x: %w", modeldir.ErrNotFound)}, "Model.NotFound"},
	} {
		if got := initType(tt.err); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}
