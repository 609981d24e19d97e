package cloudfunctions

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

// What is in a dead letter can be sent again, and then has the same outcome.
func TestDeadLettersCanBeSentAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range events {
		if tt.status != dropped {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, store := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://out/dead"})
			first := accounts(t, serve(t, h, tt.sent).Body.String())[0]
			_, b, err := blob.Read(t.Context(), store, first.DeadLetter, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			var l struct {
				Error, Kind, Path string
				Event             json.RawMessage
			}
			if err := json.Unmarshal(b, &l); err != nil || l.Error != first.Error || l.Kind != tt.because {
				t.Fatalf("got %s, %v", b, err)
			}
			w := serve(t, h, sent{path: l.Path, header: inOne, body: string(l.Event)})
			again := accounts(t, w.Body.String())[0]
			if w.Code != http.StatusOK || again.DeadLetter != first.DeadLetter || again.Error != first.Error || again.Kind != first.Kind {
				t.Errorf("first %+v\nagain %+v\nfrom %s", first, again, b)
			}
		})
	}
}

// A message that came without an envelope has one in its letter, which says what the data are.
func TestDeadLettersKeepTheContentType(t *testing.T) {
	t.Parallel()
	h, store := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://dead"})
	w := serve(t, h, sent{path: "/models/none/score", body: "{\"data\":1}\n{\"data\":2}\n", header: map[string]string{
		pushMessageID: "id-1", pushSubscription: "projects/p/subscriptions/s", "Content-Type": "application/x-ndjson",
	}})
	_, b, err := blob.Read(t.Context(), store, accounts(t, w.Body.String())[0].DeadLetter, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var l struct{ Event json.RawMessage }
	if err := json.Unmarshal(b, &l); err != nil {
		t.Fatal(err)
	}
	w = serve(t, h, sent{header: inOne, body: string(l.Event)}) // the model is there now
	if a := accounts(t, w.Body.String())[0]; a.Status != scored || string(a.Packed) != "2\n4\n" {
		t.Errorf("got %s from %s", w.Body, b)
	}
}

// A dead letter is there once, however often the event comes; events that make no sense have letters of their own.
func TestDeadLettersHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://dead"})
	names := map[string]bool{}
	list := []sent{
		{header: ce("t"), body: `x`},
		{header: ce("t", "ce-id", "2"), body: `x`},
		{header: ce("t", "ce-source", "other"), body: `x`},
		{header: inOne, body: `x`},
		{header: inOne, body: `y`},
		{header: ce("t", "ce-id", "../"+strings.Repeat("ü/", 1000)), body: `x`},
	}
	for range 2 {
		for _, s := range list {
			a := accounts(t, serve(t, h, s).Body.String())[0]
			name, ok := strings.CutPrefix(a.DeadLetter, "gs://dead/")
			if !ok || strings.ContainsAny(name, "/ü") || strings.HasPrefix(name, ".") || len(name) > 200 {
				t.Errorf("got %+v", a)
			}
			names[name] = true
		}
	}
	if len(names) != len(list) {
		t.Errorf("%d events have %d letters: %v", len(list), len(names), names)
	}
}

// An event that is too large to be read has a letter as well, with what its headers tell.
func TestDeadLettersOfEventsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h, store := newTest(t, map[string]string{"SCOREFN_DEAD_LETTER": "gs://dead", "SCOREFN_MAX_BODY": "10"})
	names := map[string]bool{}
	for _, s := range []sent{
		{header: ce("t"), body: strings.Repeat("x", 11)},
		{header: ce("t"), body: strings.Repeat("x", 11)},
		{header: inOne, body: strings.Repeat("x", 11)},
		{header: inABatch, body: strings.Repeat("x", 12)},
		{header: ce("t", "ce-id", "packed", "Content-Encoding", "gzip"), body: "x"},
	} {
		w := serve(t, h, s)
		a := accounts(t, w.Body.String())[0]
		names[a.DeadLetter] = true
		_, b, err := blob.Read(t.Context(), store, a.DeadLetter, 1<<20)
		if w.Code != http.StatusOK || err != nil || s.header["ce-id"] != "" && !strings.Contains(string(b), `"id":"`+s.header["ce-id"]+`"`) {
			t.Errorf("got %d %s, %s %v", w.Code, w.Body, b, err)
		}
	}
	if len(names) != 4 {
		t.Errorf("4 events have %d letters", len(names))
	}
}

func TestNoDeadLetterWithoutAPlace(t *testing.T) {
	t.Parallel()
	h, _ := newTest(t, nil, WithStore(odd{}))
	if a := accounts(t, serve(t, h, sent{header: ce("t"), body: `x`}).Body.String())[0]; a.Status != dropped || a.DeadLetter != "" {
		t.Errorf("got %+v", a)
	}
}
