package cloudfunctions

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

const (
	typeFinalized = "google.cloud.storage.object.v1.finalized"
	typeAudit     = "google.cloud.audit.log.v1.written"
	typeScheduler = "google.cloud.scheduler.job.v1.executed"
	created       = `{"protoPayload":{"serviceName":"storage.googleapis.com","methodName":"storage.objects.create","resourceName":"projects/_/buckets/in/objects/day 1/a+b (é).json"%s}}`
)

// pushed is an envelope of Pub/Sub.
func pushed(id, data, attributes string) string {
	return `{"message":{"data":"` + b64(data) + `","messageId":"` + id + `","message_id":"` + id + `","publishTime":"2026-03-04T05:06:07Z","attributes":{` + attributes + `}},"subscription":"projects/p/subscriptions/s"}`
}

func structuredEvent(kind, rest string) string {
	return `{"specversion":"1.0","id":"id-1","source":"//source.example/a","type":"` + kind + `",` + rest + `}`
}

// events are one of each kind and form, with what becomes of them.
var events = []struct {
	name    string
	sent    sent
	status  status
	told    string // a part of the account: result, reason or error
	because string // kind of the error
}{
	{"plain, binary", sent{header: ce("com.example.request"), body: `{"data":21}`}, scored, "42", ""},
	{"plain, structured", sent{header: inOne, body: structuredEvent("com.example.request", `"data":{"data":21}`)}, scored, "42", ""},
	{"plain, with a charset", sent{header: with(inOne, "Content-Type", "application/cloudevents+json; charset=UTF-8"), body: structuredEvent("com.example.request", `"data":{"data":21}`)}, scored, "42", ""},
	{"plain, in base64", sent{header: inOne, body: structuredEvent("com.example.request", `"data_base64":"`+b64(`{"data":21}`)+`"`)}, scored, "42", ""},
	{"plain, as text", sent{header: inOne, body: structuredEvent("com.example.request", `"datacontenttype":"text/plain","data":"{\"data\":21}"`)}, scored, "42", ""},
	{"plain, in a batch", sent{header: inABatch, body: `[` + structuredEvent("com.example.request", `"data":{"data":21}`) + `]`}, scored, "42", ""},
	{"finalized, binary", sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"day 1/a+b (é).json","generation":"1587627537231057","size":"11"}`}, scored, "42", ""},
	{"finalized, numbers", sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"day 1/a+b (é).json","generation":96883251,"size":0}`}, scored, "42", ""},
	{"finalized, structured", sent{header: inOne, body: structuredEvent(typeFinalized, `"data":{"bucket":"in","name":"day 1/a+b (é).json"}`)}, scored, "42", ""},
	{"an object that is gone", sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"none.json"}`}, dropped, "was not found", "not found"},
	{"a folder", sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"new/","size":"0"}`}, skipped, "a folder", ""},
	{"a folder's notification", sent{header: pubsubPush, body: pushed("id-1", `{"size":"0"}`, `"eventType":"OBJECT_FINALIZE","bucketId":"in","objectId":"new/","payloadFormat":"JSON_API_V1"`)}, skipped, "a folder", ""},
	{"an object named like a folder", sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"none/","size":"11"}`}, dropped, "was not found", "not found"},
	{"deleted", sent{header: ce("google.cloud.storage.object.v1.deleted"), body: `{"bucket":"in","name":"a"}`}, skipped, "nothing is scored", ""},
	{"archived", sent{header: ce("google.cloud.storage.object.v1.archived"), body: `{"bucket":"in","name":"a"}`}, skipped, "nothing is scored", ""},
	{"metadata", sent{header: ce("google.cloud.storage.object.v1.metadataUpdated"), body: `{"bucket":"in","name":"a"}`}, skipped, "nothing is scored", ""},
	{"Pub/Sub by Eventarc", sent{header: ce(typeMessage), body: pushed("id-1", `{"data":21}`, "")}, scored, "42", ""},
	{"Pub/Sub, structured", sent{header: inOne, body: structuredEvent(typeMessage, `"data":`+pushed("id-1", `{"data":21}`, ""))}, scored, "42", ""},
	{"push", sent{header: pubsubPush, body: pushed("id-1", `{"data":21}`, "")}, scored, "42", ""},
	{"push in another order", sent{header: pubsubPush, body: " {\n  \"deliveryAttempt\": 5, \"subscription\": \"projects/p/subscriptions/s\", \"message\": {\"message_id\":\"id-1\",\"data\":\"" + b64(`{"data":21}`) + "\"}}"}, scored, "42", ""},
	{"push to a topic's path", sent{path: "/projects/p/topics/t", header: pubsubPush, body: pushed("id-1", `{"data":21}`, "")}, scored, "42", ""},
	{"push without an envelope", sent{header: map[string]string{pushMessageID: "id-1", pushSubscription: "projects/p/subscriptions/s"}, body: `{"data":21}`}, scored, "42", ""},
	{"push of CSV to a script without tensors", sent{header: pubsubPush, body: pushed("id-1", `21`, `"content-type":"text/csv"`)}, dropped, "dictionary", "invalid"},
	{"notification", sent{header: pubsubPush, body: pushed("id-1", `{"kind":"storage#object"}`, `"eventType":"OBJECT_FINALIZE","bucketId":"in","objectId":"day 1/a+b (é).json","objectGeneration":"1587627537231057","payloadFormat":"JSON_API_V1"`)}, scored, "42", ""},
	{"notification without a payload", sent{header: ce(typeMessage), body: `{"message":{"messageId":"1","attributes":{"eventType":"OBJECT_FINALIZE","bucketId":"in","objectId":"day 1/a+b (é).json","payloadFormat":"NONE"}}}`}, scored, "42", ""},
	{"notification of a deletion", sent{header: pubsubPush, body: pushed("id-1", `{}`, `"eventType":"OBJECT_DELETE","bucketId":"in","objectId":"a","payloadFormat":"NONE"`)}, skipped, "OBJECT_DELETE", ""},
	{"notification without an envelope", sent{header: map[string]string{pushMessageID: "id-1", pushSubscription: "projects/p/subscriptions/s", "eventType": "OBJECT_FINALIZE", "bucketId": "in", "objectId": "day 1/a+b (é).json", "payloadFormat": "NONE"}, body: `{"kind":"storage#object"}`}, scored, "42", ""},
	{"a message without data", sent{header: pubsubPush, body: pushed("id-1", "", `"a":"b"`)}, dropped, "The message has no data", "invalid"},
	{"audit log", sent{header: ce(typeAudit), body: fmt.Sprintf(created, "")}, scored, "42", ""},
	{"audit log of a failure", sent{header: ce(typeAudit), body: fmt.Sprintf(created, `,"status":{"code":7}`)}, skipped, "failed", ""},
	{"audit log of a success", sent{header: ce(typeAudit), body: fmt.Sprintf(created, `,"status":{}`)}, scored, "42", ""},
	{"another audit log", sent{header: ce(typeAudit), body: `{"protoPayload":{"serviceName":"pubsub.googleapis.com","methodName":"google.pubsub.v1.Publisher.CreateTopic","resourceName":"projects/p/topics/t"}}`}, dropped, "CreateTopic", "unsupported"},
	{"scheduler", sent{header: ce(typeScheduler), body: `{"customData":"` + b64(`{"data":21}`) + `"}`}, scored, "42", ""},
	{"Firestore", sent{header: ce("google.cloud.firestore.document.v1.written", "Content-Type", "application/protobuf"), body: "\n\x8d\x01\nT"}, dropped, "application/protobuf", "unsupported"},
	{"protobuf", sent{header: ce("com.example.request", "Content-Type", "application/x-protobuf"), body: "\n\x8d\x01\nT"}, dropped, "protobuf", "unsupported"},
	{"finalized, protobuf", sent{header: ce(typeFinalized, "Content-Type", "application/protobuf"), body: "\n\x8d\x01\nT"}, dropped, "--event-data-content-type", "unsupported"},
	{"another of Google's", sent{header: ce("google.cloud.workflows.workflow.v1.created"), body: `{}`}, dropped, "workflows", "unsupported"},
	{"a wrong request", sent{header: ce("com.example.request"), body: `{"data":"x"}`}, dropped, "cannot unmarshal", "invalid"},
	{"a wrong request at an odd time", sent{header: ce("com.example.request", "ce-time", "2026-03-04T05:06:07+24:00"), body: `{"data":"x"}`}, dropped, "cannot unmarshal", "invalid"},
	{"a wrong request before all time", sent{header: ce("com.example.request", "ce-time", "0000-01-01T00:00:00+23:00"), body: `{"data":"x"}`}, dropped, "cannot unmarshal", "invalid"},
	{"a refused request", sent{header: ce("com.example.request"), body: `{"data":"invalid"}`}, dropped, "data is not a number", "invalid"},
	{"a broken script", sent{header: ce("com.example.request"), body: `{"data":"broken"}`}, failed, "scoring script", "internal"},
	{"a panic", sent{header: ce("com.example.request"), body: `{"data":"panic"}`}, failed, "scoring script", "internal"},
	{"overload", sent{header: ce("com.example.request"), body: `{"data":"busy"}`}, failed, "come back later", "unavailable"},
	{"for a model that there is", sent{path: "/models/twice/versions/1/score", header: ce("com.example.request"), body: `{"data":21}`}, scored, "42", ""},
	{"for a model that there is not", sent{path: "/models/none/score", header: ce("com.example.request"), body: `{"data":21}`}, dropped, "none", "not found"},
	{"its own result", sent{header: ce(typeFinalized), body: `{"bucket":"out","name":"results/a.json"}`}, skipped, "own", ""},
	{"its own dead letter", sent{header: ce(typeFinalized), body: `{"bucket":"out","name":"dead/a.json"}`}, skipped, "own", ""},
}

// inputs puts the object that the events name.
func inputs(tb testing.TB, s blob.Store) {
	tb.Helper()
	if err := s.Put(tb.Context(), "gs://in/day 1/a+b (é).json", "application/json", []byte(`{"data":21}`)); err != nil {
		tb.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range events {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, store := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://out/dead"})
			h.env.output = "" // so that the answer tells the result
			if strings.Contains(tt.name, "its own") {
				h.env.output = "gs://out/results"
			}
			inputs(t, store)
			w := serve(t, h, tt.sent)
			list := accounts(t, w.Body.String())
			if len(list) != 1 {
				t.Fatalf("got %s", w.Body)
			}
			a := list[0]
			if told := string(a.Result) + a.Reason + a.Error; a.Status != tt.status || a.Kind != tt.because || !strings.Contains(told, tt.told) {
				t.Errorf("got %s", w.Body)
			}
			if again := w.Code >= 500; again != (tt.status == failed) || !again && w.Code != http.StatusOK {
				t.Errorf("got the status %d for %s", w.Code, tt.status)
			}
			if (w.Header().Get("Retry-After") != "") != (w.Code == http.StatusServiceUnavailable) {
				t.Errorf("status %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
			}
			if w.Header().Get("X-Request-Id") == "" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", w.Header())
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("the answer tells what is for the log: %s", w.Body)
			}
			if (a.DeadLetter != "") != (tt.status == dropped) {
				t.Errorf("dead letter %q of an event that was %s", a.DeadLetter, a.Status)
			}
		})
	}
}

// Inputs and results may share a bucket. Only the results are passed over.
func TestResultsInTheBucketOfTheInputs(t *testing.T) {
	t.Parallel()
	h, store := newTest(t, map[string]string{"SCOREFN_OUTPUT": "gs://in", "SCOREFN_DEAD_LETTER": "gs://dead"})
	inputs(t, store)
	finalized := func(name string) account {
		w := serve(t, h, sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"` + name + `"}`})
		return accounts(t, w.Body.String())[0]
	}
	a := finalized("day 1/a+b (é).json")
	name, ok := strings.CutPrefix(a.Stored, "gs://in/")
	if a.Status != scored || !ok {
		t.Fatalf("got %+v", a)
	}
	if a := finalized(name); a.Status != skipped || !strings.Contains(a.Reason, "own") {
		t.Errorf("its result: got %+v", a)
	}
}

func TestEventsAreRequestsWhereTheyAreSwitchedOff(t *testing.T) {
	t.Parallel()
	h, store := newTest(t, map[string]string{"SCOREFN_EVENTS": "false"})
	inputs(t, store)
	for _, tt := range events {
		w := serve(t, h, tt.sent)
		if strings.Contains(w.Body.String(), `"results"`) {
			t.Errorf("%s: got %d %s", tt.name, w.Code, w.Body)
		}
	}
}

func TestScriptSeesTheEvent(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil)
	for _, tt := range []struct {
		sent sent
		want string
	}{
		{
			sent{header: ce("com.example.request", "ce-subject", "a%20%22b%22", "ce-id", `"quoted"`), body: `{"data":"event"}`},
			`"true|quoted|//source.example/a|com.example.request|a \"b\"|2026-03-04 05:06:07.123 +0000 UTC|map[]"`,
		},
		{
			sent{path: "/projects/p/topics/t", header: pubsubPush, body: pushed("m 1", `{"data":"event"}`, `"a":"b"`)},
			`"true|m 1|//pubsub.googleapis.com/projects/p/topics/t|` + typeMessage + `||2026-03-04 05:06:07 +0000 UTC|map[a:b]"`,
		},
		{sent{header: jsonBody, body: `{"data":"event"}`}, `"false|||||0001-01-01 00:00:00 +0000 UTC|map[]"`},
	} {
		if got := serve(t, h, tt.sent).Body.String(); !strings.Contains(got, tt.want) {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestBatchIsAnsweredByItsWorst(t *testing.T) {
	t.Parallel()
	event := func(id, data string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"s","type":"t","data":{"data":` + data + `}}`
	}
	for _, tt := range []struct {
		name, body string
		code       int
		want       string
	}{
		{"all good", `[` + event("a", "1") + `,` + event("b", "2") + `]`, 200, "a=scored b=scored"},
		{"none", ` [ ] `, 200, ""},
		{"one that is wrong", `[` + event("a", "1") + `,` + event("b", `"invalid"`) + `, {"specversion":"1.0"} , 7]`, 200, "a=scored b=dropped =dropped =dropped"},
		{"one that may pass", `[` + event("a", `"busy"`) + `,` + event("b", `"invalid"`) + `,` + event("c", "1") + `]`, 503, "a=failed b=dropped c=scored"},
		{"two that may pass", `[` + event("a", `"broken"`) + `,` + event("b", `"busy"`) + `]`, 503, "a=failed b=failed"},
		{"no array", `{}`, 200, "=dropped"},
		{"cut off", `[` + event("a", "1"), 200, "=dropped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, _ := newTest(t, nil)
			w := serve(t, h, sent{header: inABatch, body: tt.body})
			var got []string
			for _, a := range accounts(t, w.Body.String()) {
				got = append(got, a.ID+"="+string(a.Status))
			}
			if w.Code != tt.code || strings.Join(got, " ") != tt.want {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
	many := "[" + strings.TrimSuffix(strings.Repeat("1,", mostEvents+1), ",") + "]"
	h, _ := newTest(t, nil)
	if w := serve(t, h, sent{header: inABatch, body: many}); w.Code != 200 || len(accounts(t, w.Body.String())) != 1 {
		t.Errorf("a batch of too many: got %d %.200s", w.Code, w.Body)
	}
}

func TestResultsOfEventsAreToldWithinBounds(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil)
	for data, want := range map[string]string{`"medium"`: `"omitted":true`, `1`: `"result":2`} {
		w := serve(t, h, sent{header: ce("t"), body: `{"data":` + data + `}`})
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %.200s", data, w.Code, w.Body)
		}
	}
	if w := serve(t, h, sent{header: ce("t", "Content-Type", "application/x-ndjson"), body: "{\"data\":1}\n{\"data\":2}\n"}); !strings.Contains(w.Body.String(), `"result_base64":"`+b64("2\n4\n")+`"`) {
		t.Errorf("lines: got %d %s", w.Code, w.Body)
	}
}

func TestResultsAreNamedAfterSourceAndID(t *testing.T) {
	t.Parallel()
	h, store := newTest(t, map[string]string{"SCOREFN_OUTPUT": "gs://out/results"})
	inputs(t, store)
	names := map[string]bool{}
	for _, header := range []map[string]string{
		ce("t"), ce("t", "ce-id", "id-2"), ce("t", "ce-source", "other"), ce("t", "ce-source", "//source.example/a%23id", "ce-id", "1"),
		ce("t", "ce-id", strings.Repeat("x", 2000)), ce("t", "ce-id", strings.Repeat("x", 2001)), ce("t", "ce-id", "../../x"),
	} {
		for range 2 { // the second is another delivery
			a := accounts(t, serve(t, h, sent{header: header, body: `{"data":21}`}).Body.String())[0]
			names[a.Stored] = true
			if _, body, err := blob.Read(t.Context(), store, a.Stored, 100); err != nil || string(body) != "42" || a.Result != nil {
				t.Errorf("got %+v: %s %v", a, body, err)
			}
		}
	}
	if len(names) != 7 {
		t.Errorf("7 events have %d results: %v", len(names), names)
	}
	a := accounts(t, serve(t, h, events[6].sent).Body.String())[0]
	if !strings.HasPrefix(a.Stored, "gs://out/results/in/day~201/a~2Bb~20~28~C3~A9~29.json@") {
		t.Errorf("an object's result is %s", a.Stored)
	}
}
