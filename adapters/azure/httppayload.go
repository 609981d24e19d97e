package azure

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/scorefn/scorefn/function"
)

// httpRequest is the value of an HTTP trigger, {"Url","Method","Query","Headers","Params","Identities","Body"}. Without the
// app's files it is one when it looks like one.
func httpRequest(f *fn, p *payload) (raw, bool) {
	if f != nil && !f.http() {
		return nil, false
	}
	name := ""
	if f != nil {
		name = f.trigger.Name
	}
	v, err := p.value(name)
	if f != nil {
		return v, true
	}
	return v, err == nil && v.member("Url") != nil && v.member("Method") != nil
}

// serveHTTPPayload answers an HTTP request that came inside an invocation. The invocation succeeds whatever the request is
// answered: a failed one would be 500 to the client, without a word.
func (s *server) serveHTTPPayload(w http.ResponseWriter, r *http.Request, c *call, value raw) {
	rec, scored := &recorder{header: make(http.Header, 8)}, false
	request, err := s.unwrapHTTP(r, c, value)
	if err != nil {
		writeError(rec, err)
	} else {
		scored = scores(request)
		s.core.ServeHTTP(rec, request)
	}
	write(w, http.StatusOK, s.httpAnswer(r.Context(), c, rec, scored).json())
}

// unwrapHTTP makes the request of an invocation one of net/http.
func (s *server) unwrapHTTP(r *http.Request, c *call, value raw) (*http.Request, error) {
	if !value.starts('{') {
		return nil, function.Errorf(function.Invalid, "The invocation has no HTTP request.")
	}
	link, err := value.member("Url").text()
	u := new(url.URL)
	if err == nil {
		u, err = url.Parse(link)
	}
	var method string
	if err == nil {
		method, err = value.member("Method").text()
	}
	header := make(http.Header, 16)
	if err == nil {
		err = addHeaders(header, value.member("Headers"))
	}
	if err != nil {
		return nil, function.Errorf(function.Invalid, "The HTTP request of the invocation is malformed: %w", blind(err))
	}
	body, err := httpBody(value.member("Body"), header)
	if err != nil {
		return nil, err
	}
	if c.trace != "" {
		header.Set("Traceparent", c.trace) // the host's, in which the caller's goes on
	}
	_, path := s.app.find(method, u.EscapedPath())
	if c.fn != nil { // who else could be meant; the route only says where the model's name stands
		rest, _ := cutPrefix(u.EscapedPath(), s.app.prefix)
		if canonical, ok := c.fn.match(rest); ok {
			path = c.fn.corePath(canonical)
		} else {
			path = "/score"
		}
	}
	u = withPath(u, path)
	u.RawQuery = withoutKey(u.RawQuery)
	out := &http.Request{
		Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Host: header.Get("Host"),
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), RemoteAddr: r.RemoteAddr,
	}
	delete(header, "Host")
	delete(header, "Transfer-Encoding")
	delete(header, headerKey)
	return out.WithContext(r.Context()), nil
}

// blind is an error of net/url without the URL, which has the function's key in it.
func blind(err error) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // url.Parse returns it bare
		return e.Err
	}
	return err
}

// addHeaders adds an object of lists of strings.
func addHeaders(header http.Header, object raw) error {
	return object.object(func(name string, value raw) error {
		values := []raw{value}
		if value.starts('[') {
			var err error
			if values, err = value.elements(); err != nil {
				return err
			}
		}
		key := http.CanonicalHeaderKey(name)
		for _, v := range values {
			text, err := v.text()
			if err != nil {
				return err
			}
			header[key] = append(header[key], text)
		}
		return nil
	})
}

// httpBody is the body that the host has made a string of: text, or base64 where Content-Type says that it is bytes. All other
// bytes the host has broken by reading them as text, and a body of no announced length it leaves out.
func httpBody(value raw, header http.Header) ([]byte, error) {
	if value.absent() {
		if strings.EqualFold(header.Get("Transfer-Encoding"), "chunked") {
			return nil, function.Errorf(function.Invalid, "The Azure Functions host does not pass on a body without Content-Length here: send Content-Length, or set enableProxyingHttpRequest in host.json.")
		}
		return nil, nil
	}
	if !value.starts('"') { // no host sends that, but it can only mean itself
		return value, nil
	}
	body, err := value.unquote()
	if err != nil {
		return nil, function.Errorf(function.Invalid, "The body of the invocation's HTTP request is malformed: %w", err)
	}
	contentType := header.Get("Content-Type")
	if isOctets(contentType) || strings.Contains(strings.ToLower(contentType), "multipart/") {
		if body, err = base64.StdEncoding.AppendDecode(nil, body); err != nil {
			return nil, function.Errorf(function.Invalid, "The body of the invocation's HTTP request is not base64, as it is with %s: %w", mediaType(contentType), err)
		}
		return body, nil
	}
	if packed := header.Get("Content-Encoding"); packed != "" && !strings.EqualFold(packed, "identity") || strings.HasPrefix(mediaType(contentType), "image/") {
		return nil, function.Errorf(function.Unsupported, "The Azure Functions host has read this body, %s, as text and broken it: send it as application/octet-stream, or set enableForwardingHttpRequest in host.json and no further binding.", strings.TrimSpace(mediaType(contentType)+" "+packed))
	}
	return body, nil
}

// recorder keeps what the core answers.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...) // the memory of b is the core's
	return len(b), nil
}

// httpAnswer is a response as the host reads it: in the binding of type http, and the result in the further ones.
func (s *server) httpAnswer(ctx context.Context, c *call, rec *recorder, scored bool) answer {
	var a answer
	name := "res"
	if c.fn != nil {
		for _, b := range c.fn.outputs {
			if b.is("http") {
				name = b.Name
			}
		}
	}
	if rec.status == http.StatusOK && !utf8.Valid(rec.body) {
		*rec = recorder{header: make(http.Header, 8)}
		writeError(rec, function.Errorf(function.NotAcceptable, "The Azure Functions host takes no bytes as an answer here: ask for JSON or CSV, or set enableForwardingHttpRequest in host.json and no further binding."))
	}
	a.set(name, httpResponse(rec))
	if c.fn != nil && rec.status == http.StatusOK && scored {
		err := s.setOutputs(&a, c.fn, []result{{id: c.ID, body: rec.body, contentType: rec.header.Get("Content-Type")}}, true)
		if err != nil { // the client has his answer
			a.log(function.AsError(err).Msg)
			s.log().LogAttrs(ctx, slog.LevelError, "an output binding gets no answer", slog.String("error", err.Error()))
		}
	}
	return a
}

// scores tells the requests that the core answers with a result.
func scores(r *http.Request) bool {
	path := r.URL.Path
	switch r.Method {
	case http.MethodGet:
		return strings.HasSuffix(path, "/score")
	case http.MethodPost:
		return path == "/" || path == "/invocations" || strings.HasSuffix(path, "/score") || strings.HasSuffix(path, ":predict") || strings.HasSuffix(path, "/infer")
	}
	return false
}

// httpResponse is {"statusCode":200,"headers":{…},"body":"…"}. The body is a string, which the host sends as it is: an object
// it would write anew, with other numbers and dates.
func httpResponse(rec *recorder) []byte {
	dst := fmt.Appendf(nil, `{"statusCode":%d,"headers":{`, rec.status)
	first := true
	for name, values := range rec.header {
		if name == "Content-Length" || name == "Connection" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, strings.ToLower(name)), ':')
		dst = appendString(dst, strings.Join(values, ", "))
	}
	dst = append(dst, `},"body":`...)
	return append(appendString(dst, string(rec.body)), '}')
}
