package gcfemu

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

var (
	errTimeout  = errors.New("gcfemu: the request timeout is over")
	errResponse = errors.New("gcfemu: the response is too large")
)

// exchange is one request on its way through the front end.
type exchange struct {
	e       *Emulator
	w       http.ResponseWriter
	r       *http.Request
	begin   time.Time
	event   bool
	timeout time.Duration
	limit   int64       // bytes of the request
	large   atomic.Bool // it was more

	instance *instance
	status   int
	note     string
	sent     int64
}

// ServeHTTP is the front end.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{e: e, w: w, r: r, begin: time.Now(), event: isEvent(r.Header), timeout: e.cfg.Timeout, limit: MaxBody}
	if x.event {
		x.timeout, x.limit = min(x.timeout, MaxEventTime), MaxEvent
	}
	defer x.log() // also when a response breaks off, which is a panic for net/http
	if r.ContentLength > x.limit && !e.cfg.HTTP2 {
		x.tooLarge()
		return
	}
	if r.Body != nil && !e.cfg.HTTP2 {
		r.Body = &bounded{r.Body, x, x.limit}
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), x.timeout, errTimeout)
	defer cancel()
	i, err := e.acquire(ctx)
	if err != nil {
		x.fail(ctx, err)
		return
	}
	x.instance = i
	defer e.release(i)
	defer e.checkMemory(i)
	x.forward(ctx)
}

// isEvent tells a CloudEvent, in whichever form: github.com/cloudevents/spec, HTTP protocol binding.
func isEvent(h http.Header) bool {
	return h.Get("Ce-Id") != "" || h.Get("Ce-Type") != "" || strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "application/cloudevents")
}

func (x *exchange) forward(ctx context.Context) {
	defer func() { // a response that was under way cannot be replaced
		if x.status != http.StatusGatewayTimeout && errors.Is(context.Cause(ctx), errTimeout) {
			x.note = "broken off by the request timeout"
		}
	}()
	target := &url.URL{Scheme: "http", Host: x.instance.addr()}
	proxy := &httputil.ReverseProxy{
		Transport:     x.e.transport,
		FlushInterval: -1, // a streamed answer is streamed
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
			p.Out.Header.Del("X-Forwarded-Host")
			p.Out.Header.Set("X-Forwarded-Proto", "https") // the platform's callers come by no other way
			if x.e.cfg.function() && p.Out.Header.Get("Function-Execution-Id") == "" {
				p.Out.Header.Set("Function-Execution-Id", randomHex(6))
			}
			addTrace(p.Out.Header)
		},
		ModifyResponse: x.response,
		ErrorLog:       log.New(proxyLog{x.e}, "", 0),
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			x.fail(ctx, err)
		},
	}
	proxy.ServeHTTP(x.w, x.r.WithContext(ctx))
}

// proxyLog is for what the proxy has to say of a response that broke off.
type proxyLog struct{ e *Emulator }

func (p proxyLog) Write(b []byte) (int, error) {
	p.e.line("%s", strings.TrimSpace(string(b)))
	return len(b), nil
}

// response sees what the function answered before the caller does.
func (x *exchange) response(r *http.Response) error {
	x.status = r.StatusCode
	if !x.e.cfg.HTTP2 && r.ContentLength > MaxBody {
		return errResponse
	}
	if r.StatusCode != http.StatusSwitchingProtocols { // the body of an upgrade is a connection
		r.Body = &counted{r.Body, &x.sent}
	}
	return nil
}

// fail answers what the platform answers when the function did not.
func (x *exchange) fail(ctx context.Context, err error) {
	start, notStarted := errors.AsType[*StartError](err)
	switch {
	case x.large.Load():
		x.tooLarge()
	case errors.Is(err, errResponse):
		x.e.warn("an answer has more than 32 MB: the platform answers 500 (%s)", "Response size was too large")
		x.answer(http.StatusInternalServerError, "Response size was too large. Please consider reducing response size.")
	case errors.Is(context.Cause(ctx), errTimeout):
		x.e.warn("no answer within %v: the caller gets 504 (--timeout); the function is not ended and goes on until it looks at its context", x.timeout)
		x.answer(http.StatusGatewayTimeout, "upstream request timeout")
	case x.r.Context().Err() != nil:
		x.status, x.note = 499, "the caller left" // nobody reads an answer
	case errors.Is(err, errBusy):
		x.e.warn("%d instances with %d requests each are busy for %v: 429; raise --concurrency or --max-instances",
			x.e.cfg.MaxInstances, x.e.cfg.Concurrency, x.e.cfg.Timing.Pending)
		x.answer(http.StatusTooManyRequests, "Rate exceeded.")
	case notStarted:
		x.answer(http.StatusServiceUnavailable, "Service Unavailable", start.Reason)
	default:
		x.answer(http.StatusServiceUnavailable, "Service Unavailable", err.Error())
	}
}

// tooLarge refuses a request before the function has seen all of it.
func (x *exchange) tooLarge() {
	if x.event {
		x.event = false // as far as the log is concerned: there is nothing to acknowledge
		x.e.warn("an event has more than 512 KB: Eventarc delivers none so large, the function never sees it; send the name of an object instead")
	} else {
		x.e.warn("a request has more than 32 MB: the platform refuses it before the function sees it, whatever SCOREFN_MAX_BODY says")
	}
	x.answer(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
}

// answer is the platform's own; note is for the log alone.
func (x *exchange) answer(status int, text string, note ...string) {
	x.status, x.note = status, strings.Join(note, " ")
	x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.w.Header().Set("Connection", "close") // what is left of the request is not read
	x.w.WriteHeader(status)
	_, _ = io.WriteString(x.w, text+"\n") // a caller that left
}

// addTrace gives a request the ids that the front end gives it, unless it came with its own.
func addTrace(h http.Header) {
	if h.Get("Traceparent") != "" || h.Get("X-Cloud-Trace-Context") != "" {
		return
	}
	trace, span := randomHex(16), randomHex(8)
	number, err := hex.DecodeString(span)
	if err != nil {
		return // it was made the line before
	}
	h.Set("Traceparent", "00-"+trace+"-"+span+"-00")
	h.Set("X-Cloud-Trace-Context", fmt.Sprintf("%s/%d;o=0", trace, binary.BigEndian.Uint64(number)))
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
