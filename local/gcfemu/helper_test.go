package gcfemu_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/gcfemu"
)

// log is a log that can be waited for.
type log struct {
	mu    sync.Mutex
	b     bytes.Buffer
	grown chan struct{}
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// wait returns when the log has that text.
func (l *log) wait(t *testing.T, text string) {
	t.Helper()
	patience := time.After(long)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.grown:
		case <-patience:
			t.Fatalf("no %q in the log:\n%s", text, l)
		}
	}
}

// long is a time that no test waits for.
const long = time.Minute

// emulate is an emulator around the fake and its URL; change sets the rest.
func emulate(t *testing.T, change func(*gcfemu.Config)) (url string, e *gcfemu.Emulator, out *log) {
	t.Helper()
	out = &log{grown: make(chan struct{}, 1)}
	cfg := gcfemu.Config{
		Command: []string{os.Args[0]}, Dir: t.TempDir(), Env: []string{asFake + "=good"}, Target: "Score", Output: out, Timeout: long,
		Timing: gcfemu.Timing{Startup: long, Shutdown: long, Pending: long, Probe: time.Millisecond},
	}
	if change != nil {
		change(&cfg)
	}
	e, err := gcfemu.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(e)
	t.Cleanup(func() {
		s.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", out)
		}
	})
	return s.URL, e, out
}

// ask posts a body and returns the status and the answer.
func ask(t *testing.T, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// gate holds the requests that are sent to its path: arrived gets a value for each, and all go on when open is called.
func gate(t *testing.T) (path string, arrived chan struct{}, open func()) {
	t.Helper()
	arrived = make(chan struct{}, 100)
	opened := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-opened
	}))
	open = sync.OnceFunc(func() { close(opened) })
	t.Cleanup(func() {
		open()
		s.Close()
	})
	return "/gate?url=" + s.URL, arrived, open
}

// inside waits until n requests are held by the gate: none of them can have an answer yet.
func inside(t *testing.T, n int, arrived <-chan struct{}, answers <-chan string) {
	t.Helper()
	for range n {
		select {
		case <-arrived:
		case a := <-answers:
			t.Fatalf("answered before the gate was opened: %q", a)
		}
	}
}

// all asks n times at once; the answers come when they come.
func all(t *testing.T, n int, url string) <-chan string {
	t.Helper()
	answers := make(chan string, n)
	for range n {
		go func() {
			_, a := ask(t, url, "")
			answers <- a
		}()
	}
	return answers
}
