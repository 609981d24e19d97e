package cloudfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
)

// twice is a script that doubles a number and misbehaves on request.
type twice struct{}

func (twice) Run(ctx context.Context, data json.RawMessage) (any, error) {
	switch string(data) {
	case `"invalid"`:
		return nil, function.Errorf(function.Invalid, "data is not a number")
	case `"broken"`:
		return nil, errors.New("secret of the script")
	case `"panic"`:
		panic("secret of the panic")
	case `"busy"`:
		return nil, function.Errorf(function.Unavailable, "come back later")
	case `"slow"`:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case `"large"`:
		return strings.Repeat("x", 33<<20), nil
	case `"medium"`:
		return strings.Repeat("x", 2<<20), nil
	case `"event"`:
		e, ok := EventFrom(ctx)
		return fmt.Sprint(ok, "|", e.ID, "|", e.Source, "|", e.Type, "|", e.Subject, "|", e.Time.UTC(), "|", e.Attributes), nil
	}
	var n float64
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, err
	}
	return 2 * n, nil
}

// newFunction is a function of twice, with the core's settings of env.
func newFunction(tb testing.TB, env map[string]string) *function.Function {
	tb.Helper()
	set, err := settings.Load(func(name string) string { return env[name] })
	if err != nil {
		tb.Fatal(err)
	}
	f := function.New(
		func(context.Context, modeldir.Model) (function.Script, error) { return twice{}, nil },
		function.WithModel(modeldir.Model{Name: "twice", Version: "1"}), function.WithSettings(set))
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

// newTest is a handler of twice with a store in memory.
func newTest(tb testing.TB, env map[string]string, opts ...Option) (*handler, blob.Store) {
	tb.Helper()
	store := blob.Mem()
	opts = append([]Option{WithStore(store), WithEnv(func(name string) string { return env[name] })}, opts...)
	h, err := newHandler(newFunction(tb, env), opts)
	if err != nil {
		tb.Fatal(err)
	}
	return h, store
}

// sent is a request of a test.
type sent struct {
	method, path string
	header       map[string]string
	body         string
}

func (s sent) request(ctx context.Context, url string) (*http.Request, error) {
	if s.method == "" {
		s.method = http.MethodPost
	}
	if s.path == "" {
		s.path = "/"
	}
	r, err := http.NewRequestWithContext(ctx, s.method, url+s.path, strings.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	for k, v := range s.header {
		r.Header.Set(k, v)
	}
	return r, nil
}

// serve calls h.
func serve(tb testing.TB, h http.Handler, s sent) *httptest.ResponseRecorder {
	tb.Helper()
	r, err := s.request(tb.Context(), "http://function.example")
	if err != nil {
		tb.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// call sends s to a server.
func call(tb testing.TB, url string, s sent) (status int, body string, header http.Header) {
	tb.Helper()
	return callWith(tb, http.DefaultClient, url, s)
}

func callWith(tb testing.TB, client *http.Client, url string, s sent) (status int, body string, header http.Header) {
	tb.Helper()
	r, err := s.request(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// accounts are the results of an answer about events.
func accounts(tb testing.TB, body string) []account {
	tb.Helper()
	var a struct{ Results []account }
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Results == nil {
		tb.Fatalf("got %s: %v", body, err)
	}
	return a.Results
}

// The headers of events.
var (
	jsonBody   = map[string]string{"Content-Type": "application/json"}
	inOne      = map[string]string{"Content-Type": structuredType}
	inABatch   = map[string]string{"Content-Type": batchType}
	pubsubPush = map[string]string{"Content-Type": "application/json", "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"}
)

// ce is the headers of a binary event of a type.
func ce(kind string, more ...string) map[string]string {
	h := map[string]string{
		"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "id-1", "ce-source": "//source.example/a",
		"ce-type": kind, "ce-time": "2026-03-04T05:06:07.123Z",
	}
	for i := 0; i < len(more); i += 2 {
		h[more[i]] = more[i+1]
		if more[i+1] == "" {
			delete(h, more[i])
		}
	}
	return h
}

func with(h map[string]string, name, value string) map[string]string {
	h = maps.Clone(h)
	h[name] = value
	return h
}
