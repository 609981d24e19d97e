package azureemu_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/azureemu"
)

// table reads a table of cases; an empty one is a failure.
func table[T any](t *testing.T, name string) []T {
	t.Helper()
	var rows []T
	text, err := os.ReadFile(samples + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	return rows
}

// TestPaths is the host's TestPathValue.
func TestPaths(t *testing.T) {
	t.Parallel()
	for _, row := range table[struct {
		Type, Note  string
		Forward     bool
		RequestPath string `json:"request_path"`
		HandlerPath string `json:"handler_path"`
	}](t, "case_paths.json") {
		if row.Note != "" {
			continue
		}
		t.Run(fmt.Sprint(row.Type, row.Forward, row.RequestPath), func(t *testing.T) {
			t.Parallel()
			section := "customHandler"
			if row.Type != "http" {
				section = "httpWorker"
			}
			host := strings.Replace(hostJSON(t, fmt.Sprintf(`,"enableForwardingHttpRequest":%v`, row.Forward), `,"extensions":{"http":{"routePrefix":""}}`),
				"customHandler", section, 1)
			var got string
			r := start(t, setup{
				files: map[string]string{"host.json": host, "someFunctionName/function.json": fmt.Sprintf(httpJSON, `,"route":"{*rest}"`)},
				handler: func(w http.ResponseWriter, q *http.Request) {
					got = q.RequestURI
					answerJSON(w, `{"Outputs":{"res":{"statusCode":201}}}`)
				},
			})
			if w := r.ask("POST", row.RequestPath, "{}"); w.Code/100 != 2 || got != row.HandlerPath {
				t.Errorf("%d, the handler saw %s, want %s", w.Code, got, row.HandlerPath)
			}
		})
	}
}

// answerCase is what must become of a row of case_response_default_mode.json: as an HTTP function's answer, and the traps.
type answerCase struct {
	status int
	body   string
	header string // Content-Type
	trap   string
	log    string
}

var answerCases = map[string]answerCase{
	"200 JSON, Outputs+Logs+ReturnValue": {200, "{}", "", "unbound", "invocation log2"},
	"res as object, statusCode string":   {201, "my world", "text/plain; charset=utf-8", "", "invocation log1"},
	"res statusCode number":              {404, "x", "application/json", "", ""},
	"keys in any case":                   {200, "x", "text/plain; charset=utf-8", "", "score: l"},
	"unknown keys only":                  {200, "", "", "no-res", ""},
	"Outputs present but res missing":    {200, "{}", "", "unbound", ""},
	"res {} or body null":                {200, "", "text/plain; charset=utf-8", "", ""},
	"res is a non-JSON string":           {500, "", "", "res-text", "Failed while trying to Deserialize to httpOutputBindingResponse"},
	"body not JSON":                      {500, "", "", "not-an-envelope", "InvalidOperationException: Invalid HttpResponseMessage: Hello World"},
	"text/plain, text/html, application/problem+json, octet-stream with a body": {500, "", "", "media-type", "UnsupportedMediaTypeException"},
	"text/json": {200, "", "", "no-res", ""},
	"EMPTY body or literal null with application/json": {500, "", "", "empty-body", "was exceeded by function"},
	"204 No Content":                    {500, "", "", "empty-body", "was exceeded by function"},
	"any 4xx/5xx":                       {500, "", "", "status", "HttpRequestException: Response status code does not indicate success: 400"},
	"3xx":                               {200, "followed", "text/plain; charset=utf-8", "redirect", ""},
	"Logs not an array of strings":      {500, "", "", "not-an-envelope", "Invalid HttpResponseMessage"},
	"JSON array or string at top level": {500, "", "", "not-an-envelope", "Invalid HttpResponseMessage"},
}

func TestAnswersOfPayloadMode(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, row := range table[struct {
		Case        string
		Status      int
		ContentType *string `json:"content_type"`
		Body        json.RawMessage
		Raw         string `json:"raw_body"`
	}](t, "case_response_default_mode.json") {
		want, ok := answerCases[row.Case]
		if !ok {
			t.Fatalf("a new case: %s", row.Case)
		}
		seen++
		t.Run(row.Case, func(t *testing.T) {
			t.Parallel()
			s := setup{
				files: map[string]string{"score/function.json": fmt.Sprintf(httpJSON, "")},
				handler: func(w http.ResponseWriter, q *http.Request) {
					switch {
					case q.Method == http.MethodGet: // a redirect was followed: its body is gone
						if b, err := io.ReadAll(q.Body); err != nil || len(b) > 0 {
							t.Errorf("%s %v", b, err)
						}
						answerJSON(w, `{"Outputs":{"res":{"body":"followed"}}}`)
						return
					case row.Status/100 == 3:
						w.Header().Set("Location", q.URL.Path+"/")
					case row.ContentType != nil:
						w.Header().Set("Content-Type", *row.ContentType)
					}
					w.WriteHeader(row.Status)
					io.WriteString(w, row.Raw+string(row.Body))
				},
			}
			if want.trap == "empty-body" {
				s.host = `,"initializationTimeout":"00:01:00"`
				s.config.FunctionTimeout = time.Second
			}
			r := start(t, s)
			first := r.next()
			w := r.ask("POST", "/api/score", `{"data":[[1]]}`)
			if w.Code != want.status || w.Body.String() != want.body || w.Header().Get("Content-Type") != want.header {
				t.Errorf("got  %d %q %q\nwant %+v", w.Code, w.Body, w.Header().Get("Content-Type"), want)
			}
			if got := r.trapped(); !slices.Contains(strings.Fields(got), want.trap) && want.trap+got != "" {
				t.Errorf("traps %q, want %q", got, want.trap)
			}
			if !strings.Contains(r.log.String(), want.log) {
				t.Errorf("%q is not in the log", want.log)
			}
			if want.trap == "empty-body" && r.next().pid == first.pid {
				t.Error("the handler was not started again")
			}
		})
	}
	if seen != len(answerCases) {
		t.Errorf("%d of %d cases", seen, len(answerCases))
	}
}

// writtenCases is what each row of case_output_values.json must write, in its order.
var writtenCases = []struct {
	written []string
	trap    string
}{
	{[]string{"Hello"}, ""},
	{[]string{"output1Value"}, ""},
	{[]string{"\xA6\x8B\x22\xB6\x2B\xDE"}, "base64"},
	{[]string{"\x76\x89\xDE"}, "base64"},
	{[]string{"\xD7\x6D\xF8"}, "base64"},
	{[]string{"positive"}, ""},
	{[]string{"{\n  \"result\": [\n    0.1\n  ]\n}"}, ""},
	{[]string{"a", "b"}, "split"},
	{[]string{"[\n  0.1,\n  0.9\n]", "[\n  0.5,\n  0.5\n]"}, "split"},
	{[]string{"{\n  \"result\": [\n    [\n      0.1,\n      0.9\n    ]\n  ]\n}"}, ""},
	{[]string{`{"a":1}`}, ""},
	{[]string{`[1,2]`}, ""},
	{[]string{"\x05\x00\x00\x00"}, "raw-bytes"},
	{[]string{"\x00\x00\x00\x00\x00\x00\xf8\x3f"}, "raw-bytes"},
	{[]string{"\x01"}, "raw-bytes"},
	{[]string{"01/02/2024 03:04:05"}, "date"},
	{[]string{"{\n  \"tiny\": 1E-07,\n  \"when\": \"2024-01-02T01:04:05+00:00\"\n}"}, "body-object"},
	{[]string{`{"as":"it is"}`}, ""},
	{[]string{`["a","b"]`}, ""},
	{[]string{"\x00\x01\xfe\xff"}, "base64"},
	{[]string{"System.Byte[]"}, "base64 system-byte"},
}

func TestOutputValues(t *testing.T) {
	t.Parallel()
	rows := table[struct {
		Value    json.RawMessage
		Binding  string
		DataType *string
	}](t, "case_output_values.json")
	if len(rows) != len(writtenCases) {
		t.Fatalf("%d rows, %d cases", len(rows), len(writtenCases))
	}
	for i, row := range rows {
		want := writtenCases[i]
		t.Run(fmt.Sprintf("%d %s %s", i, row.Binding, row.Value), func(t *testing.T) {
			t.Parallel()
			switch string(row.Value) { // rows that describe a value
			case `"base64 of the exact bytes"`:
				row.Value = json.RawMessage(`"AAH+/w=="`)
			case `"any valid base64 string (e.g. positive)"`:
				row.Value = json.RawMessage(`"positive"`)
			case `"JSON object as res.body"`:
				row.Value = json.RawMessage(`{"body":{"tiny":1e-7,"when":"2024-01-02T03:04:05+02:00"}}`)
			case `"string as res.body"`:
				row.Value = json.RawMessage(`{"body":"{\"as\":\"it is\"}"}`)
			case `"array as a res.headers value"`:
				row.Value = json.RawMessage(`{"headers":{"x-list":["a","b"]}}`)
			}
			if row.Binding == "http" {
				testHTTPOutput(t, row.Value, want.written[0], want.trap)
				return
			}
			kind, dataType := strings.Fields(row.Binding)[0], ""
			if kind == "any" {
				kind = "queue"
			}
			if row.DataType != nil {
				dataType = fmt.Sprintf(`,"dataType":%q`, *row.DataType)
			}
			function := fmt.Sprintf(`{"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":"in"},
				{"type":%q,"direction":"out","name":"result","queueName":"out","path":""%s}]}`, kind, dataType)
			r := start(t, setup{
				files: map[string]string{"score/function.json": function},
				handler: func(w http.ResponseWriter, _ *http.Request) {
					answerJSON(w, fmt.Sprintf(`{"Outputs":{"result":%s}}`, row.Value))
				},
			})
			d := r.deliver("x")
			var got []string
			for _, o := range d.Outputs {
				got = append(got, string(o.Body))
			}
			if d.Outcome != azureemu.Succeeded || !slices.Equal(got, want.written) || r.trapped() != want.trap {
				t.Errorf("%s, wrote %q, traps %q; want %q, %q", d.Outcome, got, r.trapped(), want.written, want.trap)
			}
		})
	}
}

func testHTTPOutput(t *testing.T, res json.RawMessage, want, trap string) {
	t.Helper()
	r := start(t, setup{
		files: map[string]string{"score/function.json": fmt.Sprintf(httpJSON, "")},
		handler: func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, fmt.Sprintf(`{"Outputs":{"res":%s}}`, res))
		},
	})
	w := r.ask("POST", "/api/score", "{}")
	if got := w.Body.String() + w.Header().Get("X-List"); w.Code != 200 || got != want || r.trapped() != trap {
		t.Errorf("%d %q, traps %q; want %q, %q", w.Code, got, r.trapped(), want, trap)
	}
}
