package azureemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// forwarded is enableForwardingHttpRequest: the request with its path and query, without what the host loses of it, and the
// answer as it is, both buffered whole.
func (e *Emulator) forwarded(w http.ResponseWriter, r *http.Request, f *Function) {
	var ts traps
	id := newID()
	body, err := forwardBody(r, &ts)
	if err != nil {
		refuse(w, err)
		return
	}
	begin := e.start(f, id)
	answer, err := e.forward(r, f, id, body)
	e.end(f, id, begin, ts, nil, err)
	if err != nil {
		fail(w)
		return
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // the client may have left
}

// forwardBody is the body that gets through: one with a Content-Length.
func forwardBody(r *http.Request, ts *traps) ([]byte, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		ts.add("content-encoding", "forwarding drops Content-Encoding: %s, and leaves the body as it is; look at the first bytes, or set "+
			"enableProxyingHttpRequest", encoding)
	}
	if r.ContentLength < 0 {
		ts.add("chunked-body", "the client sent its body chunked, without a Content-Length: forwarding drops it; send one, or set "+
			"enableProxyingHttpRequest")
	}
	if r.ContentLength <= 0 {
		return nil, nil
	}
	return io.ReadAll(r.Body)
}

func (e *Emulator) forward(r *http.Request, f *Function, id string, body []byte) (*httpAnswer, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	w, err := e.ready(ctx)
	if err != nil {
		return nil, err
	}
	limit, stop := e.limit()
	defer stop()
	type reply struct {
		answer *httpAnswer
		err    error
	}
	replies := make(chan reply, 1)
	e.work.Go(func() {
		answer, err := e.exchange(ctx, r, id, body)
		replies <- reply{answer, err}
	})
	select {
	case got := <-replies:
		return got.answer, got.err
	case <-limit:
		return nil, e.expired(w, f)
	}
}

// exchange sends the request and reads the answer whole.
func (e *Emulator) exchange(ctx context.Context, r *http.Request, id string, body []byte) (*httpAnswer, error) {
	q := (&http.Request{
		Method: r.Method, URL: e.target(r), Host: r.Host, Header: forwardHeaders(r.Header, id), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	if len(body) > 0 {
		q.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	a, err := e.direct.RoundTrip(q)
	if err != nil {
		return nil, fmt.Errorf("HttpRequestException: %w", err)
	}
	defer func() { _ = a.Body.Close() }() // nothing was written
	text, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("HttpRequestException: %w", err)
	case len(text) > maxAnswer:
		return nil, errors.New("the handler's answer is too long")
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"} {
		a.Header.Del(name)
	}
	return &httpAnswer{a.StatusCode, a.Header, text}, nil
}

// target is the handler's URL for the request's own path and query.
func (e *Emulator) target(r *http.Request) *url.URL {
	to := *r.URL
	to.Scheme, to.Host = "http", strings.TrimPrefix(e.url, "http://")
	return &to
}

// forwardHeaders are the request's but for Content-*, of which the type and the length survive.
func forwardHeaders(h http.Header, id string) http.Header {
	out := http.Header{}
	for name, values := range h {
		if !strings.HasPrefix(name, "Content-") || name == "Content-Type" {
			out[name] = values
		}
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade"} {
		out.Del(name)
	}
	if agent := out.Get("User-Agent"); agent != "" {
		out.Set("User-Agent", agent+" "+userAgent)
	} else {
		out.Set("User-Agent", userAgent)
	}
	own := strings.Join(h.Values("X-Azure-Functions-Invocationid"), ", ")
	stamp(out, id)
	if own != "" { // a caller's own stays in front
		out.Set("X-Azure-Functions-InvocationId", own+", "+id)
	}
	return out
}
