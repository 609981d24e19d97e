package azure

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// everyFunction is an app with every kind of function.
var everyFunction = map[string]string{
	"host.json":           `{"functionTimeout":"-1"}`,
	"score/function.json": functionJSON(`{"type":"httpTrigger","direction":"in","name":"req","route":"score"}`, "http:res"),
	"mixed/function.json": functionJSON(`{"type":"httpTrigger","direction":"in","name":"req","route":"mixed/{x?}"}`, "http:out", "queue:copy"),
	"ret/function.json":   functionJSON(`{"type":"httpTrigger","direction":"in","name":"req"}`, "http:$return", "queue:copy"),
	"queue/function.json": functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"}`, "queue:$return"),
	"blob/function.json":  functionJSON(`{"type":"blobTrigger","direction":"in","name":"msg"}`, "blob"),
	"grid/function.json":  functionJSON(`{"type":"eventGridTrigger","direction":"in","name":"event"}`, "eventHub"),
	"hub/function.json":   functionJSON(`{"type":"eventHubTrigger","direction":"in","name":"msg","cardinality":"many"}`, "cosmosDB"),
	"docs/function.json":  functionJSON(`{"type":"cosmosDBTrigger","direction":"in","name":"docs"}`, "serviceBus"),
	"tick/function.json":  functionJSON(`{"type":"timerTrigger","direction":"in","name":"timer"}`),
}

func request(method, path, header, body string) string {
	return `{"Data":{"req":{"Url":"https://x/api` + path + `","Method":"` + method + `","Query":{},"Headers":{` + header + `},"Params":{},"Identities":[],"Body":` + body + `}},"Metadata":{}}`
}

func TestHTTPInPayloadMode(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, everyFunction, nil)
	const jsonHeader = `"Content-Type":["application/json"]`
	body := quoted(`{"data":2}`)
	for _, tt := range []struct{ name, path, payload, want string }{
		{"scores", "/score", request("POST", "/score", jsonHeader, body), `{"Outputs":{"res":{"statusCode":200,`},
		{"the answer is text", "/score", request("POST", "/score", jsonHeader, body), `"body":"4"}`},
		{"mistake", "/score", request("POST", "/score", jsonHeader, quoted(`{}`)), `{"statusCode":400,`},
		{"another function's route is not taken", "/mixed", request("POST", "/score", jsonHeader, body), `"copy":"eyJpZCI6Imludi0xIiwicmVzdWx0Ijo0fQ=="`},
		{"extra output", "/mixed", request("POST", "/mixed", jsonHeader, body), `"copy":"eyJpZCI6Imludi0xIiwicmVzdWx0Ijo0fQ=="`},
		{"$return", "/ret", request("POST", "/ret", jsonHeader, body), `"ReturnValue":{"statusCode":200,`},
		{"no body", "/score", request("POST", "/score", jsonHeader, "null"), `{"statusCode":400,`},
		{"a body that the host left out", "/score", request("POST", "/score", jsonHeader+`,"Transfer-Encoding":["chunked"]`, "null"), `send Content-Length`},
		{"bytes", "/score", request("POST", "/score", `"Content-Type":["application/octet-stream"]`, quoted("eyJkYXRhIjoyfQ==")), `"body":"4"}`},
		{"no base64", "/score", request("POST", "/score", `"Content-Type":["application/octet-stream"]`, quoted("%")), `{"statusCode":400,`},
		{"gzip that the host broke", "/score", request("POST", "/score", jsonHeader+`,"Content-Encoding":["gzip"]`, quoted("\ufffd\ufffd")), `{"statusCode":415,`},
		{"an image that the host broke", "/score", request("POST", "/score", `"Content-Type":["image/png"]`, quoted("\ufffdPNG")), `send it as application/octet-stream`},
		{"an object as the body", "/score", request("POST", "/score", jsonHeader, `{"data":2}`), `"body":"4"}`},
		{"one header as text", "/score", request("POST", "/score", `"Content-Type":"application/json"`, body), `"body":"4"}`},
		{"bad header", "/score", request("POST", "/score", `"Content-Type":[5]`, body), `{"statusCode":400,`},
		{"no URL", "/score", request("POST", "/score%zz?code=secret", jsonHeader, body), `{"statusCode":400,`},
		{"no request", "/score", `{"Data":{"req":5},"Metadata":{}}`, `{"statusCode":400,`},
		{"what is no score is no result", "/mixed", request("OPTIONS", "/mixed", "", "null"), `"body":""}},"Logs"`},
	} {
		status, answer := invoke(t, h, tt.path, tt.payload)
		if status != 200 || !strings.Contains(answer, tt.want) || !json.Valid([]byte(answer)) || strings.Contains(answer, "secret") {
			t.Errorf("%s: got %d %s", tt.name, status, answer)
		}
	}
}

func TestInvocationsThatAreNone(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, everyFunction, map[string]string{"SCOREFN_POISON": "drop"})
	for _, payload := range []string{``, `null`, `{}`, `[]`, `{"Data":null}`, `{"Data":{}}`, `{"Data":{"x":1,"y":2}}`, `{"Data":{"msg":"a"},"Metadata":5}`, `{"Data":{"msg":1}} x`, `{"Data":{"msg":`, `{"Data":{"msg":"\"x"}`} {
		if status, answer := invoke(t, h, "/queue", payload); status != 500 || !json.Valid([]byte(answer)) {
			t.Errorf("%s: got %d %s", payload, status, answer)
		}
	}
	if status, answer := invoke(t, h, "/tick", ``); status != 200 || answer != `{"Outputs":{},"Logs":["the model is loaded"],"ReturnValue":null}` {
		t.Errorf("a timer's value does not matter: got %d %s", status, answer)
	}
	// $return has the answer of a queue; names of another spelling are no functions, and nothing is redirected.
	if status, answer := invoke(t, h, "/queue", `{"Data":{"other":`+quoted(quoted(`{"data":1}`))+`}}`); status != 200 || answer != `{"Outputs":{},"Logs":[],"ReturnValue":"eyJpZCI6Imludi0xIiwicmVzdWx0IjoyfQ=="}` {
		t.Errorf("got %d %s", status, answer)
	}
	for _, path := range []string{"/queue/", "/Queue/x", "//queue", "/queue%2f", "/./queue"} {
		if status, answer := invoke(t, h, path, `{"Data":{"msg":"1"}}`); status != 404 {
			t.Errorf("%s: got %d %s", path, status, answer)
		}
	}
}

// Without the app's files the payload itself tells what it is.
func TestWithoutTheFilesOfTheApp(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil, nil)
	for _, tt := range []struct{ path, payload, want string }{
		{"/q", `{"Data":{"msg":` + quoted(quoted(`{"data":2}`)) + `},"Metadata":{}}`, `{"Outputs":{},"Logs":[],"ReturnValue":null}`},
		{"/any", request("POST", "/score", "", quoted(`{"data":2}`)), `"body":"4"}`},
		{"/score", `{"data":2}`, `4`},
		{"/api/score", `{"data":2}`, `4`},
		{"/", `{"data":2}`, `4`},
	} {
		if status, answer := invoke(t, h, tt.path, tt.payload); status != 200 || !strings.Contains(answer, tt.want) {
			t.Errorf("%s %s: got %d %s", tt.path, tt.payload, status, answer)
		}
	}
	for payload, want := range map[string]int{
		`{"Data":{"msg":` + quoted(quoted(`{"data":"broken"}`)) + `},"Metadata":{}}`: 500,
		`{"Metadata":{},"Data":{"msg":` + quoted(`[{"data":2},{"data":3}]`) + `}}`:   200,
	} {
		if status, answer := invoke(t, h, "/q", payload); status != want {
			t.Errorf("%s: got %d %s", payload, status, answer)
		}
	}
}

func TestAPayloadThatIsTooLarge(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{-1, 200} {
		if b, err := readAll(strings.NewReader(strings.Repeat("x", 200)), size, 100); err == nil {
			t.Errorf("%d bytes", len(b))
		}
	}
	for _, size := range []int64{-1, 5, 200} {
		if b, err := readAll(strings.NewReader(strings.Repeat("x", 200)), size, 200); err != nil || len(b) != 200 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}
}

// Whatever comes, an answer is what the host can read: an envelope with objects or exact bytes in it, or a failure.
func FuzzPayload(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	paths := []string{"/score", "/mixed", "/ret", "/queue", "/blob", "/grid", "/hub", "/docs", "/tick", "/none", "/api/score"}
	seeds := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var in struct {
			HostRequest struct{ Body json.RawMessage } `json:"host_request"`
		}
		if json.Unmarshal(b, &in) != nil || in.HostRequest.Body == nil {
			continue
		}
		seeds++
		for i := range paths {
			f.Add(uint8(i), []byte(in.HostRequest.Body))
		}
	}
	if seeds == 0 {
		f.Fatal("there are no samples")
	}
	f.Add(uint8(3), []byte(request("POST", "/score", "", `"{}"`)))
	h, _ := newTest(f, everyFunction, map[string]string{"SCOREFN_POISON": "drop", "SCOREFN_ACCESS_LOG": "false"})
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		q := httptest.NewRequestWithContext(t.Context(), "POST", paths[int(which)%len(paths)], strings.NewReader(string(payload)))
		q.Header.Set("X-Azure-Functions-InvocationId", "inv-1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		body, _ := io.ReadAll(w.Body) // memory
		if !json.Valid(body) {
			t.Fatalf("not JSON: %d %q", w.Code, body)
		}
		var in struct {
			Outputs     map[string]any
			Logs        []string
			ReturnValue any
		}
		if w.Code != 200 || !strings.HasPrefix(string(body), `{"Outputs"`) {
			return // a failure, or a request that was forwarded
		}
		if err := json.Unmarshal(body, &in); err != nil || in.Outputs == nil {
			t.Fatalf("no envelope: %v: %s", err, body)
		}
		in.Outputs["$return"] = in.ReturnValue
		for name, v := range in.Outputs {
			if text, ok := v.(string); ok {
				outputsOf(t, `{"Outputs":{"x":`+quoted(text)+`}}`) // base64, or it fails
				continue
			}
			if _, ok := v.(map[string]any); !ok && v != nil {
				t.Errorf("%s is %T", name, v)
			}
		}
	})
}
