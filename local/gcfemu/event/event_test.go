package event_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/gcfemu/event"
)

// fixed are options whose events are the same every time.
func fixed(o event.Options) event.Options {
	n := 41
	o.NewID = func() string { n++; return fmt.Sprint(n) }
	o.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC) }
	return o
}

func find(t *testing.T, name string) event.Source {
	t.Helper()
	for _, s := range event.Sources() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no source %s", name)
	return event.Source{}
}

// want compares the headers, as NAME: VALUE lines, and the body.
func want(t *testing.T, m event.Message, body string, headers ...string) {
	t.Helper()
	if got := string(m.Body); got != body {
		t.Errorf("body\n got %s\nwant %s", got, body)
	}
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		if got := m.Header.Get(name); got != v {
			t.Errorf("header %s\n got %q\nwant %q", name, got, v)
		}
	}
	if len(m.Header) != len(headers) {
		t.Errorf("%d headers, want %d: %v", len(m.Header), len(headers), m.Header)
	}
}

const finalized = `{"bucket":"b","contentType":"application/json","crc32c":"AAAAAA==","etag":"CAE=","generation":"7","id":"b/a ü%.json/7","kind":"storage#object",` +
	`"md5Hash":"1B2M2Y8AsgTpgAmY7PhCfg==","metageneration":"1","name":"a ü%.json","size":"1024","storageClass":"STANDARD",` +
	`"timeCreated":"2026-01-02T03:04:05.006Z","timeStorageClassUpdated":"2026-01-02T03:04:05.006Z","updated":"2026-01-02T03:04:05.006Z"}`

func TestForms(t *testing.T) {
	t.Parallel()
	const at = "2026-01-02T03:04:05.006Z"
	object := event.Options{Bucket: "b", Objects: []string{"a ü%.json"}, Generation: 7}
	body := event.Options{Bodies: [][]byte{[]byte(`{"data":"<&>"}`)}}
	const published = `{"message":{"data":"eyJkYXRhIjoiPCY+In0=","messageId":"42","message_id":"42","publishTime":"` + at + `","publish_time":"` + at + `"},` +
		`"subscription":"projects/local/subscriptions/requests"}`
	for _, c := range []struct {
		source, form string
		o            event.Options
		body         string
		headers      []string
	}{
		{"gcs", "", object, finalized, []string{
			"Ce-Id: 42", "Ce-Specversion: 1.0", "Ce-Source: //storage.googleapis.com/projects/_/buckets/b", "Ce-Bucket: b", "Ce-Time: " + at,
			"Ce-Type: google.cloud.storage.object.v1.finalized", "Ce-Subject: objects/a%20%C3%BC%25.json", "Content-Type: application/json; charset=utf-8",
		}},
		{"pubsub", event.Binary, body, published, []string{
			"Ce-Id: 42", "Ce-Specversion: 1.0", "Ce-Source: //pubsub.googleapis.com/projects/local/topics/requests", "Ce-Time: " + at,
			"Ce-Type: google.cloud.pubsub.topic.v1.messagePublished", "Content-Type: application/json; charset=utf-8",
		}},
		{
			"pubsub", event.Structured, body,
			`{"data":` + published + `,"datacontenttype":"application/json; charset=utf-8","id":"42","source":"//pubsub.googleapis.com/projects/local/topics/requests",` +
				`"specversion":"1.0","time":"` + at + `","type":"google.cloud.pubsub.topic.v1.messagePublished"}`,
			[]string{"Content-Type: application/cloudevents+json; charset=utf-8"},
		},
		{"pubsub", event.Push, body, published, []string{"Content-Type: application/json"}},
		{"pubsub", event.Unwrapped, body, `{"data":"<&>"}`, []string{
			"Content-Type: application/json", "X-Goog-Pubsub-Message-Id: 42", "X-Goog-Pubsub-Publish-Time: " + at,
			"X-Goog-Pubsub-Subscription-Name: projects/local/subscriptions/requests",
		}},
		{"gcs", event.Unwrapped, object, finalized, []string{
			"Content-Type: application/json", "X-Goog-Pubsub-Message-Id: 42", "X-Goog-Pubsub-Publish-Time: " + at,
			"X-Goog-Pubsub-Subscription-Name: projects/local/subscriptions/requests", "Eventtype: OBJECT_FINALIZE", "Payloadformat: JSON_API_V1",
			"Bucketid: b", "Objectid: a ü%.json", "Objectgeneration: 7", "Eventtime: " + at, "Notificationconfig: projects/_/buckets/b/notificationConfigs/1",
		}},
		{
			"scheduler", event.Structured, body,
			`{"data":{"customData":"eyJkYXRhIjoiPCY+In0="},"datacontenttype":"application/json; charset=utf-8","id":"42",` +
				`"source":"//cloudscheduler.googleapis.com/projects/local/locations/us-central1/jobs/score",` +
				`"specversion":"1.0","time":"` + at + `","type":"google.cloud.scheduler.job.v1.executed"}`,
			[]string{"Content-Type: application/cloudevents+json; charset=utf-8"},
		},
	} {
		t.Run(c.source+" "+c.form, func(t *testing.T) {
			t.Parallel()
			o := fixed(c.o)
			o.Form = c.form
			all, err := find(t, c.source).Make(o)
			if err != nil || len(all) != 1 {
				t.Fatalf("%d, %v", len(all), err)
			}
			want(t, all[0], c.body, c.headers...)
		})
	}
}

func TestABatchIsOneMessageOfAllEvents(t *testing.T) {
	t.Parallel()
	o := fixed(event.Options{Bodies: [][]byte{[]byte("1"), []byte("2")}, Form: event.Batch})
	all, err := find(t, "pubsub").Make(o)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d, %v", len(all), err)
	}
	var batch []struct {
		ID   string
		Data struct{ Message struct{ Data []byte } }
	}
	if err := json.Unmarshal(all[0].Body, &batch); err != nil || len(batch) != 2 {
		t.Fatalf("%v %s", err, all[0].Body)
	}
	if a, b := batch[0], batch[1]; a.ID == b.ID || string(a.Data.Message.Data)+string(b.Data.Message.Data) != "12" {
		t.Errorf("%+v", batch)
	}
	if all, err = find(t, "pubsub").Make(fixed(event.Options{Bodies: o.Bodies})); err != nil || len(all) != 2 {
		t.Errorf("binary: %d, %v", len(all), err)
	}
}

func TestAnAuditLogNamesTheObject(t *testing.T) {
	t.Parallel()
	all, err := find(t, "auditlog").Make(fixed(event.Options{Objects: []string{"o/1"}}))
	if err != nil {
		t.Fatal(err)
	}
	var entry struct {
		ProtoPayload struct{ ServiceName, MethodName, ResourceName string }
	}
	if err := json.Unmarshal(all[0].Body, &entry); err != nil {
		t.Fatal(err)
	}
	p := entry.ProtoPayload
	if got := p.ServiceName + " " + p.MethodName + " " + p.ResourceName; got != "storage.googleapis.com storage.objects.create projects/_/buckets/input/objects/o/1" {
		t.Error(got)
	}
	if got := all[0].Header.Get("Ce-Subject"); got != p.ServiceName+"/"+p.ResourceName {
		t.Error(got)
	}
}

// The bytes were written down from protobuf's encoding, by hand: DocumentEventData{value: Document{name, fields{"data": "x"}}}.
func TestADocumentIsProtobuf(t *testing.T) {
	t.Parallel()
	const name = "projects/local/databases/(default)/documents/requests/1"
	wantBytes := "\x0aG" + "\x0a\x37" + name + "\x12\x0c" + "\x0a\x04data" + "\x12\x04" + "\x8a\x01\x01x"
	for _, form := range []string{event.Binary, event.Structured} {
		all, err := find(t, "firestore").Make(fixed(event.Options{Bodies: [][]byte{[]byte("x")}, Form: form}))
		if err != nil {
			t.Fatal(err)
		}
		got := all[0].Body
		if form == event.Structured {
			_, rest, _ := bytes.Cut(got, []byte(`"data_base64":"`))
			text, _, _ := bytes.Cut(rest, []byte(`"`))
			if got, err = base64.StdEncoding.DecodeString(string(text)); err != nil {
				t.Fatalf("%v: %s", err, all[0].Body)
			}
		}
		if string(got) != wantBytes {
			t.Errorf("%s: %q\nwant %q", form, got, wantBytes)
		}
	}
}

func TestGenerationIsLeftOutUnlessGiven(t *testing.T) {
	t.Parallel()
	for _, form := range []string{event.Binary, event.Push, event.Unwrapped} {
		all, err := find(t, "gcs").Make(fixed(event.Options{Objects: []string{"o"}, Form: form}))
		if err != nil || bytes.Contains(all[0].Body, []byte(`eneration":"7`)) || all[0].Header.Get("objectGeneration") != "" ||
			form != event.Push && bytes.Contains(all[0].Body, []byte(`"generation"`)) {
			t.Errorf("%s: %v %v %s", form, err, all[0].Header, all[0].Body)
		}
	}
}

func TestWhatMakeRefuses(t *testing.T) {
	t.Parallel()
	body := [][]byte{[]byte("{}")}
	for _, c := range []struct {
		source string
		o      event.Options
		want   string
	}{
		{"gcs", event.Options{}, "use --bucket and --object"},
		{"gcs", event.Options{Bodies: body}, "it has no body"},
		{"gcs", event.Options{Objects: []string{"o"}, Generation: -1}, "above 0"},
		{"pubsub", event.Options{}, "use --body"},
		{"pubsub", event.Options{Objects: []string{"o"}, Bodies: body}, "it has no object"},
		{"pubsub", event.Options{Bodies: body, Form: "text"}, `no form "text": choose one of binary, structured, batch, push, unwrapped`},
		{"scheduler", event.Options{Bodies: body, Form: event.Push}, "choose one of binary, structured, batch"},
		{"firestore", event.Options{Bodies: [][]byte{make([]byte, 1<<20+1)}}, "1 MiB"},
	} {
		if _, err := find(t, c.source).Make(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.source, err, c.want)
		}
	}
}

func TestIdsDiffer(t *testing.T) {
	t.Parallel()
	all, err := find(t, "scheduler").Make(event.Options{Bodies: [][]byte{nil, nil}})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := all[0].Header.Get("Ce-Id"), all[1].Header.Get("Ce-Id"); a == b || len(a) != 16 {
		t.Errorf("%q and %q", a, b)
	}
}
