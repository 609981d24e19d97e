package azure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

// The host keeps requests for a handler that is not ready for four times initializationTimeout, and then ends itself.
func TestTheProbeIsNotHeldForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{app: &app{initTimeout: 30 * time.Second}, ready: make(chan struct{})}
		start := time.Now()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		if took := time.Since(start); took != 90*time.Second || w.Code != 200 {
			t.Errorf("%d after %v", w.Code, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
		if took := time.Since(start); took != time.Second {
			t.Errorf("a host that went away was waited for: %v", took)
		}
		close(s.ready)
		start = time.Now()
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "HEAD", "/", nil))
		if took := time.Since(start); took != 0 {
			t.Errorf("it is ready: %v", took)
		}
	})
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	for timeout, want := range map[time.Duration][2]time.Duration{
		5 * time.Minute:  {290 * time.Second, 295 * time.Second},
		10 * time.Second: {9 * time.Second, 9500 * time.Millisecond},
	} {
		soft, hard, ok := (&app{timeout: timeout}).deadline(start)
		if !ok || soft.Sub(start) != want[0] || hard.Sub(start) != want[1] {
			t.Errorf("%v: got %v %v", timeout, soft.Sub(start), hard.Sub(start))
		}
	}
	if _, _, ok := new(app).deadline(start); ok {
		t.Error("there is a deadline where there is none")
	}
}

// A run that does not stop is answered for, and what it writes later reaches nobody.
func TestARunThatIsLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{app: &app{timeout: 100 * time.Second}}
		release := make(chan struct{})
		w := httptest.NewRecorder()
		start := time.Now()
		s.guard(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", nil), func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			if !errors.Is(context.Cause(r.Context()), errDeadline) {
				t.Errorf("cause: %v", context.Cause(r.Context()))
			}
			<-release
			w.Header().Set("X", "late")
			w.WriteHeader(200)
			if _, err := w.Write([]byte("late")); !errors.Is(err, http.ErrHandlerTimeout) {
				t.Errorf("a late answer: %v", err)
			}
		})
		if took := time.Since(start); took != 95*time.Second || w.Code != 500 || !strings.Contains(w.Body.String(), "functionTimeout") {
			t.Errorf("%d %s after %v", w.Code, w.Body, took)
		}
		close(release)
		synctest.Wait()
		if strings.Contains(w.Body.String(), "late") || w.Header().Get("X") != "" {
			t.Errorf("got %v %s", w.Header(), w.Body)
		}
		// One that has begun to answer is waited for.
		w = httptest.NewRecorder()
		s.guard(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", nil), func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("first ")) // a recorder
			time.Sleep(200 * time.Second)
			_, _ = w.Write([]byte("last"))
		})
		if w.Body.String() != "first last" {
			t.Errorf("got %s", w.Body)
		}
		// And a panic outside of the core is an answer too.
		for _, timeout := range []time.Duration{0, time.Minute} {
			s.app.timeout = timeout
			w = httptest.NewRecorder()
			s.guard(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", nil), func(http.ResponseWriter, *http.Request) { panic("secret") })
			if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		}
	})
}

func TestASetUpThatIsWrongIsWhatCallsAnswer(t *testing.T) {
	t.Parallel()
	f := function.New(nil, function.WithModel(modeldir.Model{Name: "x"}))
	t.Cleanup(func() { _ = f.Close() })
	h := Handler(f, WithEnv(func(name string) string { return map[string]string{"SCOREFN_POISON": "keep"}[name] }))
	for _, path := range []string{"/api/score", "/queue"} {
		if status, body := invoke(t, h, path, `{"data":1}`); status != 503 || strings.Contains(body, "keep") {
			t.Errorf("got %d %s", status, body)
		}
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("settings: PORT"), true},
		{fmt.Errorf("modeldir: x: %w", modeldir.ErrNotFound), true},
		{&function.Error{Kind: function.Unavailable, Msg: "public", Err: errors.New("onnx: no ONNX Runtime library")}, true},
		{function.Errorf(function.Invalid, "labels"), true},
		{errors.New("the share is not mounted"), false},
		{fs.ErrNotExist, false},
		{function.Errorf(function.Unavailable, "later"), false},
	} {
		if got := lasting(tt.err); got != tt.want {
			t.Errorf("%v: got %v", tt.err, got)
		}
	}
}

// The process before this one may not be gone yet when the host starts this one.
func TestListenWaitsForThePort(t *testing.T) {
	t.Parallel()
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := first.Addr().String()
	got := make(chan error, 1)
	go func() {
		ln, err := listen(t.Context(), addr)
		if err == nil {
			err = ln.Close()
		}
		got <- err
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
	second, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := listen(ctx, second.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port in use: %v", err)
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := Logger(&b, "info").With("a", 1)
	ctx := context.WithValue(t.Context(), invocationKey{}, &Invocation{ID: "inv-1", Function: "f", trace: "00-1"})
	log.InfoContext(ctx, "one")
	log.InfoContext(ctx, "two", "traceparent", "00-2")
	log.InfoContext(t.Context(), "three")
	log.DebugContext(ctx, "four")
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q", lines)
	}
	for i, want := range []string{
		`"msg":"one","a":1,"invocationId":"inv-1","function":"f","traceparent":"00-1"}`,
		`"msg":"two","a":1,"traceparent":"00-2","invocationId":"inv-1","function":"f"}`,
		`"msg":"three","a":1}`,
	} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("got %s, want %s", lines[i], want)
		}
	}
	b.Reset()
	log.WithGroup("g").InfoContext(ctx, "five", "b", 2)
	if !strings.Contains(b.String(), `"g":{"b":2,"invocationId":"inv-1"`) {
		t.Errorf("got %s", b.String())
	}
}

func TestInvocationID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"spoof, a"}, "a"},
		{[]string{"spoof,a "}, "a"},
		{[]string{"x", "spoof, a"}, "a"},
		{[]string{"a,"}, ""},
		{[]string{strings.Repeat("x", 500)}, strings.Repeat("x", 100)},
	} {
		if got := invocationID(http.Header{headerInvocation: tt.values}); got != tt.want {
			t.Errorf("%v: got %q", tt.values, got)
		}
	}
}

func TestEventsAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ queue, processors, want int }{{64, 1, 16}, {64, 2, 16}, {64, 8, 4}, {0, 1, 1}, {8, 1, 4}, {1 << 30, 1, 16}} {
		if got := eventsAtOnce(tt.queue, tt.processors); got != tt.want {
			t.Errorf("%+v: got %d", tt, got)
		}
	}
}
