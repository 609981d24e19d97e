package azure

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/scorefn/scorefn/function"
)

// result is what became of an item of a message.
type result struct {
	id          string
	body        []byte
	contentType string
	stored      string
	skipped     string
	err         error
}

func (r result) retryable() bool { return r.err != nil && function.AsError(r.err).Kind.Retryable() }

// serveEvent scores what a trigger brings.
func (s *server) serveEvent(w http.ResponseWriter, r *http.Request, c *call, p *payload) {
	ctx, start := r.Context(), time.Now()
	d := newDelivered()
	list, many, err := s.messages(c, p, d)
	if err != nil { // the host's words are not understood: that is nobody's message
		s.fail(w, r, function.Errorf(function.Invalid, "The value of the trigger cannot be read: %w", err))
		return
	}
	results := s.score(ctx, list, d)
	s.access(ctx, results, time.Since(start))
	if err := s.verdict(c, p, results); err != nil {
		s.fail(w, r, err)
		return
	}
	var a answer
	for _, r := range results {
		switch {
		case r.skipped != "":
			a.log(r.id + ": " + r.skipped)
		case r.err != nil:
			a.log(r.id + " failed: " + function.AsError(r.err).Msg)
			s.log().LogAttrs(ctx, slog.LevelError, "message dropped", slog.String("message", r.id), slog.String("error", r.err.Error()))
		}
	}
	if c.fn == nil && s.env.output == "" {
		s.log().LogAttrs(ctx, slog.LevelWarn, "the answer goes nowhere: there is no function.json of the function that the host calls. Deploy it, or set SCOREFN_OUTPUT")
	}
	if c.fn != nil {
		if large := s.setOutputs(&a, c.fn, results, !many); large != nil {
			if !s.env.drop {
				s.fail(w, r, large)
				return
			}
			a.log(function.AsError(large).Msg)
			s.log().LogAttrs(ctx, slog.LevelError, "answer dropped", slog.String("error", large.Error()))
		}
	}
	write(w, http.StatusOK, a.json())
}

// access is the access log's line of an event.
func (s *server) access(ctx context.Context, results []result, took time.Duration) {
	if !s.f.Settings().AccessLog {
		return
	}
	failures := 0
	for _, r := range results {
		if r.err != nil {
			failures++
		}
	}
	s.log().LogAttrs(ctx, slog.LevelInfo, "event", slog.Int("messages", len(results)), slog.Int("failed", failures),
		slog.Float64("ms", float64(took.Microseconds())/1e3))
}

// score scores messages, all items at once.
func (s *server) score(ctx context.Context, list []message, d *delivered) []result {
	var items []function.Item
	var results []result
	var place []int // of the result of each item
	for _, m := range list {
		if len(m.items) == 0 {
			results = append(results, result{id: m.id, skipped: m.skipped})
		}
		for i, it := range m.items {
			id := m.id
			if len(m.items) > 1 {
				id += "-" + strconv.Itoa(i)
			}
			if m.etag != "" {
				d.etags[it.URL] = m.etag
			}
			items, place = append(items, it), append(place, len(results))
			results = append(results, result{id: id})
		}
	}
	events := function.Events{
		Store: deliveredStore{s.store, d}, Sink: s.env.output, MaxObject: int64(s.f.Settings().MaxBody),
	}
	for i, r := range s.f.Each(ctx, items, events) {
		out := &results[place[i]]
		out.body, out.contentType, out.stored, out.err = r.Response.Body, r.Response.ContentType, r.Stored, r.Err
	}
	return results
}

// verdict is why an invocation fails; nil when its answer counts.
//
// One message: it fails when its failure may pass, and unless SCOREFN_POISON is drop when it never will: the host tries again,
// and then has a poison queue or dead letters for it. Of several the host knows only all or none. A failure that may pass is
// worth scoring all of them again, where they come again; one that never will is not, since it would take the others with it:
// its error stands in the answer. Where nothing succeeded there is nothing to take.
func (s *server) verdict(c *call, p *payload, results []result) error {
	var failed, passing *result
	failures := 0
	for i := range results {
		r := &results[i]
		if r.err == nil {
			continue
		}
		failures++
		if failed == nil {
			failed = r
		}
		if passing == nil && r.retryable() {
			passing = r
		}
	}
	all := failures == len(results)
	switch {
	case failures == 0:
		return nil
	case passing != nil && (all || comesAgain(c, p)):
		return batchError(passing, failures, len(results))
	case passing == nil && all && !s.env.drop:
		return batchError(failed, failures, len(results))
	}
	return nil
}

// comesAgain tells whether the host tries a failed event again: the source does, or a retry policy that has tries left.
func comesAgain(c *call, p *payload) bool {
	if retry := p.meta("RetryContext"); retry.starts('{') {
		n, err1 := strconv.Atoi(string(retry.member("RetryCount")))
		most, err2 := strconv.Atoi(string(retry.member("MaxRetryCount")))
		if err1 == nil && err2 == nil && most >= 0 {
			return n < most
		}
	}
	return c.fn == nil || c.fn.again
}

func batchError(r *result, failures, n int) error {
	if n == 1 {
		return r.err
	}
	e := function.AsError(r.err)
	return &function.Error{Kind: e.Kind, Msg: fmt.Sprintf("%d of %d messages failed. %s: %s", failures, n, r.id, e.Msg), Err: e.Err}
}
