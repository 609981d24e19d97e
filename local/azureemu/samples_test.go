package azureemu_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/azureemu"
)

// samples are the exchanges that the adapter is tested with too.
const samples = "../../adapters/azure/testdata/"

// sampleFile is an exchange between host and handler.
type sampleFile struct {
	FunctionJSON json.RawMessage `json:"function_json"`
	Mode         string
	Message      *string
	Client       struct{ Method, Path, Body string } `json:"client_request"`
	Host         struct {
		Method, Path string
		Headers      map[string]string
		Body         struct{ Data, Metadata map[string]any }
		Raw          string `json:"raw_body"`
	} `json:"host_request"`
	Handler struct {
		Body json.RawMessage
		Raw  string `json:"raw_body"`
	} `json:"handler_response"`
}

// at is the time of the samples.
var at = time.Date(2026, 11, 22, 20, 35, 39, 0, time.UTC)

// inner is the text inside a value of Data: one string for a single value.
func inner(t *testing.T, v any) string {
	t.Helper()
	text, ok := v.(string)
	var once string
	if ok && json.Unmarshal([]byte(text), &once) == nil {
		return once
	}
	return text
}

// sampleEvent is what must have happened for the host to send the sample.
func sampleEvent(t *testing.T, name string, s sampleFile, data any) azureemu.Event {
	t.Helper()
	raws := func(text string) (all []json.RawMessage) {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	iris := []byte(`{"data":[[5.1,3.5,1.4,0.2]]}`)
	kind, _, _ := strings.Cut(name, "_")
	switch kind {
	case "queue", "retry":
		body := iris
		if s.Message != nil {
			body = []byte(*s.Message)
		}
		return &azureemu.QueueMessage{
			ID: "ff72c521-e700-4334-82b7-21b432986f0e", PopReceipt: "MjJOb3YyMDI2MjA6MzU6MzljOTAy", Body: body, DequeueCount: 1,
			Inserted: at, Expires: at.Add(7 * 24 * time.Hour), NextVisible: at.Add(10 * time.Minute),
		}
	case "blob":
		return &azureemu.Blob{
			Container: "incoming", Name: "a.json", URL: "https://acct.blob.core.windows.net/incoming/a.json", ContentType: "application/json",
			Created: at, Modified: at, Metadata: map[string]string{"k": "v"}, Body: []byte(`{"data":[[1,2]]}`),
		}
	case "eventgrid":
		if text, ok := data.(string); ok {
			return azureemu.GridEvents(raws(text))
		}
		text, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		return azureemu.GridEvents{text}
	case "eventhub":
		if name == "eventhub_one" {
			return &azureemu.HubEvents{Hub: "score-in", Events: []azureemu.HubEvent{
				{Body: iris, Offset: "4294967", Sequence: 12, Enqueued: at.Add(120 * time.Millisecond)},
			}}
		}
		return &azureemu.HubEvents{Hub: "score-in", Events: []azureemu.HubEvent{
			{Body: iris, Offset: "1", Sequence: 12, Enqueued: at.Add(100 * time.Millisecond)},
			{Body: iris, Offset: "2", Sequence: 13, Enqueued: at.Add(200 * time.Millisecond)},
		}}
	case "servicebus":
		return azureemu.BusMessages{{
			Body: iris, ID: "b7f1", LockToken: "4e773554-f6b7-4ea2-b07d-4c5fd5aba741", ContentType: "application/json", Sequence: 1,
			DeliveryCount: 1, Enqueued: at, Expires: at.Add(14 * 24 * time.Hour),
		}}
	case "timer":
		last := time.Date(2026, 11, 22, 20, 30, 0, 3500000, time.UTC)
		return &azureemu.Timer{Last: last, Updated: last, Next: time.Date(2026, 11, 22, 20, 35, 0, 0, time.UTC)}
	case "cosmosdb":
		return azureemu.Documents(raws(inner(t, data)))
	}
	t.Fatalf("no event for %s", name)
	return nil
}

// TestSamples sends what must arrive as the samples say it, and reads the handler's answers.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(samples + "*.json")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if strings.HasPrefix(name, "case_") {
			continue
		}
		tested++
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s sampleFile
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch {
			case name == "ping":
				testPing(t)
			case strings.HasPrefix(name, "http_"):
				for _, framed := range []bool{false, true} {
					testHTTPSample(t, s, framed)
				}
			default:
				for _, framed := range []bool{false, true} {
					testEventSample(t, name, s, framed)
				}
			}
		})
	}
	if tested != 23 {
		t.Errorf("%d samples", tested)
	}
}

func testPing(t *testing.T) {
	t.Helper()
	pinged := make(chan http.Header, 100)
	r := start(t, setup{
		files: map[string]string{"score/function.json": fmt.Sprintf(httpJSON, "")},
		ping:  func(_ http.ResponseWriter, q *http.Request) { pinged <- q.Header },
	})
	r.waitReady()
	h := <-pinged
	h.Del("Accept-Encoding")
	if len(h) > 0 {
		t.Errorf("headers %v", h)
	}
}

// request is one that reached the handler.
type request struct {
	*http.Request
	body []byte
}

func testEventSample(t *testing.T, name string, s sampleFile, framed bool) {
	t.Helper()
	function := string(s.FunctionJSON)
	if name == "retry_context" {
		function = strings.Replace(queueJSON, `{"bindings"`, `{"retry":{"strategy":"fixedDelay","maxRetryCount":2,"delayInterval":"00:00:00"},"bindings"`, 1)
	}
	seen := make(chan request, 10)
	r := start(t, setup{
		config: azureemu.Config{ContentLength: framed},
		files:  map[string]string{s.Host.Path + "/function.json": function},
		handler: func(w http.ResponseWriter, q *http.Request) {
			b, err := io.ReadAll(q.Body)
			if err != nil {
				t.Error(err)
			}
			seen <- request{q, b}
			if name == "retry_context" && len(seen) == 1 {
				w.WriteHeader(500)
				return
			}
			answer := s.Handler.Body
			if answer == nil {
				answer = json.RawMessage(`{"Outputs":{},"Logs":[],"ReturnValue":null}`)
			}
			answerJSON(w, string(answer))
		},
	})
	var data any
	for _, data = range s.Host.Body.Data {
	}
	f := r.function(strings.TrimPrefix(s.Host.Path, "/"))
	d, err := r.Deliver(t.Context(), f, sampleEvent(t, name, s, data))
	if err != nil || d.Outcome != azureemu.Succeeded {
		t.Fatalf("%+v %v", d, err)
	}
	if s.Handler.Body != nil && len(d.Outputs) != 1 {
		t.Errorf("outputs %+v", d.Outputs)
	}
	q := <-seen
	if name == "retry_context" {
		q = <-seen // the second try
	}
	wantRequest(t, s, q, d.ID, framed)
	if (name == "queue_json_clobbers_id") != (r.trapped() == "clobber") {
		t.Errorf("traps %q", r.trapped())
	}
}

// wantRequest compares all but what differs by nature.
func wantRequest(t *testing.T, s sampleFile, q request, id string, framed bool) {
	t.Helper()
	if q.Method != s.Host.Method || q.RequestURI != s.Host.Path {
		t.Errorf("%s %s, want %s %s", q.Method, q.RequestURI, s.Host.Method, s.Host.Path)
	}
	s.Host.Headers["X-Azure-Functions-InvocationId"] = id
	for header, want := range s.Host.Headers {
		if got := q.Header.Get(header); header != "Content-Length" && header != "Host" && (got != want || id == "" && got == "") {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if chunked := q.ContentLength < 0; chunked == framed {
		t.Errorf("Content-Length %d", q.ContentLength)
	}
	var got struct{ Data, Metadata map[string]any }
	if err := json.Unmarshal(q.body, &got); err != nil {
		t.Fatal(err)
	}
	got.Metadata["sys"].(map[string]any)["UtcNow"] = "2026-11-22T20:35:39.1234567Z"
	got.Metadata["sys"].(map[string]any)["RandGuid"] = "29576810-5ff2-41b8-8411-f1792a0242bb"
	hub, _ := got.Metadata["SystemPropertiesArray"].(string)
	if hub != "" { // a sketch in the samples
		got.Metadata["SystemPropertiesArray"] = s.Host.Body.Metadata["SystemPropertiesArray"]
	}
	compare(t, "Data", got.Data, s.Host.Body.Data)
	compare(t, "Metadata", got.Metadata, s.Host.Body.Metadata)
}

func compare(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			t.Errorf("%s.%s\ngot  %#v\nwant %#v", what, name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s.%s is too much: %#v", what, name, got[name])
		}
	}
}

func testHTTPSample(t *testing.T, s sampleFile, framed bool) {
	t.Helper()
	host := ""
	if strings.HasPrefix(s.Mode, "enable") {
		host = fmt.Sprintf(`,%q:true`, s.Mode)
	}
	seen := make(chan request, 1)
	r := start(t, setup{
		config: azureemu.Config{ContentLength: framed}, host: host,
		files: map[string]string{"score/function.json": string(s.FunctionJSON)},
		handler: func(w http.ResponseWriter, q *http.Request) {
			b, err := io.ReadAll(q.Body)
			if err != nil {
				t.Error(err)
			}
			seen <- request{q, b}
			if s.Mode == "default" {
				answerJSON(w, `{"Outputs":{"res":{"statusCode":200,"body":"[]"}}}`)
				return
			}
			w.Header().Set("X-Own", "yes")
			w.WriteHeader(418)
			io.WriteString(w, s.Handler.Raw)
		},
	})
	method, path, body, headers := clientRequest(t, s)
	w := r.ask(method, path, body, headers...)
	q := <-seen
	if s.Mode == "default" {
		if w.Code != 200 || w.Body.String() != "[]" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		wantHTTPPayload(t, s, q, framed)
		return
	}
	if w.Code != 418 || w.Body.String() != s.Handler.Raw || w.Header().Get("X-Own") != "yes" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if q.RequestURI != s.Host.Path || q.Host != "myapp.azurewebsites.net" || string(q.body) != s.Host.Raw {
		t.Errorf("%s %s %s", q.RequestURI, q.Host, q.body)
	}
	id := q.Header.Get("X-Azure-Functions-InvocationId")
	for name, want := range s.Host.Headers {
		switch got := q.Header.Get(name); {
		case strings.HasSuffix(strings.ToLower(name), "invocation-id") || strings.HasSuffix(name, "InvocationId"):
			if got != id || id == "" {
				t.Errorf("%s: %q", name, got)
			}
		case name != "Host" && got != want:
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// clientRequest is what the client must have sent.
func clientRequest(t *testing.T, s sampleFile) (method, path, body string, headers []string) {
	t.Helper()
	method, path, body = "POST", s.Host.Path, s.Host.Raw
	headers = []string{"User-Agent", "curl/8.5.0", "Content-Type", "application/json", "X-Functions-Key", "REDACTED"}
	switch s.Mode {
	case "enableProxyingHttpRequest":
		return method, path, body, []string{"User-Agent", "curl/8.5.0", "Content-Type", "application/json", "Content-Encoding", "gzip", "Host", "myapp.azurewebsites.net"}
	case "default":
	default:
		return method, path, body, append(headers, "Host", "myapp.azurewebsites.net")
	}
	req := s.Host.Body.Data["req"].(map[string]any)
	path = strings.TrimPrefix(req["Url"].(string), "https://myapp.azurewebsites.net")
	method = req["Method"].(string)
	headers = []string{"Host", "myapp.azurewebsites.net"}
	for name, v := range req["Headers"].(map[string]any) {
		headers = append(headers, name, v.([]any)[0].(string))
	}
	if text, ok := req["Body"].(string); ok {
		if body = text; text == "AAEC/w==" {
			body = "\x00\x01\x02\xff"
		}
	}
	return method, path, body, headers
}

// wantHTTPPayload compares with the scheme of this host and with header names in one case, in which they are equal.
func wantHTTPPayload(t *testing.T, s sampleFile, q request, framed bool) {
	t.Helper()
	q.body = []byte(strings.ReplaceAll(string(q.body), "http://myapp", "https://myapp"))
	q.body = []byte(strings.ReplaceAll(string(q.body), `"X-Functions-Key"`, `"x-functions-key"`))
	wantRequest(t, s, q, q.Header.Get("X-Azure-Functions-InvocationId"), framed)
}
