package cloudfunctions

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/jsonscan"
)

// The media types of CloudEvents over HTTP.
const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
	anyEventType   = "application/cloudevents"
)

// reader makes the events of a request's body.
type reader func(r *http.Request, body []byte) []*delivery

// detect tells how a request carries events; nil when it is a scoring request. Headers that only events have say so, and
// one kind of body: see [envelope]. Whatever else a body holds, it is a scoring request's.
func detect(r *http.Request, limit int64) (reader, error) {
	if r.Method != http.MethodPost {
		return nil, nil //nolint:nilnil // no reader: not an event
	}
	h := r.Header
	media := strings.ToLower(h.Get("Content-Type"))
	if strings.HasPrefix(strings.TrimSpace(media), anyEventType) {
		switch mediaType(media) {
		case structuredType:
			return func(_ *http.Request, body []byte) []*delivery { return []*delivery{structured(body)} }, nil
		case batchType:
			return func(_ *http.Request, body []byte) []*delivery { return batched(body) }, nil
		}
		return unknownFormat, nil
	}
	switch {
	case has(h, "Ce-Specversion") || has(h, "Ce-Id") || has(h, "Ce-Type") || has(h, "Ce-Source"):
		return func(r *http.Request, body []byte) []*delivery { return []*delivery{binary(r.Header, body)} }, nil
	case has(h, pushMessageID) || has(h, pushSubscription):
		return func(r *http.Request, body []byte) []*delivery { return []*delivery{unwrapped(r.Header, body)} }, nil
	case has(h, "Content-Encoding"):
		return nil, nil //nolint:nilnil // Pub/Sub packs nothing
	}
	return detectEnvelope(r, limit)
}

func has(h http.Header, name string) bool { return len(h[name]) > 0 }

func unknownFormat(r *http.Request, body []byte) []*delivery {
	d := &delivery{data: body, contentType: r.Header.Get("Content-Type")}
	d.err = function.Errorf(function.Unsupported, "Events in the format %.100q are not understood: "+
		"expected %s or %s, or the attributes in ce- headers.", d.contentType, structuredType, batchType)
	return []*delivery{d}
}

// detectEnvelope looks for a push of Pub/Sub, which no header tells apart. Of a scoring request it reads no more than a few
// bytes, and puts them back.
func detectEnvelope(r *http.Request, limit int64) (reader, error) {
	p := &peeked{ReadCloser: r.Body}
	n, err := io.ReadFull(r.Body, p.head[:])
	p.rest = p.head[:n]
	r.Body = p
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, function.Errorf(function.Invalid, "The request body could not be read: %w", err)
	}
	if !startsAsEnvelope(p.rest) {
		return nil, nil //nolint:nilnil // no reader: not an event
	}
	whole, err := io.ReadAll(io.LimitReader(p, limit+1))
	if err != nil {
		return nil, function.Errorf(function.Invalid, "The request body could not be read: %w", err)
	}
	if int64(len(whole)) <= limit {
		if e, ok := envelope(whole); ok {
			path := r.URL.Path
			return func(*http.Request, []byte) []*delivery { return []*delivery{wrapped(e, path, whole)} }, nil
		}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(whole), p), p}
	return nil, nil //nolint:nilnil // no reader: not an event
}

// peeked is a body whose first bytes were read already.
type peeked struct {
	io.ReadCloser
	head [64]byte
	rest []byte // of head
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.rest) > 0 {
		n := copy(b, p.rest)
		p.rest = p.rest[n:]
		return n, nil
	}
	return p.ReadCloser.Read(b)
}

// startsAsEnvelope tells the start of a JSON object whose first member is one of an envelope's.
func startsAsEnvelope(b []byte) bool {
	i := jsonscan.Space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	i = jsonscan.Space(b, i+1)
	for _, name := range envelopeNames {
		if jsonscan.Has(b, i, `"`+name+`"`) {
			return true
		}
	}
	return false
}
