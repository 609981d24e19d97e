package lambdaemu_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// buffer is a writer that can be read meanwhile.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start is an emulator around the fake; change sets the rest.
func start(t *testing.T, change func(*lambdaemu.Config)) (*lambdaemu.Emulator, *buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := &buffer{}
	cfg := lambdaemu.Config{
		Command: []string{self}, Dir: t.TempDir(), Env: []string{asFake + "=1"}, Output: out,
		Timeout: 30 * time.Second, // nobody waits for it: tests of the timeout have their own
		Timing:  lambdaemu.Timing{Init: 30 * time.Second, Settle: 30 * time.Second, Shutdown: 30 * time.Second, Retry: []time.Duration{time.Millisecond, time.Millisecond}},
	}
	if change != nil {
		change(&cfg)
	}
	e, err := lambdaemu.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", out)
		}
	})
	return e, out
}

func (o order) json() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return b
}

func invoke(t *testing.T, e *lambdaemu.Emulator, o order) *lambdaemu.Answer {
	t.Helper()
	a, err := e.Invoke(t.Context(), lambdaemu.Call{Payload: o.json()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// pid is the process that answers.
func pid(t *testing.T, e *lambdaemu.Emulator) string {
	t.Helper()
	a := invoke(t, e, order{Do: "pid"})
	if a.FunctionError != "" {
		t.Fatalf("%s", a.Payload)
	}
	return string(a.Payload)
}

// wantError checks a function error; message is a regular expression.
func wantError(t *testing.T, a *lambdaemu.Answer, kind, message string) {
	t.Helper()
	var got struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(a.Payload, &got); err != nil {
		t.Fatalf("%s: %v", a.Payload, err)
	}
	if a.FunctionError != "Unhandled" || got.ErrorType != kind || !regexp.MustCompile(message).MatchString(got.ErrorMessage) {
		t.Errorf("got %q %s, want Unhandled, %s, %s", a.FunctionError, a.Payload, kind, message)
	}
}

// gate is a server that holds its callers: arrived gets one value a caller, who goes on when open is closed.
func gate(t *testing.T) (url string, arrived chan struct{}, open func()) {
	t.Helper()
	arrived = make(chan struct{}, 100)
	opened := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-opened:
		case <-r.Context().Done():
		}
	}))
	open = sync.OnceFunc(func() { close(opened) })
	t.Cleanup(func() {
		open()
		s.Close()
	})
	return s.URL, arrived, open
}

func post(t *testing.T, h http.Handler, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func count(out *buffer, what string) int { return strings.Count(out.String(), what) }
