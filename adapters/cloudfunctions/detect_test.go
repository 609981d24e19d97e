package cloudfunctions

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What is no event, however much it looks like one, reaches the scoring routes whole.
func TestRequestsAreNotTakenForEvents(t *testing.T) {
	t.Parallel()
	const good = `{"message":{"messageId":"1","data":"MQ=="},"subscription":"projects/p/subscriptions/s"}`
	for _, s := range []sent{
		{body: `{"data":21}`},
		{header: jsonBody, body: `{"data":{"message":{"messageId":"1"},"subscription":"projects/p/subscriptions/s"}}`},
		{body: ``},
		{body: `{`},
		{body: `{"message":`},
		{body: `{"message":1,"subscription":2}`},
		{body: `{"message":{"messageId":"1"}}`},
		{body: `{"message":{"data":"MQ=="},"subscription":"projects/p/subscriptions/s"}`},
		{body: `{"message":{"messageId":""},"subscription":"projects/p/subscriptions/s"}`},
		{body: `{"message":{"messageId":7},"subscription":"projects/p/subscriptions/s"}`},
		{body: strings.Replace(good, "projects/p", "projects", 1)},
		{body: strings.Replace(good, "projects/p/subscriptions/s", "projects//subscriptions/s", 1)},
		{body: good + "x"},
		{body: `{"data":[1],` + good[1:]},
		{body: strings.TrimSuffix(good, "}") + `,"data":[1]}`},
		{body: strings.TrimSuffix(good, "}") + `,"subscription":"projects/p/subscriptions/s"}`},
		{body: strings.Repeat(" ", 200) + good},
		{body: good, header: map[string]string{"Content-Encoding": "gzip"}},
		{body: good, method: http.MethodPut},
		{header: map[string]string{"Content-Type": "text/csv"}, body: "1,2,3\n4,5,6\n"},
		{header: map[string]string{"Content-Type": "application/octet-stream"}, body: strings.Repeat("\x00\x01", 1000)},
		{header: map[string]string{"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Goog-Api-Client": "x"}, body: `{"data":1}`},
	} {
		r, err := s.request(t.Context(), "http://function.example")
		if err != nil {
			t.Fatal(err)
		}
		read, err := detect(r, 1<<20)
		if read != nil || err != nil {
			t.Errorf("%v %q is taken for an event (%v)", s.header, s.body, err)
			continue
		}
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != s.body {
			t.Errorf("%q reaches the route as %q, %v", s.body, b, err)
		}
		if err := r.Body.Close(); err != nil {
			t.Errorf("%q: %v", s.body, err)
		}
	}
}

// brokenBody is a body that does not arrive.
type brokenBody struct{ from io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if err == io.EOF {
		err = io.ErrClosedPipe
	}
	return n, err
}

func (brokenBody) Close() error { return nil }

func TestBodiesThatEndTooEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		header map[string]string
		start  string
		status int
	}{
		{"a request", jsonBody, `{"data":`, 400},
		{"a push", jsonBody, `{"message":{"messageId":"1","data":"` + strings.Repeat("x", 100), 400},
		{"an event: the sender has it all, and sends it again", ce("t"), `{"data":`, 503},
	} {
		h, _ := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://out/dead"})
		r, err := sent{header: tt.header}.request(t.Context(), "http://function.example")
		if err != nil {
			t.Fatal(err)
		}
		r.Body, r.ContentLength = brokenBody{strings.NewReader(tt.start)}, -1
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%s: got %d %s", tt.name, w.Code, w.Body)
		}
	}
}
