package cloudfunctions

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function"
)

// Event is what is known about an event apart from what it carries: the attributes of CloudEvents 1.0.
type Event struct {
	ID         string            // unique within the source
	Source     string            // //storage.googleapis.com/projects/_/buckets/NAME
	Type       string            // google.cloud.storage.object.v1.finalized
	Subject    string            // objects/KEY; "" for none
	Time       time.Time         // when it happened; zero when the event does not say
	Attributes map[string]string // of a Pub/Sub message; nil elsewhere
}

type eventKey struct{}

// EventFrom is the event that ctx belongs to; false when a plain HTTP request is being scored. A script's Run calls it. The
// event must not be changed.
func EventFrom(ctx context.Context) (Event, bool) {
	e, ok := ctx.Value(eventKey{}).(*Event)
	if !ok {
		return Event{}, false
	}
	return *e, true
}

// delivery is one event as it arrived.
type delivery struct {
	Event
	contentType string // of data
	data        []byte
	payload     *message // of a Pub/Sub message that came without its envelope
	path        string   // that it was sent to, which may name a model
	err         error    // why it makes no sense, of a kind
}

// refuse is the delivery with the reason why it makes no sense.
func (d *delivery) refuse(format string, a ...any) *delivery {
	d.err = function.Errorf(function.Invalid, format, a...)
	return d
}

// check refuses an event without what CloudEvents 1.0 requires ("Required attributes").
func (d *delivery) check(version string) *delivery {
	switch {
	case d.err != nil:
	case !strings.HasPrefix(version, "1."):
		d.refuse("The event is of the CloudEvents version %.20q (specversion), 1.0 is understood.", version)
	case d.ID == "":
		d.refuse("The event has no id.")
	case d.Type == "":
		d.refuse("The event has no type.")
	case d.Source == "":
		d.refuse("The event has no source.")
	case strings.ContainsAny(d.Source, " \t\r\n"): // the name of its result would not be its own
		d.refuse("The event's source %.100q is no URI reference: it holds a space.", d.Source)
	}
	return d
}

// when is a timestamp of RFC 3339, in UTC: an offset of a whole day can be read but not written. One that is malformed, or
// has no year of four digits there, is none: nothing depends on it.
func when(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC(); err != nil || t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// binary reads an event whose attributes are headers (CloudEvents HTTP Protocol Binding 1.0, "Binary Content Mode").
func binary(h http.Header, body []byte) *delivery {
	get := func(name string) string { return headerText(h.Get("Ce-" + name)) }
	d := &delivery{
		Event:       Event{ID: get("Id"), Source: get("Source"), Type: get("Type"), Subject: get("Subject"), Time: when(get("Time"))},
		contentType: h.Get("Content-Type"), data: body,
	}
	return d.check(get("Specversion"))
}

// headerText is the text of an attribute's header: quotes are dropped, what is percent-encoded is decoded. A text that is
// not well-formed stands for itself.
func headerText(v string) string {
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		v = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(v[1 : len(v)-1])
	}
	if strings.Contains(v, "%") {
		if u, err := url.PathUnescape(v); err == nil {
			return u
		}
	}
	return v
}

// structured reads an event that is one JSON object (CloudEvents JSON Event Format 1.0).
func structured(object raw) *delivery {
	d := &delivery{data: object, contentType: structuredType}
	v, err := members(object, "data", "data_base64", "specversion", "id", "source", "type", "subject", "time", "datacontenttype")
	if err != nil {
		return d.refuse("The event is not well-formed JSON: %w", err)
	}
	text := make([]string, len(v))
	for i := 2; i < len(v); i++ {
		if text[i], err = v[i].text(); err != nil {
			return d.refuse("An attribute of the event is no string: %w", err)
		}
	}
	d.Event = Event{ID: text[3], Source: text[4], Type: text[5], Subject: text[6], Time: when(text[7])}
	if d.check(text[2]).err != nil {
		return d
	}
	data, err := content(v[0], v[1], text[8])
	if err != nil {
		return d.refuse("The event's %w", err)
	}
	d.data, d.contentType = data, text[8]
	if d.contentType == "" {
		d.contentType = "application/json" // its default
	}
	return d
}

// content is what data or data_base64 stands for. A string whose type is not JSON is the text itself.
func content(data, packed raw, contentType string) ([]byte, error) {
	switch {
	case packed != nil && data != nil:
		return nil, errors.New("data is there twice: as data and as data_base64")
	case packed != nil:
		b, err := packed.base64()
		if err != nil {
			return nil, fmt.Errorf("data_base64 is wrong: %w", err)
		}
		return b, nil
	case len(data) > 0 && data[0] == '"' && !isJSON(contentType):
		text, err := data.text()
		if err != nil {
			return nil, fmt.Errorf("data is wrong: %w", err)
		}
		return []byte(text), nil
	}
	return data, nil
}

// mostEvents is how many events a batch may hold.
const mostEvents = 10_000

// batched reads a JSON array of events (CloudEvents JSON Event Format 1.0, "JSON Batch Format"). An event that makes no
// sense takes none of the others with it.
func batched(body []byte) []*delivery {
	list, err := elements(body, mostEvents)
	if err != nil {
		d := &delivery{data: body, contentType: batchType}
		return []*delivery{d.refuse("The batch is not well-formed JSON: %w", err)}
	}
	out := make([]*delivery, len(list))
	for i, object := range list {
		out[i] = structured(object)
	}
	return out
}

// mediaType is a Content-Type in lower case, without parameters.
func mediaType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(contentType, ";")
	}
	return strings.ToLower(strings.TrimSpace(t))
}

// isJSON tells the media types of JSON; an event without one is JSON.
func isJSON(contentType string) bool {
	m := mediaType(contentType)
	return m == "" || m == "application/json" || m == "text/json" || strings.HasSuffix(m, "+json")
}
