package cloudfunctions

import (
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/scorefn/scorefn/function"
)

// host is what the Functions Framework leaves to its functions: the end of the process. Its server is a bare
// http.ListenAndServe that nobody can shut down. There is one for a process, as there is one framework.
var host = &drain{landed: make(chan struct{}, 1)}

// drain counts the requests in flight.
type drain struct {
	once   sync.Once
	landed chan struct{} // a request has ended

	mu        sync.Mutex
	flying    int
	functions []*function.Function
}

// start makes the log Google's and waits for the process's end, the first time.
func (d *drain) start(h *handler) {
	d.once.Do(func() {
		slog.SetDefault(h.logger())
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
		go func() {
			<-signals
			signal.Reset(os.Interrupt) // a second Ctrl-C ends the process at once; a second SIGTERM changes nothing
			os.Exit(d.end())
		}()
	})
}

func (d *drain) add(f *function.Function) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.functions = append(d.functions, f)
}

// wrap counts h's requests.
func (d *drain) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.count(1)
		defer d.count(-1)
		h.ServeHTTP(w, r)
		// Behind this function the server would send what is left of the answer, when the process may have ended. An answer
		// has its length, so that it is complete now.
		_ = http.NewResponseController(w).Flush() // a caller who is gone gets no answer
	})
}

func (d *drain) count(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flying += n
	if n < 0 {
		select {
		case d.landed <- struct{}{}:
		default:
		}
	}
	return d.flying
}

// quiet is how long there must be no request before the process ends: one may have arrived that no handler has seen yet.
const quiet = 100 * time.Millisecond

// wait returns when no request is in flight, or after the longest time, with the number of requests that are.
func (d *drain) wait(longest time.Duration) int {
	end := time.NewTimer(longest)
	defer end.Stop()
	for {
		var still <-chan time.Time
		if d.count(0) == 0 {
			still = time.After(quiet)
		}
		select {
		case <-d.landed:
		case <-still:
			if n := d.count(0); n == 0 {
				return 0
			}
		case <-end.C:
			return d.count(0)
		}
	}
}

// end finishes the requests in flight, closes the functions and returns the process's exit code.
func (d *drain) end() int {
	slog.Info("stopping: requests in flight are finished", slog.Int("requests", d.count(0)))
	code := 0
	if left := d.wait(grace); left > 0 {
		slog.Error("requests did not end in time and are cut off", slog.Int("requests", left), slog.String("grace", grace.String()))
		return 1 // a function that still runs is not closed: that would wait for it
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.functions {
		if err := f.Close(); err != nil {
			slog.Error("the function could not be closed", slog.String("error", err.Error()))
			code = 1
		}
	}
	return code
}
