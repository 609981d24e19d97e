package azureemu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Input is what a caller gives for an event that has not really happened.
type Input struct {
	Data []byte
	Name string // of the blob, for triggers of blobs; "sample.json" by default
	Now  time.Time
}

// triggers makes an event of an input, by the trigger's type in lower case.
var triggers = map[string]func(*Function, Input) (Event, error){
	"queuetrigger":      sampleQueue,
	"blobtrigger":       sampleBlob,
	"eventgridtrigger":  sampleGrid,
	"eventhubtrigger":   sampleHub,
	"servicebustrigger": sampleBus,
	"timertrigger":      sampleTimer,
	"cosmosdbtrigger":   sampleCosmos,
}

// NewEvent makes the event that would carry in.Data to the function. For triggers of batches a JSON array is a batch. What is
// no event of Event Grid becomes the data of one.
func NewEvent(f *Function, in Input) (Event, error) {
	make, ok := triggers[strings.ToLower(f.Trigger.Type)]
	if !ok {
		return nil, fmt.Errorf("%s is called over HTTP: its trigger is %s", f.Name, f.Trigger.Type)
	}
	if in.Now.IsZero() {
		in.Now = time.Now()
	}
	in.Now = in.Now.UTC()
	return make(f, in)
}

// hidden is how long a message that was handed out is hidden from others.
const hidden = 10 * time.Minute

func sampleQueue(_ *Function, in Input) (Event, error) {
	return &QueueMessage{
		ID: newID(), PopReceipt: "MjJOb3YyMDI2MjA6MzU6MzljOTAy", Body: in.Data, DequeueCount: 1,
		Inserted: in.Now, Expires: in.Now.Add(7 * 24 * time.Hour), NextVisible: in.Now.Add(hidden),
	}, nil
}

func sampleBlob(f *Function, in Input) (Event, error) {
	container, pattern, _ := strings.Cut(f.Trigger.Path, "/")
	name := in.Name
	if name == "" {
		name = "sample.json"
	}
	if _, ok := matchPath(f.Trigger.Path, container+"/"+name); !ok { // a name alone goes where the pattern has its token
		name = pathToken().ReplaceAllLiteralString(pattern, strings.TrimSuffix(name, path.Ext(pattern)))
	}
	return &Blob{
		Container: container, Name: name, URL: "https://acct.blob.core.windows.net/" + container + "/" + name,
		ContentType: "application/json", Created: in.Now, Modified: in.Now, Body: in.Data,
	}, nil
}

func sampleGrid(f *Function, in Input) (Event, error) {
	events, isBatch := elements(in.Data)
	if !isBatch || !f.Trigger.many() {
		events = []json.RawMessage{in.Data}
	}
	for i, e := range events {
		if !json.Valid(e) {
			return nil, fmt.Errorf("%s: an event of Event Grid is JSON", f.Name)
		}
		var have map[string]json.RawMessage
		if json.Unmarshal(e, &have) == nil && (have["eventType"] != nil || have["specversion"] != nil) {
			continue
		}
		wrapped, err := jsonText(map[string]any{
			"specversion": "1.0", "id": newID(), "source": "/scorefn", "type": "score.request", "subject": "sample",
			"time": in.Now.Format("2006-01-02T15:04:05Z"), "data": e,
		})
		if err != nil {
			return nil, err
		}
		events[i] = wrapped
	}
	return GridEvents(events), nil
}

// elements are those of a JSON array whose elements are objects or texts; numbers are a payload.
func elements(data []byte) ([]json.RawMessage, bool) {
	var all []json.RawMessage
	if json.Unmarshal(data, &all) != nil || len(all) == 0 {
		return nil, false
	}
	for _, e := range all {
		if e = bytes.TrimSpace(e); e[0] != '{' && e[0] != '"' {
			return nil, false
		}
	}
	return all, true
}

// bodies are the events of a batch, or the one event.
func bodies(f *Function, data []byte) [][]byte {
	all, isBatch := elements(data)
	if !isBatch || !f.Trigger.many() {
		return [][]byte{data}
	}
	var out [][]byte
	for _, e := range all {
		var text string
		if json.Unmarshal(e, &text) == nil {
			e = json.RawMessage(text)
		}
		out = append(out, e)
	}
	return out
}

func sampleHub(f *Function, in Input) (Event, error) {
	h := &HubEvents{Hub: f.Trigger.EventHubName}
	for i, body := range bodies(f, in.Data) {
		h.Events = append(h.Events, HubEvent{Body: body, Offset: fmt.Sprint(4294967 + i), Sequence: int64(12 + i), Enqueued: in.Now})
	}
	return h, nil
}

func sampleBus(f *Function, in Input) (Event, error) {
	var all BusMessages
	for i, body := range bodies(f, in.Data) {
		all = append(all, BusMessage{
			Body: body, ID: newID(), LockToken: newID(), ContentType: "application/json", Sequence: int64(1 + i), DeliveryCount: 1,
			Enqueued: in.Now, Expires: in.Now.Add(14 * 24 * time.Hour),
		})
	}
	return all, nil
}

func sampleTimer(_ *Function, in Input) (Event, error) {
	return &Timer{Last: in.Now.Add(-5 * time.Minute), Updated: in.Now.Add(-5 * time.Minute), Next: in.Now}, nil
}

func sampleCosmos(f *Function, in Input) (Event, error) {
	docs, isBatch := elements(in.Data)
	if !isBatch {
		docs = []json.RawMessage{in.Data}
	}
	for _, d := range docs {
		if !json.Valid(d) {
			return nil, fmt.Errorf("%s: a document of Cosmos DB is JSON", f.Name)
		}
	}
	return Documents(docs), nil
}

var pathToken = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{[^{}]+\}`) })

// matchPath compares a blob with a trigger's path, container/{name}, and returns what the tokens stand for.
func matchPath(pattern, blob string) (map[string]string, bool) {
	if !strings.Contains(pattern, "/") { // a container alone: every blob in it
		return map[string]string{}, strings.HasPrefix(blob, pattern+"/")
	}
	var expr strings.Builder
	var names []string
	rest := pattern
	for {
		at := pathToken().FindStringIndex(rest)
		if at == nil {
			break
		}
		expr.WriteString(regexp.QuoteMeta(rest[:at[0]]) + "(.+)")
		names = append(names, rest[at[0]+1:at[1]-1])
		rest = rest[at[1]:]
	}
	re, err := regexp.Compile("^(?s:" + expr.String() + regexp.QuoteMeta(rest) + ")$")
	if err != nil {
		return nil, false
	}
	m := re.FindStringSubmatch(blob)
	if m == nil {
		return nil, false
	}
	tokens := map[string]string{}
	for i, name := range names {
		tokens[name] = m[i+1]
	}
	return tokens, true
}
