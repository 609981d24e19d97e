package azure

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/jsonscan"
)

// call is one request of the host on its way.
type call struct {
	*Invocation
	fn   *fn    // nil when the app's files do not tell
	path string // the core's, of a forwarded request
}

// ServeHTTP answers one request of the host.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := invocationID(r.Header)
	if id == "" && r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		s.ping(w, r)
		return
	}
	c := &call{Invocation: &Invocation{ID: id, trace: r.Header.Get("Traceparent")}}
	payload := s.isPayload(c, r)
	if c.fn != nil {
		c.Function, c.Trigger = c.fn.name, c.fn.trigger.Type
	}
	ctx := r.Context()
	if id != "" {
		ctx = function.WithRequestID(ctx, id)
		function.CallOf(ctx).Trace = c.trace
	}
	r = r.WithContext(context.WithValue(ctx, invocationKey{}, c.Invocation))
	s.guard(w, r, func(w http.ResponseWriter, r *http.Request) {
		if payload {
			s.servePayload(w, r, c)
		} else {
			s.serveForwarded(w, r, c)
		}
	})
}

// ping answers the host's probe, and the later ones of the scale controller. It is held until the model is loaded, but not for
// longer than the host holds the requests that arrive meanwhile: it gives up at four times initializationTimeout.
func (s *server) ping(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ready:
	default:
		limit := time.NewTimer(3 * s.app.initTimeout)
		defer limit.Stop()
		select {
		case <-s.ready:
		case <-r.Context().Done():
		case <-s.stopping:
		case <-limit.C:
			s.log().Warn("the model is still being loaded: the host is told to send requests all the same, which wait for it. Raise customHandler.initializationTimeout in host.json.")
		}
	}
	w.Header()["Content-Type"] = []string{"text/plain; charset=utf-8"}
	if r.Method == http.MethodGet {
		_, _ = w.Write([]byte("Healthy")) // a probe that has gone needs no answer
	}
}

// isPayload tells whether a request is an invocation with a payload, and finds its function. The host posts those to /NAME,
// in the function's own spelling. Where that may as well be a forwarded request, or the app's files are missing, the body says
// which: no scoring request begins as an invocation does.
func (s *server) isPayload(c *call, r *http.Request) bool {
	if len(r.URL.Path) > 1 && r.Method == http.MethodPost {
		name := r.URL.Path[1:]
		f := s.app.functions[name]
		switch {
		case f != nil && !f.http():
			c.fn = f
			return true
		case f != nil && f.simple && s.app.forward && s.app.prefix == "": // every host there is forwards it
		case f == nil && !s.app.mayBe(name, c.ID):
		case looksInvoked(r):
			c.fn, c.Function = f, name
			return true
		}
	}
	c.fn, c.path = s.app.find(r.Method, r.URL.EscapedPath())
	return false
}

// mayBe tells whether a name that the app's files do not have may be a function's all the same: its file is missing, or was
// skipped.
func (a *app) mayBe(name, id string) bool {
	if !isFunctionName(name) {
		return false
	}
	return len(a.functions) == 0 || id != "" && (a.prefix != "" || !coreRoute("/"+name))
}

// looksInvoked tells a body that begins as an invocation does, and leaves it whole.
func looksInvoked(r *http.Request) bool {
	b := bufio.NewReaderSize(r.Body, 512)
	head, _ := b.Peek(64) // a short body is told by what there is; its error comes again
	r.Body = &peeked{b, r.Body}
	i := jsonscan.Space(head, 0)
	if i >= len(head) || head[i] != '{' {
		return false
	}
	i = jsonscan.Space(head, i+1)
	return jsonscan.Has(head, i, `"Data"`) || jsonscan.Has(head, i, `"Metadata"`)
}

// deadline is when an invocation must be over: a little before the host's functionTimeout, at which it would kill the process
// with everything in flight. A run is stopped at soft; one that does not stop is left behind at hard, and its caller answered.
func (a *app) deadline(start time.Time) (soft, hard time.Time, ok bool) {
	if a.timeout <= 0 {
		return soft, hard, false
	}
	margin := min(a.timeout/10, 10*time.Second)
	return start.Add(a.timeout - margin), start.Add(a.timeout - margin/2), true
}

// errDeadline is why a run ends that would last longer than functionTimeout allows.
var errDeadline = &function.Error{
	Kind: function.Timeout,
	Msg:  "The request was not scored within functionTimeout of the function app (host.json).",
	Err:  context.DeadlineExceeded,
}

// guard calls do so that neither a panic nor a run without an end reaches the host.
func (s *server) guard(w http.ResponseWriter, r *http.Request, do http.HandlerFunc) {
	soft, hard, limited := s.app.deadline(time.Now())
	x := newExchange(w)
	if !limited {
		s.recovered(x, r, do)
		return
	}
	ctx, cancel := context.WithDeadlineCause(r.Context(), soft, errDeadline)
	defer cancel()
	r = r.WithContext(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.recovered(x, r, do)
	}()
	limit := time.NewTimer(time.Until(hard))
	defer limit.Stop()
	select {
	case <-done:
		return
	case <-limit.C:
	}
	if x.abandon(errDeadline) {
		s.log().LogAttrs(ctx, slog.LevelError, "a run was left behind: it did not stop at its deadline. The script must stop when its context is done.")
		return
	}
	<-done // the answer was under way
}

// recovered is do with a panic as an answer.
func (s *server) recovered(x *exchange, r *http.Request, do http.HandlerFunc) {
	defer func() {
		if p := recover(); p != nil {
			s.log().LogAttrs(r.Context(), slog.LevelError, "panic", slog.Any("value", p), stack())
			x.fail(function.Errorf(function.Internal, "An unexpected internal error occurred. Check the logs for more info."))
		}
	}()
	if s.problem != nil {
		s.log().LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("error", s.problem.Error()))
		x.fail(s.problem)
		return
	}
	do(x, r)
}
