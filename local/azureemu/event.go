package azureemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Event is what a trigger hands to a function: a [QueueMessage], [Blob], [GridEvents], [HubEvents], [BusMessages], [Timer] or
// [Documents].
type Event interface {
	// fill returns the value of Data and adds the metadata of the trigger.
	fill(b *Binding, m *metadata) (data any, err error)
}

// QueueMessage is a message of a storage queue, its body decoded.
type QueueMessage struct {
	ID, PopReceipt                 string
	Inserted, Expires, NextVisible time.Time
	DequeueCount                   int
	Body                           []byte
}

func (q *QueueMessage) fill(b *Binding, m *metadata) (any, error) {
	m.set("DequeueCount", q.DequeueCount)
	m.set("ExpirationTime", q.Expires)
	m.set("Id", q.ID)
	m.set("InsertionTime", q.Inserted)
	m.set("NextVisibleTime", q.NextVisible)
	m.set("PopReceipt", q.PopReceipt)
	m.hidden["queuetrigger"] = validText(q.Body)
	return textOrBytes(b, q.Body, m), nil
}

// validText is bytes as .NET reads them: every byte that is no UTF-8 becomes U+FFFD.
func validText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}

// textOrBytes is a payload whose type the binding chooses. A text that is a JSON object spills into the metadata.
func textOrBytes(b *Binding, body []byte, m *metadata) any {
	if b.binary() {
		return body
	}
	text := validText(body)
	m.spill(text)
	return text
}

// Blob is a blob that came into a container.
type Blob struct {
	Container, Name, URL string
	ContentType, ETag    string
	Created, Modified    time.Time
	Metadata             map[string]string
	Body                 []byte
}

func (o *Blob) fill(b *Binding, m *metadata) (any, error) {
	tokens, ok := matchPath(b.Path, o.Container+"/"+o.Name)
	if !ok {
		return nil, fmt.Errorf("azureemu: blob %s/%s does not match the trigger's path %q", o.Container, o.Name, b.Path)
	}
	user := o.Metadata
	if user == nil {
		user = map[string]string{}
	}
	m.hidden["blobtrigger"] = o.Container + "/" + o.Name
	m.set("Uri", o.URL)
	m.set("Metadata", user)
	m.set("Properties", map[string]any{
		"ContentLength": len(o.Body), "ContentType": o.ContentType, "ETag": struct{}{}, "Metadata": user,
		"CreatedOn": o.Created.UTC().Format(withOffset), "LastModified": o.Modified.UTC().Format(withOffset),
	})
	for name, v := range tokens {
		m.set(name, v)
	}
	return o.Body, nil
}

// withOffset is a DateTimeOffset inside an object.
const withOffset = "2006-01-02T15:04:05.9999999-07:00"

// GridEvents are events of Event Grid, in its own schema or as CloudEvents: one, or several for cardinality many.
type GridEvents []json.RawMessage

func (g GridEvents) fill(b *Binding, m *metadata) (any, error) {
	data := make([]json.RawMessage, 0, len(g))
	for _, event := range g {
		var f struct{ Data json.RawMessage }
		if err := json.Unmarshal(event, &f); err != nil {
			return nil, fmt.Errorf("azureemu: event: %w", err)
		}
		if f.Data == nil {
			f.Data = json.RawMessage("null")
		}
		data = append(data, f.Data)
	}
	if b.many() {
		m.set("data", data)
		return []json.RawMessage(g), nil
	}
	if len(g) != 1 {
		return nil, fmt.Errorf(`azureemu: %d events for one: set "cardinality":"many"`, len(g))
	}
	if string(data[0]) != "null" {
		m.set("data", data[0])
	}
	return g[0], nil
}

// Timer is a tick.
type Timer struct {
	Last, Next, Updated time.Time
	PastDue             bool
}

func (t *Timer) fill(b *Binding, _ *metadata) (any, error) {
	info := map[string]any{"Schedule": map[string]bool{"AdjustForDST": true}, "ScheduleStatus": nil, "IsPastDue": t.PastDue}
	if b.UseMonitor == nil || *b.UseMonitor {
		info["ScheduleStatus"] = map[string]string{
			"Last": t.Last.Format(withOffset), "Next": t.Next.Format(withOffset), "LastUpdated": t.Updated.Format(withOffset),
		}
	}
	return info, nil
}

// Documents are changed documents of Cosmos DB.
type Documents []json.RawMessage

func (d Documents) fill(*Binding, *metadata) (any, error) {
	text, err := jsonText([]json.RawMessage(d))
	return string(text), err
}

// request is what a function is called with.
type request struct {
	data map[string]json.RawMessage
	*metadata
}

// newRequest has the trigger's value.
func newRequest(f *Function, value json.RawMessage, m *metadata) *request {
	return &request{map[string]json.RawMessage{f.Trigger.Name: value}, m}
}

// body is the body of the request to the handler.
func (r *request) body() ([]byte, error) {
	return jsonText(map[string]any{"Data": r.data, "Metadata": r.values})
}

// payload is an event as a request.
func payload(f *Function, e Event, retry *retryContext, now time.Time, guid string) (r *request, ts traps, err error) {
	m := newMetadata()
	m.sys(f.Name, now, guid)
	data, err := e.fill(f.Trigger, m)
	if err != nil {
		return nil, nil, err
	}
	if retry != nil {
		m.set("RetryContext", retry)
	}
	for _, name := range m.replaced {
		ts.add("clobber", "the payload's property %q replaces the trigger's metadata of that name", name)
	}
	value, err := encodeValue(data)
	return newRequest(f, value, m), ts, errors.Join(err, m.err)
}

// retryContext is Metadata.RetryContext, there only under a retry policy.
type retryContext struct {
	RetryCount, MaxRetryCount int
	Exception, Instance       any
}
