package cloudfunctions

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever is sent: a body with a member "data" and without an event's headers is a scoring request, and reaches the route
// as it is; an event is answered 200 or 5xx with what became of each; nothing panics.
func FuzzRequest(f *testing.F) {
	seeds := 0
	add := func(s sent) {
		h := http.Header{}
		for k, v := range s.header {
			h.Set(k, v)
		}
		f.Add(h.Get("Content-Type"), h.Get("Ce-Id"), h.Get("Ce-Source"), h.Get("Ce-Type"), h.Get(pushMessageID), s.path, []byte(s.body))
		seeds++
	}
	for _, tt := range events {
		add(tt.sent)
	}
	for _, tt := range hostile {
		if len(tt.sent.body) < 1000 {
			add(tt.sent)
		}
	}
	if seeds < 50 {
		f.Fatalf("%d seeds", seeds)
	}
	h, store := newTest(f, map[string]string{"SCOREFN_DEAD_LETTER": "gs://dead", "SCOREFN_OUTPUT": "gs://out/results"})
	inputs(f, store)
	f.Fuzz(func(t *testing.T, contentType, id, source, kind, message, path string, body []byte) {
		if path = strings.TrimPrefix(path, "/"); path == "robots.txt" || path == "favicon.ico" {
			return // 404 to everybody
		}
		request := func() *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
			r.URL.Path = "/" + path
			for name, v := range map[string]string{"Content-Type": contentType, "Ce-Id": id, "Ce-Source": source, "Ce-Type": kind, pushMessageID: message} {
				if v != "" {
					r.Header.Set(name, v)
				}
			}
			if r.Header.Get("Ce-Id") != "" {
				r.Header.Set("Ce-Specversion", "1.0")
			}
			return r
		}
		r := request()
		read, err := detect(r, 1<<20)
		if err != nil {
			t.Fatalf("the body arrived: %v", err)
		}
		ordinary := id+source+kind+message == "" && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(contentType)), anyEventType)
		var top map[string]json.RawMessage
		if ordinary && json.Unmarshal(body, &top) == nil && top["data"] != nil && read != nil {
			t.Fatalf("a scoring request is taken for an event: %q", body)
		}
		if !ordinary && read == nil {
			t.Fatalf("an event is taken for a scoring request: %v", r.Header)
		}
		if read == nil {
			if b, err := io.ReadAll(r.Body); err != nil || string(b) != string(body) {
				t.Fatalf("the body became %q, %v", b, err)
			}
		} else {
			for _, d := range read(r, body) {
				work, err := decode(d)
				if err == nil && work.skip == "" && (d.ID == "" || d.Source == "" || d.Type == "") {
					t.Fatalf("an event without id, source or type is scored: %+v", d.Event)
				}
				if err == nil && work.item.ID != "" && work.item.ID != d.Source+" "+d.ID || strings.Contains(d.Source, " ") && err == nil {
					t.Fatalf("the item %q of %+v", work.item.ID, d.Event)
				}
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request())
		if !json.Valid(w.Body.Bytes()) && w.Code != 200 {
			t.Fatalf("an error that is not JSON: %d %q", w.Code, w.Body)
		}
		if read != nil {
			if w.Code != 200 && w.Code != 500 && w.Code != 503 {
				t.Fatalf("an event is answered %d %s", w.Code, w.Body)
			}
			accounts(t, w.Body.String())
		}
	})
}

// What is taken for an array is one, and each element is where encoding/json finds it.
func FuzzElements(f *testing.F) {
	for _, text := range []string{`[]`, ` [ ] `, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[{"a":[1,2]},"x,]",null]`, `[]]`, `[1`, `{}`, ``, `["\u00e9\\"]`, "[\"\xff\"]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := elements(b, len(b))
		if err != nil {
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("%q is taken for an array: %v", b, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d elements, want %d", b, len(got), len(want))
		}
		for i := range got {
			if string(got[i]) != string(want[i]) {
				t.Fatalf("%q: element %d is %q, want %q", b, i, got[i], want[i])
			}
		}
	})
}

// Whatever the headers say, ids are ids, and a log line is JSON.
func FuzzIDs(f *testing.F) {
	f.Add("abc123", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "105445aa7843bc8bf206b12000100000/1;o=1")
	f.Add("", "", "105445aa7843bc8bf206b12000100000/18446744073709551615")
	f.Add("\"\n", "00-0-0-0", "/;")
	f.Fuzz(func(t *testing.T, execution, parent, cloud string) {
		h := http.Header{"Function-Execution-Id": {execution}, "Traceparent": {parent}, "X-Cloud-Trace-Context": {cloud}}
		i := identify(h)
		if i.execution == "" || len(i.execution) > longestExecution || strings.ContainsAny(i.execution, "\"\r\n ") {
			t.Fatalf("the execution id %q", i.execution)
		}
		if i.trace != "" && !isID(i.trace, 32) || i.span != "" && (!isID(i.span, 16) || i.trace == "") {
			t.Fatalf("the trace %q with the span %q", i.trace, i.span)
		}
		var out bytes.Buffer
		newLogger(&out, "info", sampleProject).InfoContext(withIDs(t.Context(), i), execution)
		if !json.Valid(out.Bytes()) {
			t.Fatalf("the line %s", &out)
		}
	})
}
