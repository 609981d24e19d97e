package azureemu

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// The retries of a proxied request that found nobody listening (DefaultHttpProxyService).
const (
	proxyTries = 10
	firstPause = 50 * time.Millisecond
	mostPause  = 250 * time.Millisecond
)

type invocationKey struct{}

// proxy is enableProxyingHttpRequest: everything streams, nothing is changed but three headers (YARP's IHttpForwarder).
func (e *Emulator) proxy() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Host = e.target(p.In), p.In.Host
			for name, values := range p.In.Header { // ReverseProxy takes X-Forwarded-* away
				if _, ok := p.Out.Header[name]; !ok && !hop[name] {
					p.Out.Header[name] = values
				}
			}
			if p.In.Header.Get("User-Agent") == "" {
				p.Out.Header.Set("User-Agent", "")
			}
			id, _ := p.In.Context().Value(invocationKey{}).(string)
			stamp(p.Out.Header, id)
			p.Out.Header.Set("X-Ms-Invocation-Id", id)
		},
		Transport:     retrying{e.direct},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, 0), // ErrorHandler tells
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if failed, ok := r.Context().Value(failureKey{}).(*error); ok {
				*failed = err
			}
			if errors.As(err, new(*http.MaxBytesError)) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			fail(w)
		},
	}
}

// hop are the headers of one connection.
var hop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

type failureKey struct{}

func (e *Emulator) proxied(w http.ResponseWriter, r *http.Request, f *Function, proxy http.Handler) {
	_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 and a test's recorder are so without it
	// In full duplex net/http would read what is left of the body beside its look for the next request, and panic.
	defer r.Body.Close() //nolint:errcheck // nothing was written
	id := newID()
	begin := e.start(f, id)
	err := e.relay(w, r, f, id, proxy)
	e.end(f, id, begin, nil, nil, err)
	if errors.Is(err, errBroken) {
		panic(http.ErrAbortHandler) // the client is to notice
	}
}

var errBroken = errors.New("the handler broke off its answer")

func (e *Emulator) relay(w http.ResponseWriter, r *http.Request, f *Function, id string, proxy http.Handler) error {
	worker, err := e.ready(r.Context())
	if err != nil {
		fail(w)
		return err
	}
	var failed error
	ctx := context.WithValue(context.WithValue(r.Context(), invocationKey{}, id), failureKey{}, &failed)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(activity, func() { cancel(errors.New("ActivityTimeout: the request was silent for 240 s")) })
	defer silent.Stop()
	if d := e.app.Host.FunctionTimeout; d > 0 {
		late := time.AfterFunc(d, func() { cancel(e.expired(worker, f)) })
		defer late.Stop()
	}
	r = r.WithContext(ctx)
	r.Body = &activeReader{r.Body, silent}
	err = guard(func() { proxy.ServeHTTP(&activeWriter{w, silent}, r) })
	cause := context.Cause(ctx)
	if failed == nil && err == nil && errors.Is(cause, context.Canceled) {
		return nil // the client left with the answer
	}
	return errors.Join(cause, failed, err)
}

// guard runs f; an answer that broke off in the middle comes as a panic, which must not skip the log.
func guard(f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint // the value itself, as net/http compares it
				panic(p)
			}
			err = errBroken
		}
	}()
	f()
	return nil
}

type activeReader struct {
	io.ReadCloser
	silent *time.Timer
}

func (a *activeReader) Read(p []byte) (int, error) {
	a.silent.Reset(activity)
	return a.ReadCloser.Read(p)
}

type activeWriter struct {
	http.ResponseWriter
	silent *time.Timer
}

func (a *activeWriter) Write(p []byte) (int, error) {
	a.silent.Reset(activity)
	return a.ResponseWriter.Write(p)
}

// Unwrap lets the proxy flush.
func (a *activeWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// retrying tries again when nobody listens: nothing of the body has been read then.
type retrying struct{ http.RoundTripper }

func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	try := r
	if r.Body != nil && r.Body != http.NoBody {
		try = r.Clone(r.Context())
		try.Body = io.NopCloser(r.Body) // a try that failed closes it
	}
	for n, pause := 1, firstPause; ; n, pause = n+1, min(2*pause, mostPause) {
		a, err := t.RoundTripper.RoundTrip(try)
		var dial *net.OpError
		if err == nil || n == proxyTries || !errors.As(err, &dial) || dial.Op != "dial" {
			return a, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			return nil, context.Cause(r.Context())
		}
	}
}
