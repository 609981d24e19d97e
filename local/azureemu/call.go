package azureemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer bounds what is kept of a handler's answer; the host has no limit but its memory.
const maxAnswer = MaxBody

// maxRedirects is HttpClientHandler.MaxAutomaticRedirections.
const maxRedirects = 50

// timeoutError is a function that took longer than functionTimeout.
type timeoutError struct{ text string }

func (t *timeoutError) Error() string { return t.text }

// Result is what became of an invocation.
type Result struct {
	Function, ID string
	Outputs      []Output        // what was written, in the order of the bindings
	Return       json.RawMessage // the return value, when no binding takes it
	Logs         []string
	Traps        []Trap
	Err          error // why it failed
}

// limit is functionTimeout as a channel, nil for none.
func (e *Emulator) limit() (<-chan time.Time, func()) {
	d := e.app.Host.FunctionTimeout
	if d <= 0 {
		return nil, func() {}
	}
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// expired fails an invocation that took too long, and with it the handler.
func (e *Emulator) expired(w *worker, f *Function) error {
	why := fmt.Sprintf("Timeout value of %s was exceeded by function: Functions.%s", clock(e.app.Host.FunctionTimeout), f.Name)
	e.change(func() {
		if e.worker == w {
			e.worker = nil // those that come now wait for the next one
		}
	})
	w.expire(why)
	return &timeoutError{"FunctionTimeoutException: " + why}
}

// clock is a time as .NET writes it.
func clock(d time.Duration) string {
	text := fmt.Sprintf("%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	if f := d % time.Second; f > 0 {
		text += fmt.Sprintf(".%07d", f/100)
	}
	return text
}

// call posts a payload and reads the answer. The timeout is the function's; an empty answer waits for it.
func (e *Emulator) call(ctx context.Context, f *Function, id string, request *request, ts *traps) (*answer, error) {
	w, err := e.ready(ctx)
	if err == nil {
		err = e.inputs(ctx, f, request)
	}
	if err != nil {
		return nil, err
	}
	body, err := request.body()
	if err != nil {
		return nil, err
	}
	limit, stop := e.limit()
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type reply struct {
		a   *answer
		ts  traps
		err error
	}
	replies := make(chan reply, 1)
	e.work.Go(func() { // the invocation that called is counted in, so this is in time
		var r reply
		r.a, r.err = e.post(ctx, f, id, body, &r.ts)
		replies <- r
	})
	select {
	case r := <-replies:
		*ts = append(*ts, r.ts...)
		if !errors.Is(r.err, errHang) {
			return r.a, r.err
		}
		e.log.traps(f.Name, r.ts) // at once: it will be a while
		select {
		case <-limit:
			return nil, e.expired(w, f)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-e.stop:
			return nil, ErrClosed
		}
	case <-limit:
		return nil, e.expired(w, f)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (e *Emulator) post(ctx context.Context, f *Function, id string, body []byte, ts *traps) (*answer, error) {
	var content io.Reader = bytes.NewReader(body)
	if !e.cfg.ContentLength {
		content = struct{ io.Reader }{content} // of unknown length: chunked
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"/"+f.Name, content)
	if err != nil {
		return nil, err
	}
	// A redirect that keeps the method sends the body again.
	q.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	q.Header.Set("Content-Type", "application/json; charset=utf-8")
	q.Header.Set("User-Agent", userAgent)
	stamp(q.Header, id)
	client := *e.client
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		ts.add("redirect", "the handler redirected %s to %s %s: the host follows, and POST becomes GET for 301, 302 and 303; route without "+
			"redirects", f.Name, to.Method, to.URL.Path)
		if len(via) > maxRedirects {
			return http.ErrUseLastResponse
		}
		return nil
	}
	r, err := client.Do(q)
	if err != nil {
		return nil, fmt.Errorf("HttpRequestException: %w", err)
	}
	defer func() { _ = r.Body.Close() }() // nothing was written
	answer, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("HttpRequestException: %w", err)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("the handler's answer has more than %d bytes", maxAnswer)
	}
	return readAnswer(r.StatusCode, r.Header.Get("Content-Type"), answer, f.isHTTP(), ts)
}

const userAgent = "Azure-Functions-Host/" + Version

// stamp adds the host's own headers.
func stamp(h http.Header, id string) {
	h.Set("X-Azure-Functions-InvocationId", id)
	h.Set("X-Azure-Functions-HostVersion", Version)
	if h.Get("Traceparent") == "" { // .NET's client leaves a caller's own
		h.Set("Traceparent", "00-"+hexID(16)+"-"+hexID(8)+"-00")
	}
}

// start and end are the host's two lines about an invocation.
func (e *Emulator) start(f *Function, id string) time.Time {
	e.log.info("Executing 'Functions.%s' (Id=%s)", f.Name, id)
	return time.Now()
}

func (e *Emulator) end(f *Function, id string, begin time.Time, ts traps, logs []string, err error) {
	for _, line := range logs {
		e.log.info("  %s: %s", f.Name, short(line))
	}
	if !errors.As(err, new(*timeoutError)) { // a hang was told of when it began
		e.log.traps(f.Name, ts)
	}
	took := round(time.Since(begin))
	if err != nil {
		e.log.error("Executed 'Functions.%s' (Failed, Id=%s, Duration=%s) %s", f.Name, id, took, short(err.Error()))
		return
	}
	e.log.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%s)", f.Name, id, took)
}
