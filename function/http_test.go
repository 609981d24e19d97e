package function

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func do(tb testing.TB, h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	tb.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), method, path, strings.NewReader(body)))
	return w
}

func TestHandlerRoutes(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, nil))
	const missing = `{"message": "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."}`
	const wrong = `{"message": "The method is not allowed for the requested URL."}`
	for _, tt := range []struct {
		method, path, body string
		status             int
		want, contentType  string
	}{
		{"GET", "/", "", 200, "Healthy", "text/html; charset=utf-8"},
		{"GET", "/?probe=1", "", 200, "Healthy", "text/html; charset=utf-8"},
		{"POST", "/score", `{"data":[1]}`, 200, `[1]`, "application/json"},
		{"POST", "/", `{"data":"x"}`, 200, `"x"`, "application/json"},
		{"POST", "/score", `{"data":`, 400, "", "application/json"},
		{"GET", "/nope", "", 404, missing, "application/json"},
		{"POST", "/score/", `{"data":1}`, 404, missing, "application/json"},
		{"POST", "//score", `{"data":1}`, 404, missing, "application/json"},
		{"PUT", "/score", `{"data":1}`, 405, wrong, "application/json"},
		{"DELETE", "/", "", 405, wrong, "application/json"},
	} {
		w := do(t, h, tt.method, tt.path, tt.body)
		if w.Code != tt.status || tt.want != "" && w.Body.String() != tt.want || w.Header().Get("Content-Type") != tt.contentType {
			t.Errorf("%s %s: got %d %s %q", tt.method, tt.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if tt.status >= 400 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: the error is not JSON: %s", tt.method, tt.path, w.Body)
		}
	}
	if allow := do(t, h, "PUT", "/", "").Header().Get("Allow"); allow != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("Allow: %q", allow)
	}
	if w := do(t, h, "HEAD", "/", ""); w.Code != 200 {
		t.Errorf("HEAD /: %d", w.Code)
	}
}

func TestHandlerBoundsTheBody(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, map[string]string{"SCOREFN_MAX_BODY": "20"}))
	fits, over := `{"data":"12345678"}`, `{"data":"1234567890"}`
	for _, chunked := range []bool{false, true} {
		for body, want := range map[string]int{fits: 200, over: 413} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/score", strings.NewReader(body))
			if chunked {
				r.ContentLength = -1
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("chunked %v, %d bytes: got %d %s", chunked, len(body), w.Code, w.Body)
			}
			if want == 413 && !strings.Contains(w.Body.String(), "20 bytes") {
				t.Errorf("the message does not name the limit: %s", w.Body)
			}
		}
	}
}

func TestHandlerReadsLargeBodiesWhole(t *testing.T) {
	t.Parallel()
	h := Handler(newTest(t, echo, nil))
	value := strings.Repeat("x", 5<<20)
	for _, length := range []int64{0, -1} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/score", strings.NewReader(`{"data":"`+value+`"}`))
		if length < 0 {
			r.ContentLength = -1
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 || w.Body.Len() != len(value)+2 {
			t.Errorf("got %d, %d bytes", w.Code, w.Body.Len())
		}
	}
}

func TestHandlerAnswersOverload(t *testing.T) {
	t.Parallel()
	enter, leave := make(chan struct{}), make(chan struct{})
	h := Handler(newTest(t, func(context.Context, json.RawMessage) (any, error) {
		enter <- struct{}{}
		<-leave
		return 1, nil
	}, map[string]string{"SCOREFN_CONCURRENCY": "1", "SCOREFN_QUEUE": "0"}))
	done := make(chan int)
	go func() { done <- do(t, h, "POST", "/score", `{"data":1}`).Code }()
	<-enter
	if w := do(t, h, "GET", "/", ""); w.Code != 200 { // health is answered while scoring runs
		t.Errorf("health: %d", w.Code)
	}
	w := do(t, h, "POST", "/score", `{"data":1}`)
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.HasPrefix(w.Body.String(), `{"message": "Too many`) {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	close(leave)
	if code := <-done; code != 200 {
		t.Errorf("the first request: %d", code)
	}
}

func TestServeLetsRequestsInFlightEnd(t *testing.T) {
	t.Parallel()
	enter, leave := make(chan struct{}), make(chan struct{})
	f := newTest(t, func(context.Context, json.RawMessage) (any, error) {
		close(enter)
		<-leave
		return "done", nil
	}, nil)
	ln, err := Listener(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, ln, Handler(f), time.Minute, quiet) }()
	answer := make(chan string, 1)
	go func() {
		r, err := http.Post("http://"+ln.Addr().String()+"/score", "application/json", bytes.NewReader([]byte(`{"data":1}`)))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		answer <- string(b)
	}()
	<-enter
	stop()
	close(leave)
	if got := <-answer; got != `"done"` {
		t.Errorf("got %s", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", ln.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}
