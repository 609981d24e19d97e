package lambda

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// door is one way in which HTTP reaches a function: how its event becomes a request, how a response becomes its answer, and
// how large the answer may be.
type door struct {
	decode func(*event, *request) error
	encode func([]byte, *event, *response) []byte
	limit  int
}

var doors = map[kind]door{
	httpAPI:      {decodeV2, appendV2, maxAnswer},
	functionURL:  {decodeV2, appendV2, maxAnswer},
	restAPI:      {decodeREST, appendREST, maxAnswer},
	loadBalancer: {decodeALB, appendALB, maxALB},
}

// request is what an event says about an HTTP request.
type request struct {
	method, host, path, query, remote string
	header                            http.Header
}

// bodies is the memory of request bodies between requests.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// keepBody is the largest body whose memory goes back to the pool.
const keepBody = 8 << 20

// serveHTTP answers an HTTP event. An event that is not one is the platform's mistake or that of whoever made it up; it is
// answered all the same.
func (h *handler) serveHTTP(ctx context.Context, v *invocation) answer {
	e := v.event
	d := doors[e.kind]
	w := &response{header: make(http.Header, 8)}
	memory := bodies.Get().(*[]byte)
	body, err := appendBody((*memory)[:0], e)
	defer func() {
		if cap(body) <= keepBody {
			*memory = body[:0]
			bodies.Put(memory)
		}
	}()
	r := request{header: make(http.Header, 16)}
	if err == nil {
		err = d.decode(e, &r)
	}
	if err != nil {
		w.fail(http.StatusBadRequest, "The event of AWS Lambda is not a well-formed "+e.kind.String()+" event: "+err.Error())
	} else {
		h.http.ServeHTTP(w, r.http(ctx, body, h.f.Settings().PathPrefix))
	}
	if w.status >= http.StatusInternalServerError {
		v.failures++
	}
	if h.env.stream && (e.kind == functionURL || e.kind == restAPI) {
		return w.stream()
	}
	out := d.encode(nil, e, w)
	if len(out) > d.limit {
		v.failures++
		w.fail(http.StatusRequestEntityTooLarge, tooLarge(len(out), d.limit))
		out = d.encode(nil, e, w)
	}
	return answer{body: out}
}

// appendBody appends the body of an HTTP event to dst.
func appendBody(dst []byte, e *event) ([]byte, error) {
	if e.members[mIsBase64].yes() {
		return e.members[mBody].appendBase64(dst)
	}
	return e.members[mBody].appendText(dst)
}

// http is r as net/http has it.
func (r *request) http(ctx context.Context, body []byte, prefix string) *http.Request {
	header := r.header
	out := &http.Request{
		Method:        r.method,
		URL:           target(r.path, prefix, r.query),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Host:          r.host,
		RemoteAddr:    r.remote,
	}
	if host := header.Get("Host"); host != "" {
		out.Host = host
		delete(header, "Host") // as net/http's server does
	}
	return out.WithContext(ctx)
}

// target is a request's URL. SERVICE_PATH_PREFIX, the base path of a custom domain or a path pattern of a load balancer, is
// taken off: nothing in front of the function does so.
func target(path, prefix, query string) *url.URL {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		if rest, ok := strings.CutPrefix(path, "/"+prefix); ok && (rest == "" || rest[0] == '/') {
			path = rest
		}
	}
	if path == "" {
		path = "/"
	}
	u := &url.URL{Path: path, RawQuery: query}
	if plain, err := url.PathUnescape(path); err == nil {
		u.Path, u.RawPath = plain, path
	}
	return u
}

// addHeaders adds an object of strings, or of lists of strings, to header.
func addHeaders(header http.Header, object raw) error {
	if object.absent() {
		return nil
	}
	return jsonscan.Object(object, func(name []byte, from, to int) error {
		return each(object[from:to], func(value string) {
			key := http.CanonicalHeaderKey(string(name))
			header[key] = append(header[key], value)
		})
	})
}

// each calls do with a string, or with each string of a list.
func each(value raw, do func(string)) error {
	if value.absent() {
		return nil
	}
	one := func(v raw) error {
		text, err := v.text()
		if err == nil {
			do(text)
		}
		return err
	}
	if value[0] == '[' {
		return elements(value, one)
	}
	return one(value)
}

// query is a query string of an object of strings or of lists of strings, in the event's order. escape makes a value fit
// for it.
func query(object raw, escape func(string) string) (string, error) {
	var b strings.Builder
	if object.absent() {
		return "", nil
	}
	err := jsonscan.Object(object, func(name []byte, from, to int) error {
		return each(object[from:to], func(value string) {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			b.WriteString(escape(string(name)))
			b.WriteByte('=')
			b.WriteString(escape(value))
		})
	})
	return b.String(), err
}

// isFunctionURL tells a function URL's host, ID.lambda-url.REGION.on.aws.
func isFunctionURL(domain string) bool { return strings.Contains(domain, ".lambda-url.") }

// response keeps what a handler answers. The core writes an answer once and in one piece.
type response struct {
	header http.Header
	status int
	body   []byte
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...) // the memory of b is the handler's
	return len(b), nil
}

// fail makes w an error in the core's form, with the headers that w has.
func (w *response) fail(status int, text string) {
	w.status = status
	w.header["Content-Type"] = []string{"application/json"}
	delete(w.header, "Content-Encoding")
	w.body = append(appendString(append(w.body[:0], `{"message": `...), text), '}')
}

// errNotText is a body that a JSON string cannot hold.
var errNotText = errors.New("not text")

// appendBodyMember appends "body" and "isBase64Encoded". What is text goes as text, everything else in base64.
func (w *response) appendBodyMember(dst []byte) []byte {
	dst = append(dst, `,"body":`...)
	at := len(dst)
	err := errNotText
	if w.header.Get("Content-Encoding") == "" && textual(w.header.Get("Content-Type")) {
		dst, err = tensor.AppendString(dst, string(w.body))
	}
	if err != nil {
		return append(appendBase64String(dst[:at], w.body), `,"isBase64Encoded":true`...)
	}
	return append(dst, `,"isBase64Encoded":false`...)
}

// textual tells the media types whose bodies are text.
func textual(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || strings.HasPrefix(media, "text/") ||
		strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") || media == "application/xml"
}

// platformHeaders are set by the door itself: what the core says about the connection is not about the caller's.
var platformHeaders = map[string]bool{"Connection": true, "Content-Length": true}
