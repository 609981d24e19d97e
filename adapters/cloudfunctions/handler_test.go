package cloudfunctions

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

// A run that would last longer than the platform waits is stopped a little earlier, and its caller is told why.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[string]time.Duration{"60": 59 * time.Second, "10": 9500 * time.Millisecond, "3600": 3599 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := newTest(t, map[string]string{"CLOUD_RUN_TIMEOUT_SECONDS": timeout})
			for _, s := range []sent{{header: jsonBody, body: `{"data":"slow"}`}, {header: ce("t"), body: `{"data":"slow"}`}} {
				begin := time.Now()
				w := serve(t, h, s)
				if took := time.Since(begin); took != want {
					t.Errorf("%s s: stopped after %v, want %v", timeout, took, want)
				}
				if w.Code != http.StatusGatewayTimeout || !strings.Contains(w.Body.String(), "within the time limit of the function") {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
			}
		})
	}
}

// The framework has a deadline of its own, at the very end. On a busy machine both are over before either is looked at.
func TestDeadlineOfTheFramework(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, map[string]string{"CLOUD_RUN_TIMEOUT_SECONDS": "60"})
	for _, s := range []sent{{header: jsonBody, body: `{"data":"slow"}`}, {header: ce("t"), body: `{"data":"slow"}`}} {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		r, err := s.request(ctx, "http://function.example")
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusGatewayTimeout || !strings.Contains(w.Body.String(), "within the time limit of the function") {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
}

// The scoring timeout is the reference server's 500 still.
func TestScoringTimeoutIsNotTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _ := newTest(t, map[string]string{"CLOUD_RUN_TIMEOUT_SECONDS": "60", "SCORING_TIMEOUT_MS": "1000"})
		if w := serve(t, h, sent{header: jsonBody, body: `{"data":"slow"}`}); w.Code != 500 || !strings.Contains(w.Body.String(), "Scoring timeout after 1000 ms") {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
		if w := serve(t, h, sent{header: ce("t"), body: `{"data":"slow"}`}); w.Code != 504 || !strings.Contains(w.Body.String(), "Scoring timeout after 1000 ms") {
			t.Errorf("an event: got %d %s", w.Code, w.Body)
		}
	})
}

// Google Cloud cuts an answer over 32 MB off over HTTP/1. Over HTTP/2, and elsewhere, nobody does.
func TestAnswersThatAreTooLarge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, service, path string
		major, status       int
		want                string
	}{
		{"Cloud Run", "score", "/score", 1, 413, `{"message": "The answer has 34603010 bytes, Google Cloud lets 33554432 through.`},
		{"Cloud Run, another protocol", "score", "/v1/models/twice:predict", 1, 413, `{"error": "The answer has`},
		{"HTTP/2", "score", "/score", 2, 200, `"xxx`},
		{"elsewhere", "", "/score", 1, 200, `"xxx`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newTest(t, map[string]string{"K_SERVICE": tt.service, "SCOREFN_ACCESS_LOG": "false"})
			body := `{"data":"large"}`
			r, err := sent{path: tt.path, header: jsonBody, body: body}.request(t.Context(), "http://function.example")
			if err != nil {
				t.Fatal(err)
			}
			r.ProtoMajor = tt.major
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.want) {
				t.Errorf("got %d %.200s", w.Code, w.Body)
			}
			if tt.status == 413 && w.Body.Len() > 1000 {
				t.Errorf("%d bytes were sent", w.Body.Len())
			}
		})
	}
}

// odd is a store with faults.
type odd struct{ blob.Store }

func (odd) Get(context.Context, string) (*blob.Object, error) { panic("oh") }

func (odd) Put(context.Context, string, string, []byte) error { return blob.ErrTemporary }

func TestFaultsOfTheAdapterAreAnswered(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://out/dead"}, WithStore(odd{}))
	if w := serve(t, h, sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"a.json"}`}); w.Code != 500 || strings.Contains(w.Body.String(), "oh") {
		t.Errorf("a panic of the store: got %d %s", w.Code, w.Body)
	}
	if w := serve(t, h, sent{header: ce("t"), body: `{"data":"x"}`}); w.Code != 503 || !strings.Contains(w.Body.String(), "SCOREFN_DEAD_LETTER") {
		t.Errorf("a dead letter that cannot be written: got %d %s", w.Code, w.Body)
	}
	h.http = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })
	if w := serve(t, h, sent{header: jsonBody, body: `{}`}); w.Code != 500 || !strings.HasPrefix(w.Body.String(), `{"message": "An unexpected internal error`) {
		t.Errorf("a panic of the handler: got %d %s", w.Code, w.Body)
	}
}

// Half an answer must not look like a whole one.
func TestAPanicBehindHalfAnAnswerBreaksTheConnection(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil)
	h.http = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
		panic("secret")
	})
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	for name, client := range map[string]*http.Client{"HTTP/1": http.DefaultClient, "HTTP/2": h2c(t)} {
		r, err := sent{header: jsonBody, body: `{}`}.request(t.Context(), server.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != "half" || err == nil {
			t.Errorf("%s: got %q, %v", name, b, err)
		}
	}
}

// A handler in somebody else's server tells everybody what is wrong with its settings.
func TestHandlerWithWrongSettings(t *testing.T) {
	t.Parallel()
	h := Handler(newFunction(t, nil), WithEnv(func(name string) string { return map[string]string{"SCOREFN_OUTPUT": "bucket"}[name] }))
	w := serve(t, h, sent{header: jsonBody, body: `{"data":1}`})
	if w.Code != 503 || !strings.Contains(w.Body.String(), `SCOREFN_OUTPUT=\"bucket\": expected gs://bucket/prefix`) || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil)
	for _, tt := range []struct {
		header map[string]string
		want   string // "" for one that is made up
	}{
		{map[string]string{"Function-Execution-Id": "abc123"}, "abc123"},
		{map[string]string{"Function-Execution-Id": "abc123", "X-Request-Id": "mine"}, "mine"},
		{map[string]string{"Function-Execution-Id": strings.Repeat("x", 65)}, ""},
		{map[string]string{"Function-Execution-Id": "a\"b"}, ""},
		{nil, ""},
	} {
		w := serve(t, h, sent{header: tt.header, body: `{"data":1}`})
		got := w.Header().Get("X-Request-Id")
		if w.Code != 200 || tt.want != "" && got != tt.want || tt.want == "" && len(got) != 16 {
			t.Errorf("%v: got %d, id %q", tt.header, w.Code, got)
		}
	}
}

// Both kinds of caller find the function closed when it is.
func TestClosedFunction(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil)
	if err := h.f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []sent{{header: jsonBody, body: `{"data":1}`}, {header: ce("t"), body: `{"data":1}`}} {
		if w := serve(t, h, s); w.Code != function.Unavailable.Status() || w.Header().Get("Retry-After") == "" {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
}
