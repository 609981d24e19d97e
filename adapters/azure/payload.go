package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/scorefn/scorefn/function"
)

// payload is the body of an invocation, {"Data":{name:value},"Metadata":{name:value}}.
type payload struct {
	data     raw
	metadata raw

	members map[string]raw   // of metadata, once they are asked for
	lists   map[string][]raw // of members that are arrays, the same
}

// servePayload answers an invocation. Anything but 2xx is a failed one, and what else is in that answer nobody sees.
func (s *server) servePayload(w http.ResponseWriter, r *http.Request, c *call) {
	if c.fn != nil && c.fn.nothing() {
		s.serveNothing(w, r)
		return
	}
	if c.fn != nil && !c.fn.http() {
		leave, err := s.enter(r.Context()) // before the body is read: what waits here costs no memory
		if err != nil {
			s.fail(w, r, err)
			return
		}
		defer leave()
	}
	p, err := s.read(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c.Metadata = []byte(p.metadata)
	if request, ok := httpRequest(c.fn, p); ok {
		s.serveHTTPPayload(w, r, c, request)
		return
	}
	s.serveEvent(w, r, c, p)
}

// enter waits for a place among the events.
func (s *server) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.events <- struct{}{}:
		return func() { <-s.events }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// An invocation holds the caller's body, with an escape for every quote or in base64, and may hold parts of it twice.
const (
	overhead = 4
	headroom = 1 << 20
)

// read reads an invocation.
func (s *server) read(r *http.Request) (p *payload, err error) {
	limit := min(int64(s.f.Settings().MaxBody), 1<<40)*overhead + headroom
	body, err := readAll(r.Body, r.ContentLength, limit)
	switch {
	case errors.Is(err, errTooLong):
		return p, function.Errorf(function.TooLarge, "The invocation is larger than %d bytes, which is what SCOREFN_MAX_BODY leaves room for.", limit)
	case err != nil && r.Context().Err() != nil:
		return p, context.Cause(r.Context())
	case err != nil:
		return p, &function.Error{Kind: function.Unavailable, Msg: "The invocation could not be read: it ended early.", Err: err}
	}
	if p, err = parsePayload(body); err != nil {
		err = function.Errorf(function.Invalid, "The body is not an invocation of the Azure Functions host, {\"Data\":{…},\"Metadata\":{…}}: %w", err)
	}
	return p, err
}

var errTooLong = errors.New("azure: too long")

// readAll reads no more than limit bytes. Memory is set aside for the announced length up to a megabyte, then for what arrives.
func readAll(from io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, errTooLong
	}
	buf := make([]byte, 0, min(max(length, 511), 1<<20)+1) // one byte more: the read that finds the end needs room
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, min(len(buf), int(limit)+1-len(buf)))
		}
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, errTooLong
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

// parsePayload takes an invocation apart.
func parsePayload(body []byte) (*payload, error) {
	if !isValue(body) {
		return nil, errors.New("it is not one JSON value")
	}
	p := new(payload)
	err := raw(body).object(func(name string, value raw) error {
		switch name {
		case "Data":
			p.data = value
		case "Metadata":
			p.metadata = value
		}
		return nil
	})
	switch {
	case err != nil:
	case !p.data.starts('{'):
		err = errors.New("there is no object Data")
	case !p.metadata.absent() && !p.metadata.starts('{'):
		err = errors.New("its Metadata is no object")
	}
	return p, err
}

// value is what a binding got; without one of that name, or without a name, the only one there is.
func (p *payload) value(name string) (raw, error) {
	var found, only raw
	n := 0
	err := p.data.object(func(member string, value raw) error {
		if member == name {
			found = value
		}
		only = value
		n++
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case found != nil:
		return found, nil
	case n == 1:
		return only, nil
	}
	return nil, fmt.Errorf("the invocation's Data has %d values, and none of them is the trigger's, %q", n, name)
}

// meta is a value of the metadata: the JSON that stands inside the string, or the value itself.
func (p *payload) meta(name string) raw {
	if p.members == nil {
		p.members = map[string]raw{}
		_ = p.metadata.object(func(name string, value raw) error { // what is no object has none
			p.members[name] = value
			return nil
		})
	}
	v := p.members[name]
	if v.starts('"') {
		if text, err := v.unquote(); err == nil && isValue(text) {
			return text
		}
	}
	return v
}

// metaText is a text of the metadata, "" when it is absent.
func (p *payload) metaText(name string) string {
	v := p.meta(name)
	if text, err := v.text(); err == nil {
		return text
	}
	return string(v) // a number
}

// metaOf is the metadata of one message: of several, there is an array of it.
func (p *payload) metaOf(name string, i int, many bool) string {
	if !many {
		return p.metaText(name)
	}
	list, ok := p.lists[name]
	if !ok {
		list, _ = p.meta(name + "Array").elements() // what is no array has none
		if p.lists == nil {
			p.lists = map[string][]raw{}
		}
		p.lists[name] = list
	}
	if i >= len(list) {
		return ""
	}
	text, err := list[i].text()
	if err != nil {
		return string(list[i]) // a number
	}
	return text
}

// nothing tells the triggers that bring nothing to score and are there to keep an instance warm.
func (f *fn) nothing() bool { return f.trigger.is("timerTrigger") || f.trigger.is("warmupTrigger") }

// serveNothing loads the model, if it is not.
func (s *server) serveNothing(w http.ResponseWriter, r *http.Request) {
	if err := s.f.Init(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, answer{logs: []string{"the model is loaded"}}.json())
}

// fail answers a failed invocation. The host shows no more than that it failed: the log has the rest.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := function.AsError(err)
	s.log().LogAttrs(r.Context(), slog.LevelError, "invocation failed", slog.String("kind", e.Kind.String()),
		slog.Bool("retry", e.Kind.Retryable()), slog.String("error", err.Error()))
	write(w, http.StatusInternalServerError, append(appendString([]byte(`{"message": `), e.Msg), '}'))
}
