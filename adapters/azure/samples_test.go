package azure_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
)

// sample is an exchange of testdata.
type sample struct {
	Name, Mode   string
	FunctionJSON json.RawMessage `json:"function_json"`
	HostRequest  struct {
		Method, Path string
		Headers      map[string]string
		Body         json.RawMessage
		RawBody      string `json:"raw_body"`
	} `json:"host_request"`
}

func samples(t *testing.T) map[string]sample {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]sample{}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "case_") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s sample
		if err := json.Unmarshal(b, &s); err != nil || s.HostRequest.Path == "" {
			t.Fatalf("%s: %v", file, err)
		}
		all[s.Name] = s
	}
	return all
}

// sampleAnswers is what the samples' events are answered by the model that answers what it is asked: the document of the output
// binding of type queue, blob or serviceBus named result, "" where the function has none.
var sampleAnswers = map[string]string{
	"blob_any":               `{"id":"https://acct.blob.core.windows.net/incoming/a.json","result":[[1.0,2.0]]}`,
	"cosmosdb":               ``,
	"eventgrid_cloudevent":   ``,
	"eventgrid_many":         ``,
	"eventhub_many_binary":   ``,
	"eventhub_many_default":  ``,
	"eventhub_many_string":   ``,
	"eventhub_one":           ``,
	"queue_binary":           ``,
	"queue_json":             `{"id":"ff72c521-e700-4334-82b7-21b432986f0e","result":[[5.1,3.5,1.4,0.2]]}`,
	"queue_json_clobbers_id": `{"id":"order-7","result":[[1.0,2.0]]}`,
	"retry_context":          ``,
	"servicebus_one":         `{"id":"b7f1","result":[[5.1,3.5,1.4,0.2]]}`,
	"timer":                  ``,
}

// The answers of functions without an output binding, where the test gives them one.
var moreAnswers = map[string]string{
	"cosmosdb":              `{"results":[{"id":"1","result":[[1.0,2.0]]}]}`,
	"eventgrid_cloudevent":  `{"id":"1","result":[[5.1,3.5,1.4,0.2]]}`,
	"eventgrid_many":        `{"results":[{"id":"1","result":[[5.1,3.5,1.4,0.2]]}]}`,
	"eventhub_many_binary":  `{"results":[{"id":"0-12","result":[[5.1,3.5,1.4,0.2]]},{"id":"0-13","result":[[5.1,3.5,1.4,0.2]]}]}`,
	"eventhub_many_default": `{"results":[{"id":"0-12","result":[[5.1,3.5,1.4,0.2]]},{"id":"0-13","result":[[5.1,3.5,1.4,0.2]]}]}`,
	"eventhub_many_string":  `{"results":[{"id":"0-12","result":[[5.1,3.5,1.4,0.2]]},{"id":"0-13","result":[[5.1,3.5,1.4,0.2]]}]}`,
	"eventhub_one":          `{"id":"0-12","result":[[5.1,3.5,1.4,0.2]]}`,
	"queue_binary":          `{"id":"ff72c521-e700-4334-82b7-21b432986f0e","result":[[5.1,3.5,1.4,0.2]]}`,
	"retry_context":         `{"id":"ff72c521-e700-4334-82b7-21b432986f0e","result":[[5.1,3.5,1.4,0.2]]}`,
}

// What a function without a further binding is given, so that its answers can be seen.
const extraOutput = `{"type":"queue","direction":"out","name":"result","queueName":"out"}`

// withOutput is a function.json with an output binding named result.
func withOutput(t *testing.T, functionJSON json.RawMessage) string {
	t.Helper()
	if functionJSON == nil { // the sample shows a queue's message
		return queueFunction
	}
	text := string(functionJSON)
	if strings.Contains(text, `"out"`) {
		return text
	}
	i := strings.LastIndex(text, "]")
	return text[:i] + "," + extraOutput + text[i:]
}

func TestTheRealHandlerAnswersTheSamplesOfEvents(t *testing.T) {
	t.Parallel()
	all := samples(t)
	events := map[string]sample{}
	for name, s := range all {
		if _, ok := sampleAnswers[name]; ok {
			events[name] = s
		}
	}
	rest := slices.Sorted(maps.Keys(all))
	rest = slices.DeleteFunc(rest, func(n string) bool { _, ok := events[n]; return ok })
	if want := []string{"eventgrid_schema", "http_default_array", "http_default_get_route", "http_default_object", "http_default_octet_stream", "http_forward", "http_proxy", "ping", "queue_text"}; !slices.Equal(rest, want) {
		t.Errorf("samples that are no events: %v; want %v, which other tests send", rest, want)
	}
	for name, s := range events {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := s.HostRequest.Path
			plain := map[string]string{"host.json": forwarding}
			if s.FunctionJSON != nil {
				plain[path[1:]+"/function.json"] = string(s.FunctionJSON)
			}
			more := map[string]string{"host.json": forwarding, path[1:] + "/function.json": withOutput(t, s.FunctionJSON)}
			for _, files := range []map[string]string{plain, more} {
				p := realHandler(t, appFolder(t, files), "AZUREML_MODEL_DIR="+iris(t))
				for _, f := range []framing{chunked, length} {
					r := p.post(t, path, s.HostRequest.Body, f, s.HostRequest.Headers)
					outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
					if err != nil {
						t.Fatalf("the host: %v\n%s%s", err, r.body, p.out.String())
					}
					want := sampleAnswers[name]
					if _, ok := files[path[1:]+"/function.json"]; ok && want == "" && strings.Contains(files[path[1:]+"/function.json"], `"out"`) {
						want = moreAnswers[name]
					}
					checkDocument(t, files[path[1:]+"/function.json"], outputs, want)
				}
				if log := p.log(t); !strings.Contains(log, `"invocationId":"`+invocation+`"`) && name != "timer" {
					t.Errorf("log:\n%s", log)
				}
			}
		})
	}
}

// checkDocument checks what the host writes for the output named result.
func checkDocument(t *testing.T, functionJSON string, outputs map[string]json.RawMessage, want string) {
	t.Helper()
	value, ok := outputs["result"]
	if ok != (want != "") {
		t.Errorf("got %s, want %s", value, want)
	}
	if !ok || want == "" {
		return
	}
	var in struct {
		Bindings []struct{ Name, Type, DataType string }
	}
	if err := json.Unmarshal([]byte(functionJSON), &in); err != nil {
		t.Fatal(err)
	}
	for _, b := range in.Bindings {
		if b.Name != "result" {
			continue
		}
		written, trap := hostWrites(b.Type, b.DataType, value)
		if trap != "" || len(written) != 1 || written[0] != want {
			t.Errorf("%s: the host writes %q (%s), want %s", b.Type, written, trap, want)
		}
	}
}

// coreAnswer is what the core answers a request by itself.
func coreAnswer(t *testing.T, model string, q *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	s, err := settings.Load(func(name string) string {
		if name == "AZUREML_MODEL_DIR" {
			return model
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	f := function.New(score.Init, function.WithSettings(s), function.WithLogger(slog.New(slog.DiscardHandler)))
	t.Cleanup(func() { _ = f.Close() })
	w := httptest.NewRecorder()
	function.Handler(f).ServeHTTP(w, q)
	return w
}

// HTTP samples in payload mode are answered what the core answers the request that is inside.
func TestTheRealHandlerAnswersTheSamplesOfHTTPInPayloadMode(t *testing.T) {
	t.Parallel()
	all := samples(t)
	for name, want := range map[string]int{
		"http_default_array": 200, "http_default_get_route": 400, "http_default_object": 200, "http_default_octet_stream": 400,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ok := all[name]
			if !ok {
				t.Fatal("the sample is gone")
			}
			model := iris(t)
			p := realHandler(t, appFolder(t, map[string]string{"host.json": `{}`, "score/function.json": string(s.FunctionJSON)}), "AZUREML_MODEL_DIR="+model)
			var in struct {
				Data struct {
					Req struct {
						Method, Body, URL string
						Headers           map[string][]string
					}
				}
			}
			if err := json.Unmarshal(s.HostRequest.Body, &in); err != nil {
				t.Fatal(err)
			}
			req := in.Data.Req
			body, contentType := []byte(req.Body), ""
			if list := req.Headers["Content-Type"]; len(list) > 0 {
				contentType = list[0]
			}
			if contentType == "application/octet-stream" {
				var err error
				if body, err = base64.StdEncoding.DecodeString(req.Body); err != nil {
					t.Fatal(err)
				}
			}
			path, _, _ := strings.Cut(strings.TrimPrefix(req.URL, "https://myapp.azurewebsites.net/api"), "?")
			q := httptest.NewRequestWithContext(t.Context(), req.Method, path, bytes.NewReader(body))
			q.Header.Set("Content-Type", contentType)
			core := coreAnswer(t, model, q)
			for _, f := range []framing{chunked, length} {
				r := p.post(t, s.HostRequest.Path, s.HostRequest.Body, f, s.HostRequest.Headers)
				outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
				if err != nil {
					t.Fatalf("the host: %v\n%s", err, r.body)
				}
				status, header, answer, err := hostHTTP(outputs["res"])
				if err != nil || status != core.Code || answer != core.Body.String() {
					t.Errorf("got %d %s, %v; the core %d %s", status, answer, err, core.Code, core.Body)
				}
				if header["content-type"] != core.Header().Get("Content-Type") || header["x-request-id"] != invocation {
					t.Errorf("headers %v", header)
				}
			}
			if core.Code != want {
				t.Errorf("the core answers %d %s", core.Code, core.Body)
			}
			if log := p.log(t); strings.Contains(log, "REDACTED") {
				t.Errorf("a key is in the log:\n%s", log)
			}
		})
	}
}

func TestTheRealHandlerAnswersForwardedAndProxiedSamples(t *testing.T) {
	t.Parallel()
	all := samples(t)
	for _, name := range []string{"http_forward", "http_proxy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := all[name]
			route := strings.Replace(string(s.FunctionJSON), `"name": "req"`, `"name": "req", "route": "score"`, 1)
			p := realHandler(t, appFolder(t, map[string]string{"host.json": forwarding, "score/function.json": route}), "AZUREML_MODEL_DIR="+iris(t))
			plain, packed := []byte(s.HostRequest.RawBody), gzipped(t, []byte(s.HostRequest.RawBody))
			bodies := [][]byte{plain, packed} // forwarding drops Content-Encoding
			if name == "http_proxy" {
				bodies = [][]byte{packed}
			}
			for _, body := range bodies {
				for _, f := range []framing{chunked, length} {
					header := maps.Clone(s.HostRequest.Headers)
					delete(header, "Content-Length")
					r := p.post(t, s.HostRequest.Path, body, f, header)
					if r.status != 200 || string(r.body) != `[[5.1,3.5,1.4,0.2]]` || r.header.Get("X-Request-Id") != invocation {
						t.Errorf("got %d %s %v", r.status, r.body, r.header)
					}
				}
			}
			header := maps.Clone(s.HostRequest.Headers)
			delete(header, "Content-Encoding")
			header["X-Azure-Functions-InvocationId"] = "spoof, more spoof, " + invocation
			if r := p.post(t, s.HostRequest.Path, plain, length, header); r.header.Get("X-Request-Id") != invocation {
				t.Errorf("a spoofed id: %v", r.header)
			}
			if log := p.log(t); strings.Contains(log, "REDACTED") || strings.Contains(log, "spoof") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// A message that can never be scored fails, so that it becomes poison, or is dropped with its error as the answer.
func TestTheRealHandlerAndAPoisonedMessage(t *testing.T) {
	t.Parallel()
	s := samples(t)["queue_text"]
	app := appFolder(t, map[string]string{"host.json": forwarding, "score-queue/function.json": withOutput(t, s.FunctionJSON)})
	model := "AZUREML_MODEL_DIR=" + iris(t)
	fail := realHandler(t, app, model)
	if r := fail.post(t, s.HostRequest.Path, s.HostRequest.Body, chunked, s.HostRequest.Headers); r.status != 500 || !json.Valid(r.body) {
		t.Errorf("fail: %d %s", r.status, r.body)
	}
	drop := realHandler(t, app, model, "SCOREFN_POISON=drop")
	r := drop.post(t, s.HostRequest.Path, s.HostRequest.Body, chunked, s.HostRequest.Headers)
	outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
	if err != nil {
		t.Fatal(err)
	}
	checkDocument(t, withOutput(t, s.FunctionJSON), outputs,
		`{"id":"ff72c521-e700-4334-82b7-21b432986f0e","error":{"kind":"invalid","message":"POST body could not be decoded as JSON: Expecting value: line 1 column 1 (char 0)"}}`)
	for name, p := range map[string]*process{"fail": fail, "drop": drop} {
		if log := p.log(t); !strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("%s: log:\n%s", name, log)
		}
	}
}
