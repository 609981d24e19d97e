package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
)

// twice is a script that doubles a number and misbehaves on request.
type twice struct{}

func (twice) Run(ctx context.Context, data json.RawMessage) (any, error) {
	switch string(data) {
	case `"broken"`:
		return nil, errors.New("secret of the script")
	case `"large"`:
		return strings.Repeat("x", 60<<10), nil
	case `"headers"`:
		return function.CallOf(ctx).Header, nil
	case `"who"`:
		v, ok := InvocationFrom(ctx)
		return []any{v.Function, v.ID, v.Trigger, string(v.Metadata), ok, function.CallOf(ctx).Trace}, nil
	}
	var n float64
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, err
	}
	return 2 * n, nil
}

// busy is a store in which one object cannot be had just now.
type busy struct{ blob.Store }

func (b busy) Get(ctx context.Context, url string) (*blob.Object, error) {
	if strings.HasSuffix(url, "/busy.json") {
		return nil, fmt.Errorf("%w: try later", blob.ErrTemporary)
	}
	return b.Store.Get(ctx, url)
}

// newTest is a server of twice, and the store that it has.
func newTest(tb testing.TB, files map[string]string, env map[string]string) (http.Handler, blob.Store) {
	tb.Helper()
	root := tb.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	f := function.New(
		func(context.Context, modeldir.Model) (function.Script, error) { return twice{}, nil },
		function.WithModel(modeldir.Model{Name: "twice", Version: "1"}))
	tb.Cleanup(func() { _ = f.Close() })
	s := busy{blob.Mem()}
	h := Handler(f, WithStore(s), WithEnv(func(name string) string {
		if name == "FUNCTIONS_APP_ROOT_PATH" {
			return root
		}
		return env[name]
	}))
	if s, ok := h.(*server); !ok || s.problem != nil {
		tb.Fatal(s.problem)
	}
	return h, s
}

// invoke posts a payload and returns the answer.
func invoke(tb testing.TB, h http.Handler, path, payload string) (int, string) {
	tb.Helper()
	q := httptest.NewRequestWithContext(tb.Context(), "POST", path, strings.NewReader(payload))
	q.Header.Set("X-Azure-Functions-InvocationId", "inv-1")
	q.Header.Set("Traceparent", "00-trace-01")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		tb.Errorf("Content-Type %q", got)
	}
	body, _ := io.ReadAll(w.Body) // memory
	return w.Code, string(body)
}

// quoted is a text as JSON.
func quoted(text string) string {
	b, _ := json.Marshal(text) // a string has JSON
	return string(b)
}

// function.json of one trigger and outputs, which are "type" or "type:name".
func functionJSON(trigger string, outputs ...string) string {
	var b strings.Builder
	b.WriteString(`{"bindings":[` + trigger)
	for _, o := range outputs {
		kind, name, ok := strings.Cut(o, ":")
		if !ok {
			name = "result"
		}
		fmt.Fprintf(&b, `,{"type":%q,"direction":"out","name":%q}`, kind, name)
	}
	return b.String() + `]}`
}
