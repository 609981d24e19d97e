package door

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// answer is HTTP again.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func intText(n int) string { return strconv.Itoa(n) }

// write sends it. What a service strips from a function's headers is stripped: the connection is the service's.
func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	a.head(w)
	if r.Method != http.MethodHead && bodyAllowed(a.status) {
		w.Header().Set("Content-Length", intText(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body) // a caller that left
		return
	}
	w.WriteHeader(a.status)
}

func (a *answer) head(w http.ResponseWriter) {
	for name, values := range a.header {
		switch name {
		case "Connection", "Transfer-Encoding", "Content-Length", "Keep-Alive", "Upgrade":
			continue
		}
		w.Header()[name] = values
	}
}

func bodyAllowed(status int) bool { return status >= 200 && status != 204 && status != 304 }

// envelope is the answer of a function to an HTTP event, as far as all services read it.
type envelope struct {
	StatusCode        json.RawMessage              `json:"statusCode"`
	Headers           map[string]json.RawMessage   `json:"headers"`
	MultiValueHeaders map[string][]json.RawMessage `json:"multiValueHeaders"`
	Cookies           []string                     `json:"cookies"`
	Body              *string                      `json:"body"`
	Base64            bool                         `json:"isBase64Encoded"`
}

// parse reads a buffered answer as a service of that kind does. An error is what the service answers 502 to.
func parse(k Kind, a *lambdaemu.Answer) (*answer, error) {
	if a.ContentType == lambdaemu.StreamType { // a streaming function behind a buffered door
		prelude, body, whole := bytes.Cut(a.Payload, preludeEnd)
		if !whole {
			return nil, errors.New("a streamed answer without its prelude")
		}
		return parsePrelude(k, prelude, body)
	}
	v2 := k == HTTPAPI || k == FunctionURL || k == FunctionURLStream
	if v2 && !hasStatus(a.Payload) {
		return inferred(a.Payload)
	}
	var e envelope
	if err := json.Unmarshal(a.Payload, &e); err != nil {
		return nil, fmt.Errorf("the answer is no object with statusCode, headers and body: %w", err)
	}
	switch k { // each reads its own fields
	case RESTAPI, RESTAPIStream:
		e.Cookies = nil
	case ALB:
		e.Cookies, e.MultiValueHeaders = nil, nil
	case ALBMultiValue:
		e.Cookies, e.Headers = nil, nil
	default:
		e.MultiValueHeaders = nil
	}
	return e.answer(k)
}

// hasStatus tells an envelope from a bare answer.
func hasStatus(b []byte) bool {
	var top map[string]json.RawMessage
	return json.Unmarshal(b, &top) == nil && top["statusCode"] != nil
}

// inferred is how payload format 2.0 takes an answer without statusCode: 200, JSON, the answer itself. A bare string is the
// body without its quotes.
func inferred(b []byte) (*answer, error) {
	if !json.Valid(b) {
		return nil, errors.New("the answer is not JSON")
	}
	var s string
	if json.Unmarshal(b, &s) == nil && len(b) > 0 && b[0] == '"' {
		b = []byte(s)
	}
	return &answer{200, http.Header{"Content-Type": {jsonType}}, b}, nil
}

func (e *envelope) answer(k Kind) (*answer, error) {
	status, err := statusOf(e.StatusCode, k)
	if err != nil {
		return nil, err
	}
	a := &answer{status: status, header: http.Header{}}
	for name, raw := range e.Headers {
		v, err := headerValue(raw)
		if err != nil {
			return nil, fmt.Errorf("header %q: %w", name, err)
		}
		a.header.Add(name, v)
	}
	for name, raws := range e.MultiValueHeaders {
		for _, raw := range raws {
			v, err := headerValue(raw)
			if err != nil {
				return nil, fmt.Errorf("header %q: %w", name, err)
			}
			if key := http.CanonicalHeaderKey(name); !slices.Contains(a.header[key], v) { // in both maps: once
				a.header[key] = append(a.header[key], v)
			}
		}
	}
	for _, c := range e.Cookies {
		a.header.Add("Set-Cookie", c)
	}
	if e.Body != nil {
		a.body = []byte(*e.Body)
	}
	if e.Base64 {
		if a.body, err = base64.StdEncoding.DecodeString(string(a.body)); err != nil {
			return nil, fmt.Errorf("isBase64Encoded, but the body is not: %w", err)
		}
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", defaultType(k))
	}
	return a, nil
}

// defaultType is what a service declares for a function that declared nothing.
func defaultType(k Kind) string {
	switch k {
	case HTTPAPI:
		return "text/plain;charset=UTF-8"
	case ALB, ALBMultiValue:
		return "application/octet-stream"
	default:
		return jsonType
	}
}

// statusOf takes a whole number, and from API Gateway's functions also one in quotes.
func statusOf(raw json.RawMessage, k Kind) (int, error) {
	s := string(raw)
	if k == RESTAPI || k == RESTAPIStream || k == HTTPAPI {
		s = strings.Trim(s, `"`)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || f < 100 || f > 599 {
		return 0, fmt.Errorf("statusCode %s is not a whole number from 100 to 599", orMissing(raw))
	}
	if f < 200 {
		return 0, fmt.Errorf("statusCode %s: an answer cannot be informational", raw)
	}
	return int(f), nil
}

func orMissing(raw json.RawMessage) string {
	if raw == nil {
		return "(missing)"
	}
	return string(raw)
}

// headerValue takes strings, numbers and booleans.
func headerValue(raw json.RawMessage) (string, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		if strings.ContainsAny(v, "\r\n\x00") {
			return "", errors.New("a line break in a header")
		}
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("%s is no header value", raw)
}
