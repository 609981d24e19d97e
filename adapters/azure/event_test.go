package azure

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

// outputsOf are the outputs of an answer, with base64 taken off, which the host does.
func outputsOf(t *testing.T, body string) map[string]string {
	t.Helper()
	var in struct{ Outputs map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	out := map[string]string{}
	for name, v := range in.Outputs {
		out[name] = string(v)
		var text string
		if json.Unmarshal(v, &text) == nil {
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Errorf("%s is a bare string: %s", name, v)
			}
			out[name] = string(b)
		}
	}
	return out
}

// The outcomes of one message and of several, where the source delivers a failed one again and where it does not.
func TestVerdict(t *testing.T) {
	t.Parallel()
	const bus, hub = `{"type":"serviceBusTrigger","direction":"in","name":"msg","cardinality":"many"}`, `{"type":"eventHubTrigger","direction":"in","name":"msg","cardinality":"many"}`
	const queue = `{"type":"queueTrigger","direction":"in","name":"msg"}`
	files := map[string]string{
		"bus/function.json":   functionJSON(bus, "serviceBus"),
		"hub/function.json":   functionJSON(hub, "eventHub"),
		"retry/function.json": strings.Replace(functionJSON(hub, "eventHub"), `{"bindings"`, `{"retry":{"strategy":"fixedDelay","maxRetryCount":3},"bindings"`, 1),
		"queue/function.json": functionJSON(queue, "queue"),
		"apart/function.json": functionJSON(bus, "serviceBus", "queue:error"),
	}
	const good, invalid, broken = `{"data":1}`, `{"data":"x"}`, `{"data":"broken"}`
	const goodAnswer = `{"id":"inv-1-0","result":2}`
	const invalidAnswer = `"error":{"kind":"invalid","message":"json: cannot unmarshal string into Go value of type float64"}}`
	const brokenAnswer = `"error":{"kind":"internal","message":"An unexpected error occurred in scoring script. Check the logs for more info."}}`
	many := func(bodies ...string) string { return quoted("[" + strings.Join(bodies, ",") + "]") }
	const lastTry = `"RetryContext":{"RetryCount":3,"MaxRetryCount":3,"Exception":null,"Instance":null}`
	for _, tt := range []struct {
		name, fn, value, metadata string
		policy                    string
		status                    int
		result, errors            string
	}{
		{"good", "queue", quoted(quoted(good)), ``, "fail", 200, `{"id":"inv-1","result":2}`, ""},
		{"never, fail", "queue", quoted(quoted(invalid)), ``, "fail", 500, "", ""},
		{"never, drop", "queue", quoted(quoted(invalid)), ``, "drop", 200, `{"id":"inv-1",` + invalidAnswer, ""},
		{"may pass", "queue", quoted(quoted(broken)), ``, "drop", 500, "", ""},
		{"all good", "bus", many(good), ``, "fail", 200, `{"results":[` + goodAnswer + `]}`, ""},
		{"none", "bus", many(), ``, "fail", 200, ``, ""},
		{"one never: the others count", "bus", many(good, invalid), ``, "fail", 200, `{"results":[` + goodAnswer + `,{"id":"inv-1-1",` + invalidAnswer + `]}`, ""},
		{"all never, fail", "bus", many(invalid, invalid), ``, "fail", 500, "", ""},
		{"all never, drop", "bus", many(invalid), ``, "drop", 200, `{"results":[{"id":"inv-1-0",` + invalidAnswer + `]}`, ""},
		{"one may pass and comes again", "bus", many(good, broken), ``, "drop", 500, "", ""},
		{"one may pass and does not come again", "hub", many(good, broken), ``, "fail", 200, `{"results":[` + goodAnswer + `,{"id":"inv-1-1",` + brokenAnswer + `]}`, ""},
		{"all may pass and do not come again", "hub", many(broken), ``, "fail", 500, "", ""},
		{"one may pass and comes again by policy", "retry", many(good, broken), ``, "fail", 500, "", ""},
		{"until the last try", "retry", many(good, broken), lastTry, "fail", 200, `{"results":[` + goodAnswer + `,{"id":"inv-1-1",` + brokenAnswer + `]}`, ""},
		{"errors apart", "apart", many(good, invalid), ``, "fail", 200, `{"results":[` + goodAnswer + `]}`, `{"results":[{"id":"inv-1-1",` + invalidAnswer + `]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newTest(t, files, map[string]string{"SCOREFN_POISON": tt.policy})
			status, body := invoke(t, h, "/"+tt.fn, `{"Data":{"msg":`+tt.value+`},"Metadata":{`+tt.metadata+`}}`)
			if status != tt.status {
				t.Fatalf("got %d %s", status, body)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("got %s", body)
			}
			if status != 200 {
				return
			}
			out := outputsOf(t, body)
			if out["result"] != tt.result || out["error"] != tt.errors {
				t.Errorf("got %v", out)
			}
		})
	}
}

// What a message is called: by its source, and uniquely for its result.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, trigger, body, metadata string
		many                          bool
		i                             int
		id, key                       string
	}{
		{"queue", "queueTrigger", `{}`, `{"Id":"\"m1\""}`, false, 0, "m1", "f.m1"},
		{"id of the message itself", "queueTrigger", `{"iD":"m1"}`, `{"Id":"\"m1\""}`, false, 0, "m1", "f.m1-" + hashOf([]byte(`{"iD":"m1"}`))},
		{"no name", "queueTrigger", `1`, `{}`, false, 0, "inv", "f." + hashOf([]byte(`1`))},
		{"service bus", "serviceBusTrigger", `{}`, `{"MessageId":"\"a\"","SequenceNumber":"7"}`, false, 0, "a", "f.a-7"},
		{"service bus without a number", "serviceBusTrigger", `{}`, `{"MessageId":"\"a\""}`, false, 0, "a", "f.a-" + hashOf([]byte(`{}`))},
		{"many of service bus", "serviceBusTrigger", `{}`, `{"MessageIdArray":"[\"a\",\"b\"]","SequenceNumberArray":"[7,8]"}`, true, 1, "b", "f.b-8"},
		{"event hub", "eventHubTrigger", `{}`, `{"SequenceNumber":"12","PartitionContext":{"PartitionId":"3"}}`, false, 0, "3-12", "f.3-12"},
		{"many of an event hub", "eventHubTrigger", `{}`, `{"SequenceNumberArray":"[12,13]","PartitionContext":{"PartitionId":"3"}}`, true, 1, "3-13", "f.3-13"},
		{"too few", "eventHubTrigger", `{}`, `{"SequenceNumberArray":"[12]"}`, true, 1, "inv-1", "f." + hashOf([]byte(`{}`))},
		{"cosmos", "cosmosDBTrigger", `{"id":"d","_ts":1}`, `{}`, true, 0, "d", "f.d-" + hashOf([]byte(`{"id":"d","_ts":1}`))},
	} {
		c := &call{Invocation: &Invocation{Function: "f", ID: "inv", Trigger: tt.trigger}}
		n := identify(c, &payload{metadata: raw(tt.metadata)}, []byte(tt.body), tt.i, tt.many)
		if n.id != tt.id || n.key != tt.key {
			t.Errorf("%s: got %q %q, want %q %q", tt.name, n.id, n.key, tt.id, tt.key)
		}
	}
}

const blobURL = "https://a.blob.core.windows.net/incoming/a.json"

func TestEventGrid(t *testing.T) {
	t.Parallel()
	created := func(url, more string) string {
		return `{"eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-11-22T20:35:39Z","id":"e1","data":{"url":` + quoted(url) + more + `}}`
	}
	cloud := func(data string) string {
		return `{"specversion":"1.0","type":"t","source":"/s","id":"c1",` + data + `}`
	}
	files := map[string]string{
		"one/function.json":   functionJSON(`{"type":"eventGridTrigger","direction":"in","name":"event"}`, "queue"),
		"many/function.json":  functionJSON(`{"type":"eventGridTrigger","direction":"in","name":"event","cardinality":"many"}`, "queue"),
		"queue/function.json": functionJSON(`{"type":"queueTrigger","direction":"in","name":"event"}`, "queue"),
	}
	for _, tt := range []struct {
		name, fn, value string
		status          int
		want            string
	}{
		{"blob created", "one", created(blobURL, `,"api":"PutBlob","eTag":"0x8D","contentType":"application/octet-stream"`), 200, `{"id":"e1","result":42}`},
		{"gone", "one", created("https://a.blob.core.windows.net/incoming/none.json", ""), 500, ""},
		{"busy", "one", created("https://a.blob.core.windows.net/incoming/busy.json", ""), 500, ""},
		{"no url", "one", `{"eventType":"Microsoft.Storage.BlobCreated","eventTime":"x","id":"e1","data":{}}`, 500, ""},
		{"a file that is still empty", "one", created(blobURL, `,"api":"CreateFile"`), 200, ""},
		{"blob deleted", "one", strings.Replace(created(blobURL, ""), "BlobCreated", "BlobDeleted", 1), 200, ""},
		{"a custom event", "one", `{"eventType":"score","eventTime":"x","id":"e1","data":{"data":4}}`, 200, `{"id":"e1","result":8}`},
		{"a cloud event", "one", cloud(`"data":{"data":4}`), 200, `{"id":"c1","result":8}`},
		{"a number", "one", cloud(`"data":4`), 200, `{"id":"c1","result":8}`},
		{"text that is JSON", "one", cloud(`"data":"{\"data\":4}"`), 200, `{"id":"c1","result":8}`},
		{"base64", "one", cloud(`"data_base64":"eyJkYXRhIjo0fQ=="`), 200, `{"id":"c1","result":8}`},
		{"no base64", "one", cloud(`"data_base64":"%"`), 500, ""},
		{"no data", "one", cloud(`"subject":"x"`), 500, ""},
		{"no event", "one", `{"x":1}`, 500, ""},
		{"cloud event of a blob", "one", `{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","source":"/s","id":"c1","data":{"url":"` + blobURL + `"}}`, 200, `{"id":"c1","result":42}`},
		{"many", "many", quoted("[" + created(blobURL, "") + "," + cloud(`"data":{"data":4}`) + "," + created(blobURL, `,"api":"CreateFile"`) + "]"), 200, `{"results":[{"id":"e1","result":42},{"id":"c1","result":8}]}`},
		{"in a queue", "queue", quoted(quoted(created(blobURL, ""))), 200, `{"id":"inv-1","result":42}`},
		{"several in a queue's message", "queue", quoted(quoted("[" + created(blobURL, "") + "," + created(blobURL, "") + "]")), 200, `{"results":[{"id":"inv-1-0","result":42},{"id":"inv-1-1","result":42}]}`},
		{"a request with such names in its data", "queue", quoted(quoted(`{"data":4,"type":"t","source":"s"}`)), 200, `{"id":"inv-1","result":8}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, store := newTest(t, files, nil)
			if err := store.Put(t.Context(), blobURL, "", []byte(`{"data":21}`)); err != nil {
				t.Fatal(err)
			}
			status, body := invoke(t, h, "/"+tt.fn, `{"Data":{"event":`+tt.value+`},"Metadata":{}}`)
			if status != tt.status {
				t.Fatalf("got %d %s", status, body)
			}
			if status == 200 && outputsOf(t, body)["result"] != tt.want {
				t.Errorf("got %v", outputsOf(t, body))
			}
		})
	}
}

// Answers are stored under a name of the message's or of the blob's own; a redelivery finds them.
func TestAnswersAreStored(t *testing.T) {
	t.Parallel()
	const sink = "https://a.blob.core.windows.net/scored/day"
	files := map[string]string{
		"queue/function.json": functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"}`, "queue"),
		"blob/function.json":  functionJSON(`{"type":"blobTrigger","direction":"in","name":"msg","path":"incoming/{name}"}`, "blob"),
	}
	h, store := newTest(t, files, map[string]string{"SCOREFN_OUTPUT": sink})
	lines := base64.StdEncoding.EncodeToString([]byte("{\"data\":1}\n{\"data\":2}\n"))
	version := hashOf([]byte("{\"data\":1}\n{\"data\":2}\n"))
	for range 2 {
		status, body := invoke(t, h, "/queue", `{"Data":{"msg":`+quoted(quoted(`{"data":1}`))+`},"Metadata":{"Id":"\"m/1\""}}`)
		if want := `{"id":"m/1","output":"` + sink + `/queue.m~2F1.json"}`; status != 200 || outputsOf(t, body)["result"] != want {
			t.Errorf("got %d %v, want %s", status, outputsOf(t, body), want)
		}
		status, body = invoke(t, h, "/blob", `{"Data":{"msg":"`+lines+`"},"Metadata":{"Uri":"\"https://a.blob.core.windows.net/incoming/a.jsonl\"","Properties":{}}}`)
		if want := `"output":"` + sink + `/a.blob.core.windows.net/incoming/a.jsonl@` + version + `.jsonl"`; status != 200 || !strings.Contains(outputsOf(t, body)["result"], want) {
			t.Errorf("got %d %v, want %s", status, outputsOf(t, body), want)
		}
	}
	_, got, err := blob.Read(t.Context(), store, sink+"/a.blob.core.windows.net/incoming/a.jsonl@"+version+".jsonl", 100)
	if err != nil || string(got) != "2\n4\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"blob/function.json":  functionJSON(`{"type":"blobTrigger","direction":"in","name":"msg","path":"incoming/{name}"}`, "blob", "serviceBus:note"),
		"input/function.json": functionJSON(`{"type":"eventGridTrigger","direction":"in","name":"event"},{"type":"blob","direction":"in","name":"file","path":"{data.url}","dataType":"binary"}`, "queue"),
		"text/function.json":  functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"},{"type":"blob","direction":"in","name":"file","path":"in/{queueTrigger}"}`, "queue"),
	}
	h, _ := newTest(t, files, nil)
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	uri := `"Metadata":{"Uri":"\"` + blobURL + `\"","Properties":{"ContentType":"application/json"}}}`
	for _, tt := range []struct{ name, path, payload, output, want string }{
		{"a blob", "/blob", `{"Data":{"msg":"` + b64(`{"data":21}`) + `"},` + uri, "result", `{"id":"` + blobURL + `","result":42}`},
		{"to a bus", "/blob", `{"Data":{"msg":"` + b64(`{"data":21}`) + `"},` + uri, "note", `{"id":"` + blobURL + `","result":42}`},
		{"lines stay lines", "/blob", `{"Data":{"msg":"` + b64("{\"data\":1}\n{\"data\":\"x\"}") + `"},` + strings.ReplaceAll(uri, "application/json", "application/x-ndjson"), "result", "2\n{\"error\": \"json: cannot unmarshal string into Go value of type float64\"}\n"},
		{"lines for a bus", "/blob", `{"Data":{"msg":"` + b64("{\"data\":1}\n{\"data\":2}") + `"},` + strings.ReplaceAll(uri, "application/json", "application/x-ndjson"), "note", `{"id":"` + blobURL + `","results":[2,4]}`},
		{"an input binding in bytes", "/input", `{"Data":{"event":{},"file":"` + b64(`{"data":21}`) + `"},"Metadata":{"data":{"url":"` + blobURL + `"}}}`, "result", `{"id":"` + blobURL + `","result":42}`},
		{"an input binding as text", "/text", `{"Data":{"msg":` + quoted(quoted("a.json")) + `,"file":` + quoted(quoted(`{"data":21}`)) + `},"Metadata":{"Id":"\"m1\""}}`, "result", `{"id":"m1","result":42}`},
	} {
		status, body := invoke(t, h, tt.path, tt.payload)
		if status != 200 || !strings.HasSuffix(outputsOf(t, body)[tt.output], tt.want) {
			t.Errorf("%s: got %d %q", tt.name, status, outputsOf(t, body)[tt.output])
		}
	}
	for _, payload := range []string{`{"Data":{"msg":"%%"},` + uri, `{"Data":{"msg":""},` + uri} {
		if status, body := invoke(t, h, "/blob", payload); status != 500 {
			t.Errorf("%s: got %d %s", payload, status, body)
		}
	}
	for _, none := range []string{`null`, `"null"`} {
		status, body := invoke(t, h, "/text", `{"Data":{"msg":"\"b.json\"","file":`+none+`},"Metadata":{}}`)
		if status != 500 || !strings.Contains(body, `the blob of the input binding \"file\" is not there`) {
			t.Errorf("no blob, %s: got %d %s", none, status, body)
		}
	}
}

func TestAnAnswerThatAQueueCannotTake(t *testing.T) {
	t.Parallel()
	files := map[string]string{"q/function.json": functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"}`, "queue")}
	payload := `{"Data":{"msg":` + quoted(quoted(`{"data":"large"}`)) + `},"Metadata":{}}`
	h, _ := newTest(t, files, nil)
	if status, body := invoke(t, h, "/q", payload); status != 500 || !strings.Contains(body, "SCOREFN_OUTPUT") {
		t.Errorf("fail: got %d %s", status, body)
	}
	h, _ = newTest(t, files, map[string]string{"SCOREFN_POISON": "drop"})
	if status, body := invoke(t, h, "/q", payload); status != 200 || !strings.Contains(body, `{"Outputs":{},"Logs":["The answer has`) {
		t.Errorf("drop: got %d %s", status, body)
	}
	files["host.json"] = `{"extensions":{"queues":{"messageEncoding":"none"}}}`
	h, _ = newTest(t, files, nil)
	if status, _ := invoke(t, h, "/q", payload); status != 200 {
		t.Errorf("without base64: got %d", status)
	}
	h, _ = newTest(t, map[string]string{"q/function.json": files["q/function.json"]}, map[string]string{"SCOREFN_OUTPUT": "https://a.blob.core.windows.net/scored/x"})
	if status, body := invoke(t, h, "/q", payload); status != 200 {
		t.Errorf("stored: got %d %s", status, body)
	}
}

func TestAScriptSeesItsInvocation(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, map[string]string{
		"host.json":       `{"customHandler":{"enableForwardingHttpRequest":true}}`,
		"q/function.json": functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"}`, "queue"),
		"s/function.json": functionJSON(`{"type":"httpTrigger","direction":"in","name":"req","route":"score"}`, "http:res"),

		"mixed/function.json": functionJSON(`{"type":"httpTrigger","direction":"in","name":"req"}`, "http:res", "queue"),
	}, nil)
	_, body := invoke(t, h, "/q", `{"Data":{"msg":`+quoted(quoted(`{"data":"who"}`))+`},"Metadata":{"DequeueCount":"1"}}`)
	if got, want := outputsOf(t, body)["result"], `{"id":"inv-1","result":["q","inv-1","queueTrigger","{\"DequeueCount\":\"1\"}",true,"00-trace-01"]}`; got != want {
		t.Errorf("got %s", got)
	}
	if _, body := invoke(t, h, "/api/score", `{"data":"who"}`); body != `["s","inv-1","httpTrigger","",true,"00-trace-01"]` {
		t.Errorf("got %s", body)
	}
	for path, payload := range map[string]string{
		"/mixed":     request("POST", "/mixed?code=secret", `"X-Functions-Key":["secret"],"X-A":["1"]`, quoted(`{"data":"headers"}`)),
		"/api/score": `{"data":"headers"}`,
	} {
		q := httptest.NewRequestWithContext(t.Context(), "POST", path+"?code=secret", strings.NewReader(payload))
		q.Header.Set("X-Functions-Key", "secret")
		q.Header.Set("X-A", "1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		if body := w.Body.String(); w.Code != 200 || strings.Contains(body, "secret") || !strings.Contains(body, "X-A") {
			t.Errorf("%s: got %d %s", path, w.Code, body)
		}
	}
	if _, ok := InvocationFrom(t.Context()); ok {
		t.Error("there is an invocation where there is none")
	}
}
