package cloudfunctions

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAnswer is the largest answer that Cloud Run and Cloud Functions let through over HTTP/1 ("Quotas and limits").
const maxAnswer = 32 << 20

// response is an answer that the platform will let through: not too large, and 504 when the platform's deadline ended it.
type response struct {
	http.ResponseWriter
	r        *http.Request
	limit    int // bytes of the body; 0 is none
	wrote    bool
	whole    bool // it is all written
	replaced bool // what is written on is not sent
}

// Unwrap is asked for by [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the status, or in its place the error that the answer is too large.
func (w *response) WriteHeader(status int) {
	if w.wrote {
		return
	}
	n, err := strconv.Atoi(w.Header().Get("Content-Length"))
	if err == nil && w.limit > 0 && n > w.limit && w.r.Method != http.MethodHead {
		slog.LogAttrs(w.r.Context(), slog.LevelError, "answer too large", slog.Int("bytes", n), slog.Int("limit", w.limit))
		w.replace(http.StatusRequestEntityTooLarge, fmt.Sprintf("The answer has %d bytes, Google Cloud lets %d through. "+
			"Score fewer rows in one request, or send them as events and have the answers stored: SCOREFN_OUTPUT.", n, w.limit))
		return
	}
	if status == http.StatusInternalServerError && late(w.r.Context()) {
		w.replace(http.StatusGatewayTimeout, errDeadline.Msg)
		return
	}
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *response) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// replace answers an error instead of what is written on.
func (w *response) replace(status int, text string) {
	w.fail(status, text)
	w.replaced = true
}

// fail answers an error as the route's protocol writes it, unless the answer is under way.
func (w *response) fail(status int, text string) {
	key := "message"
	if p := w.r.URL.Path; strings.HasPrefix(p, "/v1/") || strings.HasPrefix(p, "/v2") {
		key = "error"
	}
	w.json(status, append(appendString([]byte(`{"`+key+`": `), text), '}'))
}

// breakOff closes the connection under an answer that is not whole: its caller would take it for one that is. The Functions
// Framework would write a sentence behind it, unless the connection is none of its own any more.
func (w *response) breakOff() {
	if w.whole {
		return
	}
	conn, _, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil { // HTTP/2, which the framework does not speak
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close() // nothing more is said
}

func (w *response) json(status int, body []byte) {
	if w.wrote {
		return
	}
	w.whole = true
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.limit = 0
	w.WriteHeader(status)
	if w.r.Method != http.MethodHead {
		_, _ = w.Write(body) // the caller may be gone: there is nothing else to do
	}
}

func (w *response) retryAfter(d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(max(d+time.Second-1, time.Second)/time.Second)))
}
