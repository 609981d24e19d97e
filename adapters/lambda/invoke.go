package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scorefn/scorefn/function"
)

// invocation is one event on its way, with what the metrics tell about it.
type invocation struct {
	event             *event
	cold              bool
	records, failures int
}

// Invoke answers one event. The payload's memory belongs to aws-lambda-go, which uses it for the next event: nothing of it
// is kept.
func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	a, err := h.serve(ctx, payload)
	if err != nil {
		return nil, err
	}
	return a.body, nil
}

// serve answers one event. The error is a messages.InvokeResponse_Error.
func (h *handler) serve(ctx context.Context, payload []byte) (answer, error) {
	start := time.Now()
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		ctx = function.WithRequestID(ctx, lc.AwsRequestID)
	}
	ctx, cancel := withMargin(ctx)
	defer cancel()
	v := &invocation{event: classify(payload), cold: !h.warm.Swap(true), records: 1}
	a, err := h.guarded(ctx, v)
	if h.metrics != nil {
		now := time.Now()
		h.metrics.emit(v, now, now.Sub(start))
	}
	if err != nil {
		h.log(ctx, v, err)
		return answer{}, functionError(err)
	}
	return a, nil
}

// log logs a failed invocation where the caller is not told all: his own mistakes are his to see.
func (h *handler) log(ctx context.Context, v *invocation, err error) {
	e := function.AsError(err)
	level := slog.LevelDebug
	if e.Err != nil || e.Kind.Retryable() || v.event.kind != direct {
		level = slog.LevelError
	}
	slog.LogAttrs(ctx, level, "invocation failed", slog.String("source", v.event.kind.String()),
		slog.String("kind", e.Kind.String()), slog.String("error", err.Error()))
}

// guarded is answer that survives a panic and never answers more than Lambda takes.
func (h *handler) guarded(ctx context.Context, v *invocation) (a answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a, err = answer{}, fmt.Errorf("lambda: panic: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			v.failures = max(v.failures, 1)
		}
	}()
	if h.problem != nil {
		return answer{}, &function.Error{Kind: function.Unavailable, Msg: h.problem.Error()}
	}
	a, err = h.answer(ctx, v)
	if limit := h.limit(); err == nil && len(a.head)+len(a.body) > limit {
		return answer{}, function.Errorf(function.TooLarge, "%s", tooLarge(len(a.head)+len(a.body), limit))
	}
	return a, err
}

// limit is the largest answer of any event.
func (h *handler) limit() int {
	if h.env.stream {
		return maxStream
	}
	return maxAnswer
}

// answer does what the event asks for.
func (h *handler) answer(ctx context.Context, v *invocation) (answer, error) {
	if _, ok := doors[v.event.kind]; ok {
		return h.serveHTTP(ctx, v), nil
	}
	if s, ok := sources[v.event.kind]; ok {
		out, err := h.serveBatch(ctx, v, s)
		return answer{body: out}, err
	}
	if v.event.kind == direct || v.event.kind == notification {
		r, err := h.f.Run(ctx, function.Request{ContentType: "application/json", Body: v.event.payload})
		return answer{body: r.Body, contentType: r.ContentType}, err
	}
	return answer{}, refused(v.event.kind)
}

// errDeadline is why a run ends that would last longer than the invocation may. Lambda would end the process, and the model
// would have to be loaded again.
var errDeadline = &function.Error{
	Kind: function.Timeout,
	Msg:  "The request was not scored within the time limit of the AWS Lambda function.",
	Err:  errors.Join(errors.New("lambda: the invocation's deadline is near"), context.DeadlineExceeded),
}

// A run is stopped this much before the invocation's deadline: a twentieth of what is left, and no more than half a second.
const (
	marginPart = 20
	maxMargin  = 500 * time.Millisecond
)

func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	margin := min(time.Until(deadline)/marginPart, maxMargin)
	return context.WithDeadlineCause(ctx, deadline.Add(-margin), errDeadline)
}
