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
	"strconv"
	"strings"
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

// ServeHTTP answers an event or a scoring request. It never panics and answers in time.
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
		}
	}()
	switch {
	case r.URL.Path == "/robots.txt" || r.URL.Path == "/favicon.ico": // browsers ask for them; the Functions Framework's contract wants 404
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

// maxAnswer is the largest answer that Cloud Run and Cloud Functions let through over HTTP/1 ("Quotas and limits").
const maxAnswer = 32 << 20

// response is an answer that the platform will let through: not too large, and 504 when the platform's deadline ended it.
type response struct {
	http.ResponseWriter
	r        *http.Request
	limit    int // bytes of the body; 0 is none
	wrote    bool
	replaced bool // what is written on is not sent
}

// Unwrap is asked for by [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the status, or in its place the error that the answer is too large.
func (w *response) WriteHeader(status int) {
	if w.wrote {
		return
	}
	if n, err := strconv.Atoi(w.Header().Get("Content-Length")); err == nil && w.limit > 0 && n > w.limit && w.r.Method != http.MethodHead {
		text := fmt.Sprintf("The answer has %d bytes, Google Cloud lets %d through. Score fewer rows in one request, or send them as events and have the answers stored: SCOREFN_OUTPUT.", n, w.limit)
		slog.LogAttrs(w.r.Context(), slog.LevelError, "answer too large", slog.Int("bytes", n), slog.Int("limit", w.limit))
		w.fail(http.StatusRequestEntityTooLarge, text)
		w.replaced = true
		return
	}
	if status == http.StatusInternalServerError && errors.Is(context.Cause(w.r.Context()), errDeadline) {
		status = http.StatusGatewayTimeout
	}
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *response) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// fail answers an error as the route's protocol writes it, unless the answer is under way.
func (w *response) fail(status int, text string) {
	key := "message"
	if p := w.r.URL.Path; strings.HasPrefix(p, "/v1/") || strings.HasPrefix(p, "/v2") {
		key = "error"
	}
	w.json(status, append(appendString([]byte(`{"`+key+`": `), text), '}'))
}

func (w *response) json(status int, body []byte) {
	if w.wrote {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.limit = 0
	w.WriteHeader(status)
	if w.r.Method != http.MethodHead {
		_, _ = w.ResponseWriter.Write(body) // the caller may be gone: there is nothing else to do
	}
}

func (w *response) retryAfter(d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(max(d+time.Second-1, time.Second)/time.Second)))
}

// readAll reads a body of no more than limit bytes.
func readAll(r *http.Request, limit int64) ([]byte, error) {
	tooLarge := function.Errorf(function.TooLarge, "The event is larger than %d bytes, the limit of this service (SCOREFN_MAX_BODY).", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil && r.Context().Err() != nil:
		return nil, context.Cause(r.Context())
	case err != nil: // the sender still has it all
		return nil, &function.Error{Kind: function.Unavailable, Msg: "The event could not be read: it ended early or was malformed.", Err: err}
	case int64(len(body)) > limit:
		return nil, tooLarge
	}
	return body, nil
}
