package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

const jsonType = "application/json"

// messages gives the events their form.
func (m *maker) messages(events []event) ([]Message, error) {
	var all []Message
	var batch []json.RawMessage
	for _, e := range events {
		var message Message
		var err error
		switch m.Form {
		case Structured, Batch:
			message.Body, err = e.structured(m)
			message.Header = http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}
		case Push:
			message.Body, err = marshal(m.envelope(e.id, e.payload, e.attributes))
			message.Header = http.Header{"Content-Type": {jsonType}}
		case Unwrapped:
			message = e.unwrapped(m)
		default:
			message = e.binary(m)
		}
		if err != nil {
			return nil, err
		}
		batch = append(batch, message.Body)
		all = append(all, message)
	}
	if m.Form != Batch {
		return all, nil
	}
	body, err := marshal(batch)
	return []Message{{http.Header{"Content-Type": {"application/cloudevents-batch+json; charset=utf-8"}}, body}}, err
}

// attributes of the event, in both of the forms that CloudEvents 1.0 gives it.
func (e event) all(m *maker) map[string]string {
	a := map[string]string{"specversion": "1.0", "id": e.id, "source": e.source, "type": e.kind, "time": m.time()}
	if e.subject != "" {
		a["subject"] = e.subject
	}
	maps.Copy(a, e.extensions)
	return a
}

// binary: CloudEvents HTTP Protocol Binding 1.0, 3.1.
func (e event) binary(m *maker) Message {
	h := http.Header{"Content-Type": {e.contentType}}
	for name, v := range e.all(m) {
		h.Set("Ce-"+name, headerText(v))
	}
	return Message{h, e.data}
}

// headerText is an attribute as a header: what is no printable ASCII, a space, a quote and the percent sign are
// percent-encoded, byte by byte (CloudEvents HTTP Protocol Binding 1.0, 3.1.3.2).
func headerText(v string) string {
	var b strings.Builder
	for i := range len(v) {
		if c := v[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// structured: CloudEvents JSON Event Format 1.0.
func (e event) structured(m *maker) ([]byte, error) {
	o := object{"datacontenttype": e.contentType}
	for name, v := range e.all(m) {
		o[name] = v
	}
	if strings.HasPrefix(e.contentType, jsonType) {
		o["data"] = json.RawMessage(e.data)
	} else {
		o["data_base64"] = e.data
	}
	return marshal(o)
}

// unwrapped: cloud.google.com/pubsub/docs/payload-unwrapping. The attributes are headers of their own.
func (e event) unwrapped(m *maker) Message {
	h := http.Header{
		"X-Goog-Pubsub-Message-Id":        {e.id},
		"X-Goog-Pubsub-Subscription-Name": {subscription},
		"X-Goog-Pubsub-Publish-Time":      {m.time()},
	}
	for name, v := range e.attributes {
		h.Set(name, v)
	}
	if json.Valid(e.payload) {
		h.Set("Content-Type", jsonType)
	}
	return Message{h, e.payload}
}
