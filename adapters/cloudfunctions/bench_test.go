package cloudfunctions

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
)

// nowhere is a ResponseWriter that keeps nothing.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) WriteHeader(int)             {}
func (w nowhere) Write(b []byte) (int, error) { return len(b), nil }

// What the adapter costs over the core's handler: a request, and the same as events.
func BenchmarkHandler(b *testing.B) {
	h, _ := newTest(b, map[string]string{"SCOREFN_ACCESS_LOG": "false"})
	const body = `{"data":21}`
	for _, bb := range []struct {
		name string
		h    http.Handler
		sent sent
	}{
		{"core", function.Handler(h.f), sent{header: jsonBody, body: body}},
		{"request", h, sent{header: jsonBody, body: body}},
		{"binary", h, sent{header: ce("t"), body: body}},
		{"structured", h, sent{header: inOne, body: structuredEvent("t", `"data":`+body)}},
		{"push", h, sent{header: pubsubPush, body: pushed("1", body, "")}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r, err := bb.sent.request(b.Context(), "http://function.example")
			if err != nil {
				b.Fatal(err)
			}
			w := nowhere{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(bb.sent.body))
				bb.h.ServeHTTP(w, r)
			}
		})
	}
}
