package azure

import (
	"bufio"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/scorefn/scorefn/function"
)

// exchange is an answer that can be taken away from who was to write it, as long as nothing of it is written.
type exchange struct {
	to     http.ResponseWriter
	header http.Header

	mu    sync.Mutex
	begun bool // by its writer, or by abandon
	gone  bool
}

func newExchange(w http.ResponseWriter) *exchange {
	return &exchange{to: w, header: make(http.Header, 8)}
}

func (x *exchange) Header() http.Header { return x.header }

// begin tells whether the answer is still its writer's.
func (x *exchange) begin(status int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.begun {
		x.begun = true
		maps.Copy(x.to.Header(), x.header)
		x.to.WriteHeader(status)
	}
	return !x.gone
}

func (x *exchange) WriteHeader(status int) { x.begin(status) }

func (x *exchange) Write(b []byte) (int, error) {
	if !x.begin(http.StatusOK) {
		return 0, http.ErrHandlerTimeout
	}
	return x.to.Write(b)
}

// abandon answers err in place of the writer; false when that one has begun.
func (x *exchange) abandon(err error) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.begun {
		return false
	}
	x.begun, x.gone = true, true
	writeError(x.to, err)
	return true
}

// fail answers err unless an answer has begun.
func (x *exchange) fail(err error) { x.abandon(err) }

// writeError answers an error in the core's form.
func writeError(w http.ResponseWriter, err error) {
	e := function.AsError(err)
	if e.Kind == function.Unavailable {
		w.Header().Set("Retry-After", "1")
	}
	write(w, e.Kind.Status(), append(appendString([]byte(`{"message": `), e.Msg), '}'))
}

// write answers JSON. It is never empty: the host would wait for more until functionTimeout.
func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a host that is gone calls again, or does not
}

// peeked is a body whose beginning has been looked at.
type peeked struct {
	*bufio.Reader
	io.Closer
}

func stack() slog.Attr { return slog.String("stack", string(debug.Stack())) }
