package function

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function/tensor"
)

// Handler serves f over HTTP, the same on every platform:
//
//	GET  /        Healthy, at once, whatever is being scored
//	POST /score   {"data": …} → the answer as JSON
//	POST /        the same: function URLs and Cloud Functions call the root
//
// Every error is JSON, {"message": "…"}, with the status of its [Kind].
func Handler(f *Function) http.Handler {
	h := &handler{f: f}
	h.routes = map[string]map[string]handlerFunc{
		"/":      {http.MethodGet: health, http.MethodHead: health, http.MethodPost: h.score},
		"/score": {http.MethodPost: h.score},
	}
	return h
}

type handler struct {
	f      *Function
	routes map[string]map[string]handlerFunc
}

// handlerFunc answers a request, or returns the error that is to be answered; then it has written nothing.
type handlerFunc func(w http.ResponseWriter, r *http.Request) error

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.route(w, r); err != nil {
		h.fail(w, r, err)
	}
}

func (h *handler) route(w http.ResponseWriter, r *http.Request) error {
	methods, ok := h.routes[r.URL.Path]
	if !ok {
		return Errorf(NotFound, "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.")
	}
	serve, ok := methods[r.Method]
	if !ok {
		w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
		return Errorf(NotAllowed, "The method is not allowed for the requested URL.")
	}
	return serve(w, r)
}

func health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := io.WriteString(w, "Healthy")
	return gone(err)
}

// buffers holds the memory of bodies and answers between requests.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer struct{ body, answer []byte }

// keepBuffer is the largest body or answer whose memory goes back to the pool.
const keepBuffer = 8 << 20

func (b *buffer) release() {
	if cap(b.body) > keepBuffer {
		b.body = nil
	}
	if cap(b.answer) > keepBuffer {
		b.answer = nil
	}
	buffers.Put(b)
}

func (h *handler) score(w http.ResponseWriter, r *http.Request) (err error) {
	b := buffers.Get().(*buffer)
	defer b.release()
	if b.body, err = readBody(b.body[:0], r, h.f.settings.MaxBody); err != nil {
		return err
	}
	answer, err := h.f.Append(r.Context(), b.answer[:0], Request{Body: b.body})
	if err != nil {
		return err
	}
	b.answer = answer
	header := w.Header()
	header["Content-Type"] = jsonHeader
	header["Content-Length"] = []string{strconv.Itoa(len(answer))}
	_, err = w.Write(answer)
	return gone(err)
}

var jsonHeader = []string{jsonType}

// readBody appends the request's body to dst. Its memory is sized by Content-Length, but never beyond twice what has
// arrived: a header alone must not cost memory.
func readBody(dst []byte, r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return dst, tooLarge(limit)
	}
	const first = 1 << 20
	whole := max(int(r.ContentLength), 511) + 1 // one byte more: the read that finds the end needs room
	dst = slices.Grow(dst, min(whole, first))
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(min(whole-len(dst), len(dst)), 1))
		}
		n, err := r.Body.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst) > limit {
			return dst, tooLarge(limit)
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, unread(r.Context(), err)
		}
	}
}

func tooLarge(limit int) error {
	return Errorf(TooLarge, "The request body is larger than %d bytes, the limit of this service (SCOREFN_MAX_BODY).", limit)
}

// unread is the error of a body that did not arrive whole.
func unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &Error{Kind: Canceled, Msg: "The request was canceled.", Err: err}
	}
	return &Error{Kind: Invalid, Msg: "The request body could not be read: it ended early or was malformed.", Err: err}
}

// gone is the error of an answer that could not be written: nobody is left to read another one.
func gone(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: Canceled, Msg: "The caller went away.", Err: err}
}

// fail answers an error and logs what the caller does not see.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := AsError(err)
	level := slog.LevelDebug
	if e.Kind == Internal || e.Kind == Timeout || e.Kind == Unavailable && e.Err != nil {
		level = slog.LevelError
	}
	h.f.log.LogAttrs(r.Context(), level, "request failed", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", e.Kind.Status()), slog.String("kind", e.Kind.String()), slog.String("error", err.Error()))
	header := w.Header()
	if e.Kind == TooLarge {
		header.Set("Connection", "close") // the rest of the body is not read
	}
	if e.Kind == Unavailable {
		header.Set("Retry-After", strconv.Itoa(int(max(e.RetryAfter+time.Second-1, time.Second)/time.Second)))
	}
	header["Content-Type"] = jsonHeader
	body := message(e.Msg)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Kind.Status())
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the caller may be gone: there is nothing else to do
	}
}

// message is {"message": "…"}: one space after the colon, as the reference server writes it.
func message(text string) []byte {
	b := append([]byte(nil), `{"message": `...)
	quoted, err := tensor.AppendString(b, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil { // cannot happen: the text is valid UTF-8
		quoted = append(b, `""`...)
	}
	return append(quoted, '}')
}
