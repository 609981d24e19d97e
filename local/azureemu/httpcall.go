package azureemu

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// httpRequest is Data's value of an httpTrigger (HttpRequestExtensions.GetRequestAsJObject).
type httpRequest struct {
	URL        string `json:"Url"`
	Method     string
	Query      map[string]string
	Headers    http.Header
	Params     map[string]*string
	Identities []any
	Body       *string `json:",omitempty"` // nil when the client sent no Content-Length
}

// payload is the mode of functions that get their request as Data.
func (e *Emulator) payload(w http.ResponseWriter, r *http.Request, f *Function, params map[string]*string) {
	var ts traps
	text, err := requestText(r, &ts)
	if err != nil {
		refuse(w, err)
		return
	}
	id := newID()
	request, err := httpPayload(f, r, text, params, time.Now(), newID())
	if err != nil {
		e.log.error("%s: %v", f.Name, err)
		fail(w)
		return
	}
	begin := e.start(f, id)
	ctx := context.WithoutCancel(r.Context()) // a client that leaves does not end the invocation
	a, err := e.call(ctx, f, id, request, &ts)
	var res *httpAnswer
	var logs []string
	if err == nil {
		logs = a.logs
		if res, err = a.http(f, &ts); err == nil {
			_, err = e.write(ctx, f, a, request, &ts)
		}
	}
	e.end(f, id, begin, ts, logs, err)
	if err != nil {
		fail(w)
		return
	}
	for name, values := range res.header {
		if !strings.EqualFold(name, "Content-Length") && !strings.EqualFold(name, "Transfer-Encoding") {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(res.status)
	_, _ = w.Write(res.body) // the client may have left
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.As(err, new(*http.MaxBytesError)) {
		status = http.StatusRequestEntityTooLarge
	}
	w.WriteHeader(status)
}

// requestText is Body: nil without a Content-Length, base64 for the types that the host takes for binary.
func requestText(r *http.Request, ts *traps) (*string, error) {
	if r.ContentLength < 0 {
		ts.add("chunked-body", "the client sent its body chunked, without a Content-Length: the host drops it; send one, or set "+
			"enableProxyingHttpRequest")
		return nil, nil
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	kind := strings.ToLower(r.Header.Get("Content-Type"))
	text := string(b)
	switch valid := validText(b); {
	case strings.HasPrefix(kind, "application/octet-stream") || strings.Contains(kind, "multipart/"):
		text = base64.StdEncoding.EncodeToString(b)
	case valid != text:
		ts.add("binary-body", "a body of type %q is read as text and damaged; only application/octet-stream and multipart/* come through", kind)
		text = valid
	}
	return &text, nil
}

// httpPayload is a request of a client as one to the handler.
func httpPayload(f *Function, r *http.Request, text *string, params map[string]*string, now time.Time, guid string) (*request, error) {
	headers := r.Header.Clone()
	headers.Set("Host", r.Host)
	if len(r.TransferEncoding) > 0 { // net/http takes it out
		headers["Transfer-Encoding"] = r.TransferEncoding
	}
	if text != nil {
		headers.Set("Content-Length", r.Header.Get("Content-Length"))
	}
	flat := map[string]string{}
	for name, values := range headers {
		flat[name] = strings.Join(values, ", ")
	}
	query := map[string]string{}
	for name, values := range queryValues(r.URL.RawQuery) {
		query[name] = strings.Join(values, ",")
	}
	m := newMetadata()
	m.sys(f.Name, now, guid)
	m.set("Query", query)
	m.set("Headers", flat)
	for name, v := range query {
		if !strings.EqualFold(name, "code") {
			m.set(name, v)
		}
	}
	for name, v := range params {
		if v != nil {
			m.set(name, *v)
		}
	}
	if text != nil {
		m.spill(*text)
	}
	value, err := jsonText(httpRequest{
		URL: absolute(r), Method: r.Method, Query: query, Headers: headers, Params: params, Identities: identities(r), Body: text,
	})
	return newRequest(f, value, m), errors.Join(err, m.err)
}

func queryValues(raw string) url.Values {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return values // what could be read
	}
	return values
}

// absolute is the URL as the client wrote it.
func absolute(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + r.URL.RequestURI()
}

// identities are the claims that a key brings; the emulator does not check it.
func identities(r *http.Request) []any {
	const xml = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
	id := map[string]any{
		"Actor": nil, "AuthenticationType": nil, "BootstrapContext": nil, "Claims": []any{}, "IsAuthenticated": false, "Label": nil,
		"Name": nil, "NameClaimType": xml, "RoleClaimType": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
	}
	if r.Header.Get("X-Functions-Key") != "" || r.URL.Query().Has("code") {
		id["AuthenticationType"], id["IsAuthenticated"] = "WebJobsAuthLevel", true
		id["Claims"] = []any{map[string]any{
			"Issuer": "LOCAL AUTHORITY", "OriginalIssuer": "LOCAL AUTHORITY", "Properties": map[string]string{}, "Value": "Function",
			"Type":      "http://schemas.microsoft.com/2017/07/functions/claims/authlevel",
			"ValueType": "http://www.w3.org/2001/XMLSchema#string",
		}}
	}
	return []any{id}
}
