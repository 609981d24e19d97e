package azureemu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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
	r.log.wait(t, 1, "connection refused")
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	function := func(route string, methods ...string) string {
		more := fmt.Sprintf(`,"route":%q`, route)
		if len(methods) > 0 {
			more += `,"methods":["` + strings.Join(methods, `","`) + `"]`
		}
		return fmt.Sprintf(httpJSON, more)
	}
	r := start(t, setup{
		files: map[string]string{
			"plain/function.json": fmt.Sprintf(httpJSON, ""), "one/function.json": function("models/{name}/score", "post"),
			"two/function.json": function("models/special/score"), "opt/function.json": function("opt/{a}/{b?}"),
			"rest/function.json": function("files/{*path}"), "number/function.json": function("n/{id:int}"), "get/function.json": function("models/{name}/score", "get"),
			"queue/function.json": queueJSON,
		},
		handler: func(w http.ResponseWriter, q *http.Request) {
			var f struct {
				Data struct {
					Req struct{ Params map[string]*string }
				}
			}
			if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
				t.Error(err)
			}
			params, _ := json.Marshal(f.Data.Req.Params)
			text, _ := json.Marshal(q.URL.Path + " " + string(params))
			answerJSON(w, fmt.Sprintf(`{"Outputs":{"res":{"body":%s}}}`, text))
		},
	})
	for _, tt := range []struct{ request, want string }{
		{"POST /api/plain", `/plain {}`},
		{"POST /API/Plain/", `/plain {}`},
		{"DELETE /api/plain", `/plain {}`},
		{"POST /api/models/a%20b/score", `/one {"name":"a b"}`},
		{"GET /api/models/x/score", `/get {"name":"x"}`},
		{"POST /api/models/special/score", `/two {}`},
		{"GET /api/opt/1", `/opt {"a":"1","b":null}`},
		{"GET /api/opt/1/2", `/opt {"a":"1","b":"2"}`},
		{"GET /api/files/a/b/c", `/rest {"path":"a/b/c"}`},
		{"GET /api/files", `/rest {"path":""}`},
		{"GET /api/n/12", `/number {"id":"12"}`},
		{"GET /api/n/twelve", ""},
		{"DELETE /api/models/x/score", ""},
		{"GET /api/opt", ""},
		{"GET /api/opt/1/2/3", ""},
		{"GET /plain", ""},
		{"GET /api/queue", ""},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		w := r.ask(method, path, "")
		if got := w.Body.String(); tt.want == "" && w.Code != 404 || tt.want != "" && (w.Code != 200 || got != tt.want) {
			t.Errorf("%s: %d %s, want %s", tt.request, w.Code, got, tt.want)
		}
	}
}

func TestAdminRoutes(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 10)
	r := start(t, setup{
		files: map[string]string{"score/function.json": fmt.Sprintf(httpJSON, ""), "queue/function.json": queueJSON},
		handler: func(w http.ResponseWriter, q *http.Request) {
			var f struct{ Data map[string]string }
			if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
				t.Error(err)
			}
			bodies <- f.Data["msg"]
			answerJSON(w, `{"Outputs":{"result":{"ok":true}}}`)
		},
	})
	for _, input := range []string{`{"input":"hello"}`, `{"input":{"data":[1]}}`} {
		if w := r.ask("POST", "/admin/functions/queue", input); w.Code != 202 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	got := []string{<-bodies, <-bodies}
	slices.Sort(got)
	if !slices.Equal(got, []string{`"hello"`, `"{\"data\":[1]}"`}) {
		t.Errorf("%q", got)
	}
	for _, tt := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"/admin/functions/none", "{}", 404, `there is no function \"none\"; there are queue, score`},
		{"/admin/functions/queue", "{", 400, `the body must be`},
		{"/admin/functions/score", "{}", 400, "is called over HTTP"},
		{"/admin/else", "{}", 404, ""},
	} {
		if w := r.ask("POST", tt.path, tt.body); w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
	}
	var list []struct {
		Name string
		URL  string `json:"invoke_url_template"`
	}
	if err := json.Unmarshal(r.ask("GET", "/admin/functions", "").Body.Bytes(), &list); err != nil || len(list) != 2 || list[1].URL != "http://example.com/api/score" {
		t.Errorf("%+v %v", list, err)
	}
	if w := r.ask("GET", "/", ""); !strings.Contains(w.Body.String(), "http://example.com/api/score") {
		t.Errorf("%s", w.Body)
	}
}

func TestBodiesThatThePayloadModeSpoils(t *testing.T) {
	t.Parallel()
	r := start(t, setup{files: scoreHTTP, handler: func(w http.ResponseWriter, q *http.Request) {
		var f struct {
			Data struct{ Req struct{ Body *string } }
		}
		if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
			t.Error(err)
		}
		text, _ := json.Marshal(fmt.Sprint(f.Data.Req.Body == nil))
		if f.Data.Req.Body != nil {
			text, _ = json.Marshal(*f.Data.Req.Body)
		}
		answerJSON(w, fmt.Sprintf(`{"Outputs":{"res":{"body":%s}}}`, text))
	}})
	if w := r.ask("POST", "/api/score", "\x89PNG\xff", "Content-Type", "image/png"); w.Body.String() != "\ufffdPNG\ufffd" {
		t.Errorf("%q", w.Body)
	}
	q := httptest.NewRequestWithContext(t.Context(), "POST", "/api/score", struct{ io.Reader }{strings.NewReader("lost")})
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, q)
	if w.Body.String() != "true" || r.trapped() != "binary-body chunked-body" {
		t.Errorf("%s, traps %s", w.Body, r.trapped())
	}
	q = httptest.NewRequestWithContext(t.Context(), "POST", "/api/score", http.NoBody)
	q.ContentLength = azureemu.MaxBody + 1
	w = httptest.NewRecorder()
	if r.Handler().ServeHTTP(w, q); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", w.Code)
	}
}

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
