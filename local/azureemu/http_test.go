package azureemu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/azureemu"
)

// modes are the flags of host.json.
const (
	forwarding = `,"enableForwardingHttpRequest":true`
	proxying   = `,"enableProxyingHttpRequest":true` + forwarding
)

func TestModeFollowsTheFlagsAndTheBindings(t *testing.T) {
	t.Parallel()
	const more = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req"},{"type":"http","direction":"out","name":"res"},
		{"type":"queue","direction":"out","name":"copy","queueName":"copies"}]}`
	for _, tt := range []struct {
		flags        string
		simple, rich azureemu.Mode
	}{
		{"", azureemu.Payload, azureemu.Payload},
		{forwarding, azureemu.Forwarded, azureemu.Payload},
		{proxying, azureemu.Proxied, azureemu.Payload},
	} {
		r := start(t, setup{
			host: tt.flags, files: map[string]string{"simple/function.json": fmt.Sprintf(httpJSON, ""), "rich/function.json": more},
			handler: func(w http.ResponseWriter, _ *http.Request) {
				answerJSON(w, `{"Outputs":{"res":{"statusCode":202,"body":"ok"},"copy":{"a":1}}}`)
			},
		})
		if s, m := r.App().Mode(r.function("simple")), r.App().Mode(r.function("rich")); s != tt.simple || m != tt.rich {
			t.Errorf("%q: %s, %s", tt.flags, s, m)
		}
		if w := r.ask("POST", "/api/rich", "{}"); w.Code != 202 || w.Body.String() != "ok" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		r.log.wait(t, 1, `queue copies <- { "a": 1 }`)
	}
}

func TestForwardingLosesWhatTheHostLoses(t *testing.T) {
	t.Parallel()
	seen := make(chan request, 1)
	r := start(t, setup{host: forwarding, files: scoreHTTP, handler: echo(t, seen)})
	w := r.ask("PUT", "/api/score?code=secret&a=b%20c", "zipped", "Content-Encoding", "gzip", "Content-Language", "en", "X-Own", "yes",
		"Traceparent", "00-1", "X-Azure-Functions-InvocationId", "spoof")
	q := <-seen
	if w.Code != 418 || w.Body.String() != "zipped" || w.Header().Get("X-From") != "handler" || w.Header().Get("Location") != "/elsewhere" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	id := q.Header.Get("X-Azure-Functions-InvocationId")
	switch {
	case q.Method != "PUT" || q.RequestURI != "/api/score?code=secret&a=b%20c" || string(q.body) != "zipped" || q.ContentLength != 6:
		t.Errorf("%s %s %s", q.Method, q.RequestURI, q.body)
	case q.Header.Get("Content-Encoding")+q.Header.Get("Content-Language") != "" || q.Header.Get("X-Own") != "yes" || q.Header.Get("Traceparent") != "00-1":
		t.Errorf("%v", q.Header)
	case !strings.HasPrefix(id, "spoof, ") || len(id) != len("spoof, ")+36:
		t.Errorf("id %q", id)
	case q.Header.Get("User-Agent") != "Azure-Functions-Host/"+azureemu.Version:
		t.Errorf("agent %q", q.Header.Get("User-Agent"))
	}
	if got := r.trapped(); got != "content-encoding" {
		t.Errorf("traps %q", got)
	}
}

// echo answers with what came.
func echo(t *testing.T, seen chan request) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, q *http.Request) {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		seen <- request{q, b}
		w.Header().Set("X-From", "handler")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(418)
		w.Write(b)
	}
}

// front is the emulator's front on a port.
func (r *rig) front(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(r.Handler())
	t.Cleanup(s.Close)
	return s.URL
}

func TestProxyingKeepsEverything(t *testing.T) {
	t.Parallel()
	seen := make(chan request, 1)
	r := start(t, setup{host: proxying, files: scoreHTTP, handler: echo(t, seen)})
	q, err := http.NewRequestWithContext(t.Context(), "POST", r.front(t)+"/api/score?a=1;b&code=x", struct{ io.Reader }{strings.NewReader("zipped")})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{
		"Content-Encoding": "gzip", "X-Forwarded-For": "10.0.0.1", "User-Agent": "curl", "X-Azure-Functions-InvocationId": "spoof", "Accept-Encoding": "br",
	} {
		q.Header.Set(name, v)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(a.Body)
	a.Body.Close()
	got := <-seen
	if err != nil || a.StatusCode != 418 || string(b) != "zipped" || a.Header.Get("X-From") != "handler" {
		t.Errorf("%s %s %v", a.Status, b, err)
	}
	if got.RequestURI != "/api/score?a=1;b&code=x" || got.ContentLength != -1 || string(got.body) != "zipped" {
		t.Errorf("%s, length %d, %s", got.RequestURI, got.ContentLength, got.body)
	}
	id := got.Header.Get("X-Azure-Functions-InvocationId")
	for name, want := range map[string]string{
		"Content-Encoding": "gzip", "X-Forwarded-For": "10.0.0.1", "User-Agent": "curl", "X-Ms-Invocation-Id": id, "Accept-Encoding": "br",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if len(id) != 36 {
		t.Errorf("id %q", id)
	}
}

// TestProxyingStreams has the first half of the answer at the client before the second half of the request is sent.
// A client that closes its connection as soon as it has the answer has it all the same.
func TestProxyingToAClientThatLeavesAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, setup{host: proxying, files: scoreHTTP, handler: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "done") }})
	ctx, leave := context.WithCancel(t.Context())
	q := httptest.NewRequestWithContext(ctx, "GET", "/api/score", http.NoBody)
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(leaving{w, leave}, q)
	if w.Body.String() != "done" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if r.log.wait(t, 1, "Executed 'Functions.score' ("); !strings.Contains(r.log.String(), "(Succeeded") {
		t.Error("a failure was logged")
	}
}

// leaving is a client that reads one write.
type leaving struct {
	*httptest.ResponseRecorder
	leave func()
}

func (l leaving) Write(p []byte) (int, error) {
	defer l.leave()
	return l.ResponseRecorder.Write(p)
}

func TestProxyingStreams(t *testing.T) {
	t.Parallel()
	r := start(t, setup{host: proxying, files: scoreHTTP, handler: func(w http.ResponseWriter, q *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		half := make([]byte, 5)
		for range 2 {
			if _, err := io.ReadFull(q.Body, half); err != nil {
				t.Error(err)
			}
			w.Write(bytes.ToUpper(half))
			c.Flush()
		}
		if n, err := io.Copy(io.Discard, q.Body); n > 0 || err != nil { // net/http in full duplex must not have to
			t.Errorf("%d bytes more, %v", n, err)
		}
	}})
	pr, pw := io.Pipe()
	q, err := http.NewRequestWithContext(t.Context(), "POST", r.front(t)+"/api/score", pr)
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(pw, "first")
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	half := make([]byte, 5)
	for _, want := range []string{"FIRST", "AFTER"} {
		if _, err := io.ReadFull(a.Body, half); err != nil || string(half) != want {
			t.Fatalf("%s %v", half, err)
		}
		if want == "FIRST" {
			io.WriteString(pw, "after")
			pw.Close()
		}
	}
	if rest, err := io.ReadAll(a.Body); len(rest) > 0 || err != nil { // the handler has to see the end as well
		t.Errorf("%q more, %v", rest, err)
	}
}

func TestProxyBreaksOffWithTheHandler(t *testing.T) {
	t.Parallel()
	r := start(t, setup{host: proxying, files: scoreHTTP, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}})
	a, err := http.Get(r.front(t) + "/api/score")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if b, err := io.ReadAll(a.Body); err == nil {
		t.Errorf("a whole answer: %s", b)
	}
	r.log.wait(t, 1, "'Functions.score' (Failed")
}

// TestProxyTriesAgainWhileNobodyListens sends a body when there is nobody, which must not be lost.
func TestProxyTriesAgainWhileNobodyListens(t *testing.T) {
	t.Parallel()
	seen := make(chan request, 1)
	r := start(t, setup{host: proxying, files: scoreHTTP, handler: echo(t, seen)})
	r.waitReady()
	r.next().tell("exit 0") // nobody starts it again
	r.log.wait(t, 1, "TRAP handler, exit-0")
	if w := r.ask("POST", "/api/score", "body"); w.Code != 500 || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if r.log.wait(t, 1, "Executed 'Functions.score' ("); !strings.Contains(r.log.String(), "connection refused") {
		t.Error("it failed in another way")
	}
}

func TestBodiesThatThePayloadModeSpoils(t *testing.T) {
	t.Parallel()
	r := start(t, setup{files: scoreHTTP, handler: func(w http.ResponseWriter, q *http.Request) {
		var f struct {
			Data struct {
				Req struct {
					Headers http.Header
					Body    *string
				}
			}
		}
		if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
			t.Error(err)
		}
		text, _ := json.Marshal("none, " + f.Data.Req.Headers.Get("Transfer-Encoding"))
		if f.Data.Req.Body != nil {
			text, _ = json.Marshal(*f.Data.Req.Body)
		}
		answerJSON(w, fmt.Sprintf(`{"Outputs":{"res":{"body":%s}}}`, text))
	}})
	if w := r.ask("POST", "/api/score", "\x89PNG\xff", "Content-Type", "image/png"); w.Body.String() != "\ufffdPNG\ufffd" {
		t.Errorf("%q", w.Body)
	}
	q := httptest.NewRequestWithContext(t.Context(), "POST", "/api/score", struct{ io.Reader }{strings.NewReader("lost")})
	q.TransferEncoding = []string{"chunked"}
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, q)
	if w.Body.String() != "none, chunked" || r.trapped() != "binary-body chunked-body" {
		t.Errorf("%s, traps %s", w.Body, r.trapped())
	}
	q = httptest.NewRequestWithContext(t.Context(), "POST", "/api/score", http.NoBody)
	q.ContentLength = azureemu.MaxBody + 1
	w = httptest.NewRecorder()
	if r.Handler().ServeHTTP(w, q); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", w.Code)
	}
}

func TestABodyThatIsTooLongWithoutALength(t *testing.T) {
	t.Parallel()
	r := start(t, setup{host: proxying, files: scoreHTTP, handler: func(_ http.ResponseWriter, q *http.Request) { io.Copy(io.Discard, q.Body) }})
	endless := io.LimitReader(zeros{}, azureemu.MaxBody+1)
	a, err := http.Post(r.front(t)+"/api/score", "application/octet-stream", struct{ io.Reader }{endless})
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%s", a.Status)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestAClientThatLeavesDoesNotEndTheInvocation is so for payloads, as on the host.
func TestAClientThatLeavesDoesNotEndTheInvocation(t *testing.T) {
	t.Parallel()
	arrived, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r := start(t, setup{files: scoreHTTP, handler: func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		answerJSON(w, `{"Outputs":{"res":{}}}`)
		close(done)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	q, err := http.NewRequestWithContext(ctx, "POST", r.front(t)+"/api/score", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		a, err := http.DefaultClient.Do(q)
		if err == nil {
			a.Body.Close()
		}
		failed <- err
	}()
	<-arrived
	cancel()
	if err := <-failed; err == nil {
		t.Error("an answer")
	}
	close(release)
	<-done
	r.log.wait(t, 1, "'Functions.score' (Succeeded")
}
