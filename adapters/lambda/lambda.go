// Package lambda serves a function on AWS Lambda's runtime provided.al2023: one program for every way in which Lambda
// calls. Which one it is, the event says.
//
// # Requests
//
// REST and HTTP APIs of API Gateway, function URLs and Application Load Balancers are HTTP: they get what [function.Handler]
// answers. Any other invocation whose payload is no event is a scoring request itself, {"data": …}, and its result is the
// answer; a failed one is a function error whose errorType is Function.Invalid, Function.Timeout and so on.
//
// # Events
//
// Amazon SQS, SNS, S3, S3 Batch Operations, EventBridge, Kinesis, DynamoDB streams, Kafka, ActiveMQ, RabbitMQ and Firehose:
// each message is a scoring request, or names an object of Amazon S3 that is one. What failed is answered as the source
// wants to hear it; where nothing succeeded the invocation fails. Answers go into the invocation's result, as far as the
// source has a place for them, and to SCOREFN_OUTPUT.
//
// # What it owns
//
// The events, their answers, its environment ([Settings]), the S3 store, log
// lines and metrics as CloudWatch reads them. It scores nothing itself: package function does.
package lambda

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"

	aws "github.com/aws/aws-lambda-go/lambda"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

// Option changes how a function is served.
type Option func(*options)

type options struct {
	getenv func(string) string
	store  blob.Store
	out    io.Writer // of the metrics
}

// WithStore takes objects from s, and stores answers there, instead of in Amazon S3.
func WithStore(s blob.Store) Option { return func(o *options) { o.store = s } }

// WithEnv reads the adapter's environment through getenv instead of the process's. The core's is given to [function.New].
func WithEnv(getenv func(string) string) Option { return func(o *options) { o.getenv = getenv } }

// WithMetrics writes the metrics of SCOREFN_EMF to w instead of standard output.
func WithMetrics(w io.Writer) Option { return func(o *options) { o.out = w } }

// Start loads f's model in the init phase, which Lambda gives a full core, and then takes invocations until the sandbox
// ends. It does not return. A model that cannot be loaded is reported to Lambda and ends the process with status 1, so that
// Lambda starts afresh. On SIGTERM, half a second before the sandbox ends, f is closed.
func Start(f *function.Function, opts ...Option) {
	h, err := newHandler(f, opts)
	slog.SetDefault(Logger(os.Stdout, level(h.env, f)))
	ctx := context.Background()
	if err == nil {
		err = f.Init(ctx)
	}
	if err != nil {
		slog.Error("init failed", "errorType", initType(err), "error", function.Reason(err).Error())
		if err := reportInit(ctx, h.env.runtime, err); err != nil {
			slog.Error("the failed init could not be reported", "error", err.Error())
		}
		os.Exit(1)
	}
	aws.StartWithOptions(h.entry(), aws.WithEnableSIGTERM(func() { os.Exit(stop(f)) }))
}

// stop ends a function whose sandbox ends. Log lines and metrics need no flush: each is one write.
func stop(f *function.Function) int {
	slog.Info("stopping: the sandbox ends")
	if err := f.Close(); err != nil {
		slog.Error("the function could not be closed", "error", err.Error())
		return 1
	}
	return 0
}

// level is the log level: Lambda's setting of the function, else ours.
func level(e environment, f *function.Function) string {
	if e.level != "" {
		return e.level
	}
	return f.Settings().LogLevel
}

// Handler is f as aws-lambda-go's raw handler: the event's bytes in, the result's bytes out. It does not stream. An
// environment that cannot be read is what every call answers.
func Handler(f *function.Function, opts ...Option) aws.Handler {
	h, err := newHandler(f, opts)
	h.problem, h.env.stream = err, false
	return h
}

type handler struct {
	f       *function.Function
	http    http.Handler
	env     environment
	problem error // of the environment
	store   blob.Store
	warm    atomic.Bool
	metrics *metrics // nil when there are none
}

func newHandler(f *function.Function, opts []Option) (*handler, error) {
	o := options{getenv: os.Getenv, out: os.Stdout}
	for _, option := range opts {
		option(&o)
	}
	env, err := readEnvironment(o.getenv)
	h := &handler{f: f, http: function.Handler(f), env: env, store: o.store}
	if h.store == nil {
		h.store = newS3(o.getenv)
	}
	if env.emf {
		h.metrics = &metrics{function: env.function, out: o.out}
	}
	return h, err
}

// entry is h in the form that aws-lambda-go calls. Only a stream needs more than bytes, and costs a check and a copy of
// every payload: the library decodes it for a function.
func (h *handler) entry() any {
	if !h.env.stream {
		return h
	}
	return func(ctx context.Context, payload json.RawMessage) (io.Reader, error) {
		a, err := h.serve(ctx, payload)
		if err != nil {
			return nil, err
		}
		return newStreamed(a), nil
	}
}
