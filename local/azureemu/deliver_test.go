package azureemu_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scorefn/scorefn/local/azureemu"
)

// retry is a policy without a wait.
const retry = `"retry":{"strategy":"fixedDelay","maxRetryCount":2,"delayInterval":"00:00:00"},`

// TestWhatBecomesOfAnEventThatFails has a handler that always fails.
func TestWhatBecomesOfAnEventThatFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		trigger, more string
		outcome       string
		tries         int
		poison        string // queue
	}{
		{`"type":"queueTrigger","queueName":"in"`, "", azureemu.Poisoned, 5, "in-poison"},
		{`"type":"queueTrigger","queueName":"in"`, retry, azureemu.Poisoned, 15, "in-poison"},
		{`"type":"blobTrigger","path":"in/{name}.json"`, "", azureemu.Poisoned, 5, "webjobs-blobtrigger-poison"},
		{`"type":"serviceBusTrigger","queueName":"in"`, "", azureemu.DeadLettered, 10, ""},
		{`"type":"eventGridTrigger"`, "", azureemu.Refused, 1, ""},
		{`"type":"eventHubTrigger","eventHubName":"in","cardinality":"many","dataType":"string"`, "", azureemu.Skipped, 1, ""},
		{`"type":"eventHubTrigger","eventHubName":"in","cardinality":"many","dataType":"string"`, retry, azureemu.Skipped, 3, ""},
		{`"type":"cosmosDBTrigger"`, retry, azureemu.Skipped, 3, ""},
		{`"type":"timerTrigger"`, "", azureemu.Skipped, 1, ""},
	} {
		t.Run(tt.trigger+tt.more, func(t *testing.T) {
			t.Parallel()
			var counts, retries []string
			r := start(t, setup{
				files: map[string]string{"score/function.json": fmt.Sprintf(`{%s"bindings":[{%s,"direction":"in","name":"x"}]}`, tt.more, tt.trigger)},
				handler: func(w http.ResponseWriter, q *http.Request) {
					var f struct{ Metadata map[string]any }
					if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
						t.Error(err)
					}
					counts = append(counts, fmt.Sprint(f.Metadata["DequeueCount"], f.Metadata["DeliveryCount"]))
					if c, ok := f.Metadata["RetryContext"].(map[string]any); ok {
						retries = append(retries, fmt.Sprint(c["RetryCount"], "/", c["MaxRetryCount"]))
					}
					w.WriteHeader(500)
					io.WriteString(w, "the reason")
				},
			})
			d := r.deliver(`{"data":[1]}`)
			if d.Outcome != tt.outcome || d.Tries != tt.tries || len(counts) != tt.tries || !strings.Contains(d.Err.Error(), "the handler says the reason") {
				t.Errorf("%s after %d tries, %d requests, %v", d.Outcome, d.Tries, len(counts), d.Err)
			}
			last := counts[len(counts)-1]
			switch tt.outcome {
			case azureemu.Poisoned:
				if len(d.Outputs) != 1 || d.Outputs[0].Target != tt.poison || len(d.Outputs[0].Body) == 0 {
					t.Errorf("%+v", d.Outputs)
				}
				if strings.Contains(tt.trigger, "queue") && last != "5<nil>" {
					t.Errorf("DequeueCount %q", counts)
				}
			case azureemu.DeadLettered:
				if last != "<nil>10" && last != "<nil> 10" {
					t.Errorf("DeliveryCount %q", counts)
				}
			}
			if tt.more != "" && !slices.Equal(retries[:3], []string{"0/2", "1/2", "2/2"}) || tt.more == "" && retries != nil {
				t.Errorf("RetryContext %q", retries)
			}
		})
	}
}

func TestATryThatSucceedsEndsTheTries(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	r := start(t, setup{
		files: map[string]string{"score/function.json": strings.Replace(queueJSON, `"result"`, `"$return"`, 1)},
		handler: func(w http.ResponseWriter, _ *http.Request) {
			if n.Add(1) < 3 {
				w.WriteHeader(503)
				return
			}
			answerJSON(w, `{"ReturnValue":"texts","Logs":["a word"]}`)
		},
	})
	d := r.deliver("x")
	if d.Outcome != azureemu.Succeeded || d.Tries != 3 || d.Err != nil || len(d.Outputs) != 1 || string(d.Outputs[0].Body) != "texts" || d.Logs[0] != "a word" {
		t.Errorf("%+v", d)
	}
}

func TestOutputsGoWhereTheExpressionsSay(t *testing.T) {
	t.Parallel()
	const function = `{"bindings":[{"type":"eventGridTrigger","direction":"in","name":"event"},
		{"type":"blob","direction":"out","name":"a","path":"out/{data.kind}/%STAGE%/{rand-guid}"},
		{"type":"blob","direction":"out","name":"b","path":"out/{none}"}]}`
	answer := `{"Outputs":{"a":{"x":1}}}`
	r := start(t, setup{
		config: azureemu.Config{Env: []string{"STAGE=test"}}, files: map[string]string{"score/function.json": function},
		handler: func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, answer) },
	})
	d := r.deliver(`{"kind":"k"}`)
	if len(d.Outputs) != 1 || !strings.HasPrefix(d.Outputs[0].Target, "out/k/test/") || len(d.Outputs[0].Target) != len("out/k/test/")+36 {
		t.Errorf("%+v", d.Outputs)
	}
	answer = `{"ReturnValue":{"b":{"x":1}}}` // keys of a returned object are outputs, but this one has no target
	if d := r.deliver(`{"kind":"k"}`); d.Err == nil || !strings.Contains(d.Err.Error(), "no value for {none}") {
		t.Errorf("%+v", d)
	}
}

func TestASinkThatFailsFailsTheInvocation(t *testing.T) {
	t.Parallel()
	r := start(t, setup{
		config:  azureemu.Config{Sink: func(context.Context, azureemu.Output) error { return errors.New("disk full") }},
		files:   map[string]string{"score/function.json": strings.Replace(queueJSON, "queueTrigger", "timerTrigger", 1)},
		handler: func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, `{"Outputs":{"result":"hello"}}`) },
	})
	if d := r.deliver(""); d.Outcome != azureemu.Skipped || d.Err == nil || !strings.Contains(d.Err.Error(), "score-out: disk full") {
		t.Errorf("%+v", d)
	}
}

func TestEventsThatCannotBe(t *testing.T) {
	t.Parallel()
	function := func(trigger string) string {
		return fmt.Sprintf(`{"bindings":[{%s,"direction":"in","name":"x"}]}`, trigger)
	}
	r := start(t, setup{files: map[string]string{
		"hub/function.json":  function(`"type":"eventHubTrigger","cardinality":"many"`),
		"one/function.json":  function(`"type":"eventHubTrigger"`),
		"grid/function.json": function(`"type":"eventGridTrigger"`),
		"blob/function.json": function(`"type":"blobTrigger","path":"in/{name}"`),
		"docs/function.json": function(`"type":"cosmosDBTrigger"`),
		"http/function.json": fmt.Sprintf(httpJSON, ""),
	}})
	for _, tt := range []struct{ function, data, want string }{
		{"hub", `["nonsense"]`, "event 0 is not JSON: without \"dataType\" the host parses every event"},
		{"grid", "nonsense", "an event of Event Grid is JSON"},
		{"docs", "nonsense", "a document of Cosmos DB is JSON"},
		{"http", "{}", "is called over HTTP"},
	} {
		if _, err := r.tryDeliver(t.Context(), tt.function, tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.function, err)
		}
	}
	for name, e := range map[string]azureemu.Event{
		"one": &azureemu.HubEvents{Events: make([]azureemu.HubEvent, 2)}, "grid": azureemu.GridEvents{[]byte("{}"), []byte("{}")},
		"blob": &azureemu.Blob{Container: "other", Name: "x"},
	} {
		if _, err := r.Deliver(t.Context(), r.function(name), e); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestCloseEndsWhatIsInFlight has one invocation that runs, one that hangs and one that waits for its next try.
func TestCloseEndsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	slow := strings.Replace(queueJSON, `{"bindings"`, `{"retry":{"strategy":"fixedDelay","maxRetryCount":2,"delayInterval":"01:00:00"},"bindings"`, 1)
	r := start(t, setup{
		files: map[string]string{"runs/function.json": queueJSON, "hangs/function.json": queueJSON, "waits/function.json": slow},
		handler: func(w http.ResponseWriter, q *http.Request) {
			if _, err := io.ReadAll(q.Body); err != nil { // or the server does not notice that its client is gone
				t.Error(err)
			}
			switch q.URL.Path {
			case "/runs":
				arrived <- struct{}{}
				<-q.Context().Done()
			case "/hangs":
				answerJSON(w, "")
			default:
				w.WriteHeader(500)
			}
		},
	})
	ends := make(chan error, 3)
	for _, name := range []string{"runs", "hangs", "waits"} {
		go func() {
			_, err := r.tryDeliver(t.Context(), name, "x")
			ends <- err
		}()
	}
	<-arrived
	r.log.wait(t, 1, "TRAP hangs, empty-body")
	r.log.wait(t, 1, "next try in 1h0m0s")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := <-ends; err == nil {
			t.Error("no error")
		}
	}
}
