package cloudfunctions

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

// status is what became of an event.
type status string

const (
	scored  status = "scored"
	skipped status = "skipped" // there was nothing to score in it
	dropped status = "dropped" // it can never be scored
	failed  status = "failed"  // it may pass later: the sender is asked to send it again
)

// outcome is an event with what became of it.
type outcome struct {
	*delivery
	status   status
	response function.Response // of one that was scored
	stored   string            // URL of its result, or of its dead letter
	reason   string            // why one was skipped
	err      error             // of one that was dropped or failed
	logged   bool              // the error is in the log already, with its cause
}

// serveEvents scores the events of a request and answers for all of them: with 200 when none is to be sent again, else with
// the status of one that is. That is the only thing that Pub/Sub and Eventarc look at.
func (h *handler) serveEvents(w *response, r *http.Request, read reader) {
	ctx := r.Context()
	c := function.CallOf(ctx)
	c.Header, c.Trace = r.Header, r.Header.Get("Traceparent")
	w.Header()["X-Request-Id"] = []string{c.RequestID}
	body, err := readAll(r, h.maxBody())
	if e := r.Header.Get("Content-Encoding"); err == nil && e != "" && e != "identity" {
		err = function.Errorf(function.Unsupported, "Events with a Content-Encoding are not understood: send them as they are.")
	}
	list := read(r, body)
	if err != nil { // the headers may tell which event it is
		list = list[:min(len(list), 1)]
	}
	for _, d := range list {
		d.path = r.URL.EscapedPath()
		d.err = cmp.Or(err, d.err)
	}
	out := make([]outcome, len(list))
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
			out[i] = h.guarded(ctx, list[i])
		}
	}
	var group sync.WaitGroup
	for range min(len(list), cmp.Or(h.f.Settings().Concurrency, runtime.GOMAXPROCS(0))) - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	h.answer(w, out)
}

// modelOf is the model that an event is for, as the path of the route names it that the trigger calls:
// /models/NAME[/versions/V]/score. Any other path is the default model's.
func modelOf(path string) (model, version string) {
	for _, pattern := range []string{"/models/{name}/score", "/models/{name}/versions/{version}/score"} {
		want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
		if len(want) != len(have) {
			continue
		}
		for i := range want {
			switch {
			case want[i] == "{name}":
				model = unescape(have[i])
			case want[i] == "{version}":
				version = unescape(have[i])
			case want[i] != have[i]:
				return "", ""
			}
		}
		return model, version
	}
	return "", ""
}

// guarded is one event's outcome, whatever happens.
func (h *handler) guarded(ctx context.Context, d *delivery) (o outcome) {
	start := time.Now()
	ctx = context.WithValue(ctx, eventKey{}, &d.Event)
	defer func() {
		if p := recover(); p != nil {
			o = outcome{delivery: d, status: failed, err: fmt.Errorf("cloudfunctions: panic: %v\n%s", p, debug.Stack())}
		}
		h.log(ctx, &o, time.Since(start))
	}()
	return h.one(ctx, d)
}

// one scores one event.
func (h *handler) one(ctx context.Context, d *delivery) outcome {
	o := outcome{delivery: d}
	w, err := decode(d)
	if err != nil {
		return h.lost(ctx, o, err)
	}
	if w.skip == "" && h.own(w.item.URL) {
		w.skip = "the object " + w.item.URL + " is this function's own: a result or a dead letter"
	}
	if w.skip != "" {
		o.status, o.reason = skipped, w.skip
		return o
	}
	w.item.Model, w.item.Version = modelOf(d.path)
	r := h.f.Each(ctx, []function.Item{w.item}, function.Events{
		Store: h.store, Sink: h.env.output, MaxObject: h.maxBody(),
	})[0]
	if r.Err != nil {
		o.logged = true
		return h.lost(ctx, o, r.Err)
	}
	o.status, o.response, o.stored = scored, r.Response, r.Stored
	return o
}

// lost is the outcome of an event that was not scored. One that can never be is acknowledged once its dead letter is
// written, where there is a place for it.
func (h *handler) lost(ctx context.Context, o outcome, err error) outcome {
	if late(ctx) && function.AsError(err).Kind.Retryable() {
		err = errDeadline
	}
	o.status, o.err = failed, err
	if function.AsError(err).Kind.Retryable() {
		return o
	}
	if h.env.deadLetter != "" {
		url, putErr := h.bury(ctx, &o)
		if putErr != nil {
			o.logged = false
			o.err = &function.Error{
				Kind: function.Unavailable, Msg: "The event cannot be scored, and its dead letter could not be written (SCOREFN_DEAD_LETTER).",
				Err: fmt.Errorf("%w; the event: %w", putErr, err),
			}
			return o
		}
		o.stored = url
	}
	o.status = dropped
	return o
}

// own tells an object that this function wrote itself: events about it would go round in circles. In a sink that is a whole
// bucket, which has others' objects too, the results of its own objects lie below its name.
func (h *handler) own(url string) bool {
	results := h.env.output
	if _, bucket, key, err := blob.Split(results); err == nil && strings.Trim(key, "/") == "" {
		results = blob.Join(results, bucket)
	}
	below := func(place string) bool { return place != "" && strings.HasPrefix(url, blob.Join(place, "")) }
	return below(results) || below(h.env.deadLetter)
}

// log writes one line for an event, without what it carries.
func (h *handler) log(ctx context.Context, o *outcome, took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("status", string(o.status)), slog.Float64("ms", float64(took.Microseconds())/1e3)}
	if o.stored != "" {
		attrs = append(attrs, slog.String("stored", o.stored))
	}
	if o.reason != "" {
		attrs = append(attrs, slog.String("reason", o.reason))
	}
	if o.err != nil {
		e, text := function.AsError(o.err), o.err.Error()
		if o.logged {
			text = e.Msg
		}
		level = slog.LevelError
		attrs = append(attrs, slog.String("kind", e.Kind.String()), slog.String("error", text))
	}
	if o.status == scored && o.stored == "" {
		attrs = append(attrs, slog.String("note", "the answer is stored nowhere: SCOREFN_OUTPUT is not set"))
	}
	if o.err == nil && !h.f.Settings().AccessLog {
		return
	}
	slog.LogAttrs(ctx, level, "event", attrs...)
}
