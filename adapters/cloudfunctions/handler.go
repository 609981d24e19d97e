package cloudfunctions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

type handler struct {
	f       *function.Function
	http    http.Handler
	env     environment
	problem error // of the environment
	getenv  func(string) string
	store   blob.Store
}

func newHandler(f *function.Function, opts []Option) (*handler, error) {
	o := options{getenv: os.Getenv}
	for _, option := range opts {
		option(&o)
	}
	env, err := readEnvironment(o.getenv)
	if err == nil && o.store == nil {
		err = env.onStorage()
	}
	h := &handler{f: f, http: function.Handler(f), env: env, problem: err, getenv: o.getenv, store: o.store}
	if h.store == nil {
		h.store = newStorage(o.getenv)
	}
	return h, err
}

// ServeHTTP answers an event or a scoring request, in time. Of panics it lets none through but [http.ErrAbortHandler].
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := identify(r.Header)
	ctx, cancel := h.deadline(withIDs(function.WithRequestID(r.Context(), i.execution), i))
	defer cancel()
	r = r.WithContext(ctx)
	out := &response{ResponseWriter: w, r: r}
	if h.env.onGoogle && r.ProtoMajor < 2 {
		out.limit = maxAnswer
	}
	defer func() {
		if p := recover(); p != nil {
			slog.LogAttrs(ctx, slog.LevelError, "panic", slog.String("error", fmt.Sprintf("%v\n%s", p, debug.Stack())))
			out.fail(http.StatusInternalServerError, "An unexpected internal error occurred. Check the logs for more info.")
			out.breakOff()
		}
	}()
	switch {
	case r.URL.Path == "/robots.txt" || r.URL.Path == "/favicon.ico": // the contract of Functions Frameworks wants 404
		out.fail(http.StatusNotFound, "There is no such file.")
	case h.problem != nil:
		out.retryAfter(time.Minute)
		out.fail(http.StatusServiceUnavailable, h.problem.Error())
	default:
		h.serve(out, r)
	}
}

func (h *handler) serve(w *response, r *http.Request) {
	if h.env.events {
		read, err := detect(r, h.maxBody())
		if err != nil {
			e := function.AsError(err)
			w.fail(e.Kind.Status(), e.Msg)
			return
		}
		if read != nil {
			h.serveEvents(w, r, read)
			return
		}
	}
	h.http.ServeHTTP(w, r)
}

func (h *handler) maxBody() int64 { return int64(h.f.Settings().MaxBody) }

// late tells that the deadline ended a request: this one, or that of the Functions Framework, which comes a little later and
// may be seen first on a busy machine.
func late(ctx context.Context) bool { return errors.Is(context.Cause(ctx), context.DeadlineExceeded) }

// errDeadline is why a request ends that would last longer than the platform waits: that would answer 504 without a word,
// and go on paying for the run.
var errDeadline = &function.Error{
	Kind: function.Timeout,
	Msg:  "The request was not scored within the time limit of the function (its --timeout).",
	Err:  errors.Join(errors.New("cloudfunctions: the deadline of CLOUD_RUN_TIMEOUT_SECONDS is near"), context.DeadlineExceeded),
}

// A run is stopped this much before the platform's deadline: a twentieth of the time, and no more than a second.
const (
	marginPart = 20
	maxMargin  = time.Second
)

func (h *handler) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.env.timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, h.env.timeout-min(h.env.timeout/marginPart, maxMargin), errDeadline)
}

// readAll reads a body of no more than limit bytes.
func readAll(r *http.Request, limit int64) ([]byte, error) {
	tooLarge := function.Errorf(function.TooLarge,
		"The event is larger than %d bytes, the limit of this service (SCOREFN_MAX_BODY).", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil && r.Context().Err() != nil:
		return nil, context.Cause(r.Context())
	case err != nil: // the sender still has it all
		return nil, &function.Error{
			Kind: function.Unavailable, Msg: "The event could not be read: it ended early or was malformed.", Err: err,
		}
	case int64(len(body)) > limit:
		return nil, tooLarge
	}
	return body, nil
}
