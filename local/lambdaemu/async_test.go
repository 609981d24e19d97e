package lambdaemu_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// failing is a server that refuses its first n callers.
func failing(t *testing.T, n int32) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= n {
			w.WriteHeader(500)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestAsynchronousCallsAreTriedThreeTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		refusals int32
		attempts int
		fails    bool
	}{
		{"at once", 0, 1, false},
		{"the third time", 2, 3, false},
		{"never", 99, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ends := make(chan lambdaemu.AsyncResult, 1)
			e, out := start(t, func(cfg *lambdaemu.Config) { cfg.Async = func(r lambdaemu.AsyncResult) { ends <- r } })
			url, asked := failing(t, c.refusals)
			w := post(t, e.Handler(), "/2015-03-31/functions/anything/invocations", order{Do: "ask", URL: url}.json(), "X-Amz-Invocation-Type", "Event")
			id := w.Header().Get("X-Amzn-Requestid")
			if w.Code != 202 || w.Body.Len() != 0 || id == "" {
				t.Errorf("got %d %q %s", w.Code, w.Header(), w.Body)
			}
			r := <-ends
			if r.Attempts != c.attempts || int(asked.Load()) != c.attempts || r.RequestID != id || (r.Answer.FunctionError != "") != c.fails {
				t.Errorf("got %+v after %d attempts", r, asked.Load())
			}
			if n := count(out, "START RequestId: "+id); n != c.attempts { // the same id every time
				t.Errorf("%d STARTs", n)
			}
		})
	}
}

func TestAsynchronousCallsWaitForAProcess(t *testing.T) {
	t.Parallel()
	ends := make(chan lambdaemu.AsyncResult, 3)
	e, _ := start(t, func(c *lambdaemu.Config) {
		c.Concurrency, c.Async = 1, func(r lambdaemu.AsyncResult) { ends <- r }
	})
	url, arrived, open := gate(t)
	for range 3 {
		if _, err := e.InvokeAsync(lambdaemu.Call{Payload: order{Do: "ask", URL: url}.json()}); err != nil {
			t.Fatal(err)
		}
	}
	<-arrived
	open()
	pids := map[string]bool{}
	for range 3 {
		r := <-ends
		pids[string(r.Answer.Payload)] = true
	}
	if len(pids) != 1 {
		t.Errorf("processes %v", pids)
	}
}

func TestCloseDropsAsynchronousCalls(t *testing.T) {
	t.Parallel()
	ends := make(chan lambdaemu.AsyncResult, 1)
	e, _ := start(t, func(c *lambdaemu.Config) {
		c.Async = func(r lambdaemu.AsyncResult) { ends <- r }
		c.Timing.Retry = []time.Duration{time.Hour}
	})
	url, asked := failing(t, 1)
	if _, err := e.InvokeAsync(lambdaemu.Call{Payload: order{Do: "ask", URL: url}.json()}); err != nil {
		t.Fatal(err)
	}
	pid(t, e)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if r := <-ends; r.Attempts > 1 || asked.Load() > 1 {
		t.Errorf("got %+v", r)
	}
}
