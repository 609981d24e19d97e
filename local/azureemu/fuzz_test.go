package azureemu

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// seeds adds the samples; none at all is a failure.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(samples + "*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("%d seeds, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzAnswer reads what a handler may answer: never a panic, and what is written to a binding is finite.
func FuzzAnswer(f *testing.F) {
	seeds(f)
	f.Add([]byte(`{"Outputs":{"queue":[1,"a",{"b":1e400}],"blob":"AAAA","bus":"2024-01-02T03:04:05Z","res":{"statusCode":"x","body":[1e-7]}}}`))
	function := &Function{Name: "f", Bindings: []Binding{
		{Type: "httpTrigger", Direction: "in", Name: "req"},
		{Type: "http", Direction: "out", Name: "res"},
		{Type: "queue", Direction: "out", Name: "queue"},
		{Type: "blob", Direction: "out", Name: "blob"},
		{Type: "serviceBus", Direction: "out", Name: "bus"},
	}}
	function.Trigger = &function.Bindings[0]
	f.Fuzz(func(t *testing.T, body []byte) {
		var ts traps
		a, err := readAnswer(200, "application/json", body, true, &ts)
		if (err == nil) == (a == nil) || err != nil && len(ts) == 0 {
			t.Fatalf("%v, %v, traps %v", a, err, ts)
		}
		if err != nil {
			return
		}
		if res, err := a.http(function, &ts); err == nil && (res.status < 100 || res.status > 999) {
			t.Errorf("status %d", res.status)
		}
		for b, v := range a.bind(function, &ts) {
			if bodies, err := b.written(v, &ts); err == nil && b.is("blob") && len(bodies) > 1 {
				t.Errorf("%d blobs", len(bodies))
			}
		}
	})
}

// FuzzReformat keeps JSON what it is: valid, and the same when it is written once more.
func FuzzReformat(f *testing.F) {
	seeds(f)
	f.Add([]byte(`{"a":[1e-7,1E+400,-0.0,"\ud800","2024-01-02T03:04:05+14:00"]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := reformat(in, true)
		if err != nil {
			if json.Valid(in) {
				t.Errorf("%q: %v", in, err)
			}
			return
		}
		if !json.Valid(once) {
			t.Fatalf("%q became %q", in, once)
		}
		if twice, err := reformat(once, true); err != nil || string(twice) != string(once) {
			t.Errorf("%q, then %q, %v", once, twice, err)
		}
	})
}

// FuzzPayload sends any message: the body is JSON, and Data decodes to the message.
func FuzzPayload(f *testing.F) {
	seeds(f)
	f.Add([]byte(`{"Id":null,"sys":{},"x":[1],"queueTrigger":1}`))
	function := &Function{Name: "f", Bindings: []Binding{{Type: "queueTrigger", Direction: "in", Name: "msg"}}}
	function.Trigger = &function.Bindings[0]
	f.Fuzz(func(t *testing.T, message []byte) {
		r, _, err := payload(function, &QueueMessage{ID: "1", DequeueCount: 1, Body: message}, nil, time.Unix(0, 0), "guid")
		if err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		body, err := r.body()
		if err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		var q struct {
			Data     map[string]string
			Metadata map[string]json.RawMessage
		}
		if err := json.Unmarshal(body, &q); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		var text string
		if err := json.Unmarshal([]byte(q.Data["msg"]), &text); err != nil {
			t.Fatalf("%q: %v", q.Data["msg"], err)
		}
		if text != string([]rune(string(message))) {
			t.Errorf("%q became %q", message, text)
		}
	})
}

// FuzzHost reads any host.json: what is accepted has limits that can be worked with.
func FuzzHost(f *testing.F) {
	f.Add([]byte(someHost), "AzureFunctionsJobHost__functionTimeout=00:01:00")
	f.Add([]byte(someHost), "AzureFunctionsJobHost__a__b__c={}")
	f.Fuzz(func(t *testing.T, text []byte, setting string) {
		h, err := parseHost(text, []string{setting})
		if err == nil && (h.FunctionTimeout < 0 || h.InitTimeout <= 0 || h.Queue.BatchSize < 1 || h.Queue.NewBatchThreshold < 0 || h.BlobTries < 1) {
			t.Errorf("%+v", h)
		}
	})
}

// FuzzRoute matches any path: the values of the tokens are parts of it.
func FuzzRoute(f *testing.F) {
	f.Add("a/{b}/{c?}", "/api/a/1/2")
	f.Add("{*rest}", "/api/x//y")
	f.Add("n/{id:int}", "/api/n/1")
	f.Fuzz(func(t *testing.T, template, path string) {
		a := &App{Host: Host{RoutePrefix: "api"}, Functions: []*Function{{Name: "f", Trigger: &Binding{Type: "httpTrigger", Route: &template}}}}
		for _, r := range a.routes() {
			params, ok := r.match(path)
			if !ok {
				continue
			}
			for name, v := range params {
				if v != nil && len(*v) > len(path) {
					t.Errorf("%s = %q of %q", name, *v, path)
				}
			}
			if r.example() == "" {
				t.Error("no example")
			}
		}
	})
}
