package cloudfunctions

import (
	"strings"
	"testing"
)

// hostile are requests that no trigger sends, with their answers.
var hostile = []struct {
	name   string
	sent   sent
	status int
	want   string // in the answer
}{
	{"structured: no JSON", sent{header: inOne, body: `{"specversion":`}, 200, "not well-formed JSON"},
	{"structured: nothing", sent{header: inOne}, 200, "specversion"},
	{"structured: an array", sent{header: inOne, body: `[]`}, 200, "expected an object"},
	{"structured: no id", sent{header: inOne, body: `{"specversion":"1.0","source":"s","type":"t","data":{"data":1}}`}, 200, "has no id"},
	{"structured: empty id", sent{header: inOne, body: `{"specversion":"1.0","id":"","source":"s","type":"t"}`}, 200, "has no id"},
	{"structured: id is a number", sent{header: inOne, body: `{"specversion":"1.0","id":7,"source":"s","type":"t"}`}, 200, "no string"},
	{"structured: id twice", sent{header: inOne, body: `{"specversion":"1.0","id":"a","id":"b","source":"s","type":"t"}`}, 200, "there twice"},
	{"structured: another version", sent{header: inOne, body: `{"specversion":"2.0","id":"a","source":"s","type":"t"}`}, 200, "specversion"},
	{"structured: wrong base64", sent{header: inOne, body: structuredEvent("t", `"data_base64":"%%%"`)}, 200, "not base64"},
	{"structured: data twice", sent{header: inOne, body: structuredEvent("t", `"data":1,"data_base64":"MQ=="`)}, 200, "there twice"},
	{"structured: data cut off", sent{header: inOne, body: structuredEvent("t", `"data":{"data":[1`)}, 200, "dropped"},
	{"structured: deep", sent{header: inOne, body: structuredEvent("t", `"data":{"data":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`}`)}, 200, "dropped"},
	{"structured: not UTF-8", sent{header: inOne, body: structuredEvent("t", "\"data\":{\"data\":\"\xff\xfe\"}")}, 200, "dropped"},
	{"avro", sent{header: map[string]string{"Content-Type": "application/cloudevents+avro"}, body: "x"}, 200, "not understood"},
	{"batch: no array", sent{header: inABatch, body: `{}`}, 200, "expected an array"},
	{"batch: text behind it", sent{header: inABatch, body: `[] []`}, 200, "after the array"},
	{"batch: junk in it", sent{header: inABatch, body: `[1,null,"x",[[[]]],{}]`}, 200, "dropped"},
	{"batch: deep", sent{header: inABatch, body: strings.Repeat("[", 100_000)}, 200, "nested too deep"},
	{"binary: no id", sent{header: ce("t", "ce-id", ""), body: `{"data":1}`}, 200, "has no id"},
	{"binary: no source", sent{header: ce("t", "ce-source", ""), body: `{"data":1}`}, 200, "has no source"},
	{"binary: no type", sent{header: ce("t", "ce-type", ""), body: `{"data":1}`}, 200, "has no type"},
	{"binary: no version", sent{header: ce("t", "ce-specversion", ""), body: `{"data":1}`}, 200, "specversion"},
	{"binary: a space in the source", sent{header: ce("t", "ce-source", "a b"), body: `{"data":1}`}, 200, "no URI reference"},
	{"binary: no body", sent{header: ce("t")}, 200, "body is empty"},
	{"binary: packed", sent{header: ce("t", "Content-Encoding", "gzip"), body: "x"}, 200, "Content-Encoding"},
	{"binary: an id that leads out", sent{header: ce("t", "ce-id", "../../../etc/passwd\\..%2f"), body: `{"data":"x"}`}, 200, "dropped"},
	{"oversize event", sent{header: ce("t"), body: strings.Repeat(" ", 1<<20+1)}, 200, "SCOREFN_MAX_BODY"},
	{"oversize request", sent{header: jsonBody, body: strings.Repeat(" ", 1<<20+1)}, 413, "SCOREFN_MAX_BODY"},
	{"oversize push", sent{header: pubsubPush, body: `{"message":"` + strings.Repeat("x", 1<<20)}, 413, "SCOREFN_MAX_BODY"},
	{"finalized: no object", sent{header: ce(typeFinalized), body: `{"data":1}`}, 200, "names no object"},
	{"finalized: a slash in the bucket", sent{header: ce(typeFinalized), body: `{"bucket":"a/b","name":"c"}`}, 200, "names no object"},
	{"finalized: a generation that is none", sent{header: ce(typeFinalized), body: `{"bucket":"a","name":"b","generation":"1&x=2"}`}, 200, "whole number"},
	{"finalized: no JSON", sent{header: ce(typeFinalized), body: `junk`}, 200, "expected an object"},
	{"message: wrong base64", sent{header: ce(typeMessage), body: `{"message":{"data":"*","messageId":"1"}}`}, 200, "base64"},
	{"message: none", sent{header: ce(typeMessage), body: `{"subscription":"projects/p/subscriptions/s"}`}, 200, "no message"},
	{"message: a string", sent{header: ce(typeMessage), body: `{"message":"x"}`}, 200, "expected an object"},
	{"message: attributes of junk", sent{header: ce(typeMessage), body: `{"message":{"attributes":[1]}}`}, 200, "attributes"},
	{"push: wrong base64", sent{header: pubsubPush, body: `{"message":{"data":"*","messageId":"1"},"subscription":"projects/p/subscriptions/s"}`}, 200, "base64"},
	{"push: an envelope in an envelope", sent{header: pubsubPush, body: pushed("1", pushed("2", `{"data":1}`, ""), "")}, 200, "dropped"},
	{"audit log: junk", sent{header: ce(typeAudit), body: `{"protoPayload":7}`}, 200, "expected an object"},
	{"audit log: another resource", sent{header: ce(typeAudit), body: `{"protoPayload":{"serviceName":"storage.googleapis.com","methodName":"storage.objects.create","resourceName":"x"}}`}, 200, "resourceName"},
	{"scheduler: wrong base64", sent{header: ce(typeScheduler), body: `{"customData":"*"}`}, 200, "base64"},
	{"request: no JSON", sent{header: jsonBody, body: `{"data":`}, 400, "could not be decoded"},
	{"request: looks like a push, but is none", sent{header: jsonBody, body: `{"message":{"messageId":"1"},"subscription":"s"}`}, 400, "data"},
	{"request: nothing", sent{header: jsonBody}, 400, "empty"},
	{"request: odd method", sent{method: "BREW", body: "x"}, 405, "not allowed"},
	{"request: no such path", sent{path: "/nowhere", header: jsonBody, body: "{}"}, 404, "not found"},
	{"robots.txt", sent{method: "GET", path: "/robots.txt"}, 404, "no such file"},
	{"favicon.ico", sent{method: "GET", path: "/favicon.ico"}, 404, "no such file"},
}

func TestHostileRequestsLeaveTheProcessAlive(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		p := start(t, kind, "SCOREFN_MAX_BODY=1048576")
		t.Run("answers", func(t *testing.T) {
			for _, tt := range hostile {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					status, body, _ := call(t, p.url, tt.sent)
					if status != tt.status || !strings.Contains(body, tt.want) {
						t.Errorf("got %d %s", status, body)
					}
				})
			}
		})
		if status, body, _ := call(t, p.url, sent{header: jsonBody, body: `{"data":[]}`}); status != 200 || body != "[]" {
			t.Errorf("afterwards: got %d %s", status, body)
		}
		p.lines(t)
	})
}
