package cloudfunctions

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function"
)

func newDrain() *drain { return &drain{landed: make(chan struct{}, 1)} }

func TestDrainWaitsForRequestsInFlight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		flights []time.Duration // from when the process is to end
		want    int             // requests that are left
		took    time.Duration
	}{
		{"none", nil, 0, quiet},
		{"one", []time.Duration{time.Second}, 0, time.Second + quiet},
		{"several", []time.Duration{time.Second, 3 * time.Second, 3 * time.Second, 2 * time.Second}, 0, 3*time.Second + quiet},
		{"one that is too long", []time.Duration{time.Second, time.Minute}, 1, grace},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDrain()
			var group sync.WaitGroup
			for _, f := range tt.flights {
				h := d.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(f) }))
				group.Go(func() {
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
				})
			}
			synctest.Wait()
			begin := time.Now()
			if left := d.wait(grace); left != tt.want || time.Since(begin) != tt.took {
				t.Errorf("%s: %d left after %v, want %d after %v", tt.name, left, time.Since(begin), tt.want, tt.took)
			}
			group.Wait()
		})
	}
}

// A request that arrives while the process waits is waited for.
func TestDrainSeesLateRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDrain()
		served := false
		h := d.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(time.Second)
			served = true
		}))
		go func() {
			time.Sleep(quiet / 2)
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		}()
		if left := d.wait(grace); left != 0 || !served {
			t.Errorf("%d left, served %v", left, served)
		}
	})
}

// An answer is sent before its request counts as ended, and a panic ends it too.
func TestDrainFlushesBeforeItCounts(t *testing.T) {
	t.Parallel()
	d := newDrain()
	w := &flushed{ResponseRecorder: httptest.NewRecorder(), d: d}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	d.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).ServeHTTP(w, r)
	if w.inFlight != 1 || d.count(0) != 0 {
		t.Errorf("flushed with %d in flight, then %d", w.inFlight, d.count(0))
	}
	func() {
		defer func() { _ = recover() }()
		d.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") })).ServeHTTP(w, r)
	}()
	if n := d.count(0); n != 0 {
		t.Errorf("%d in flight after a panic", n)
	}
}

// flushed remembers how many requests were in flight as it was flushed.
type flushed struct {
	*httptest.ResponseRecorder
	d        *drain
	inFlight int
}

func (w *flushed) Flush() { w.inFlight = w.d.count(0) }

func TestEndClosesTheFunctions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, f := newDrain(), newFunction(t, nil)
		d.add(f)
		if code := d.end(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if err := f.Init(t.Context()); function.AsError(err).Kind != function.Unavailable {
			t.Errorf("the function is open still: %v", err)
		}
		d.count(1)
		if code := d.end(); code != 1 {
			t.Errorf("with a request that does not end: exit code %d", code)
		}
	})
}
