package cloudfunctions

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/jsonscan"
)

const (
	typeMessage = "google.cloud.pubsub.topic.v1.messagePublished"
	pubsubHost  = "//pubsub.googleapis.com/"
)

// The headers of a push without an envelope, where the subscription writes metadata (Pub/Sub documentation, "Payload
// unwrapping"), in net/http's spelling. The message's attributes are headers under their own names.
const (
	pushMessageID    = "X-Goog-Pubsub-Message-Id"
	pushSubscription = "X-Goog-Pubsub-Subscription-Name"
	pushTime         = "X-Goog-Pubsub-Publish-Time"
)

// envelopeNames are the members of a push, {"message": {…}, "subscription": "projects/P/subscriptions/S"} (Pub/Sub
// documentation, "Push subscriptions", and "Track delivery attempts").
var envelopeNames = []string{"message", "subscription", "deliveryAttempt"}

// push is an envelope that was recognised.
type push struct {
	subscription, id string
	message          raw
}

// envelope recognises a push by its body alone, which a scoring request must never be taken for: the object has the members
// of an envelope and no other; the subscription has the form of a subscription's name; the message has an id.
func envelope(body []byte) (p push, ok bool) {
	seen := map[string]bool{}
	err := jsonscan.Object(body, func(name []byte, from, to int) (err error) {
		value := raw(body[from:to])
		switch n := string(name); {
		case seen[n] || !slices.Contains(envelopeNames, n):
			return errNoEnvelope
		case n == "message":
			p.message = value
		case n == "subscription":
			p.subscription, err = value.text()
		}
		seen[string(name)] = true
		return err
	})
	part := strings.Split(p.subscription, "/")
	if err != nil || len(part) != 4 || part[0] != "projects" || part[1] == "" || part[2] != "subscriptions" || part[3] == "" {
		return push{}, false
	}
	id, err := texts(p.message, "messageId", "message_id")
	if err != nil || id[0] == "" && id[1] == "" {
		return push{}, false
	}
	if p.id = id[0]; p.id == "" {
		p.id = id[1]
	}
	return p, true
}

var errNoEnvelope = fmt.Errorf("cloudfunctions: not an envelope")

// wrapped is the event that a push without ce- headers stands for. Its source is the topic where the path names it, as the
// Functions Framework has it, else the subscription.
func wrapped(p push, path string, body []byte) *delivery {
	source := p.subscription
	if part := strings.Split(strings.Trim(path, "/"), "/"); len(part) == 4 && part[0] == "projects" && part[2] == "topics" {
		source = strings.Join(part, "/")
	}
	d := &delivery{Event: Event{ID: p.id, Source: pubsubHost + source, Type: typeMessage}, contentType: "application/json", data: body}
	if v, err := texts(p.message, "publishTime"); err == nil {
		d.Time = when(v[0])
	}
	return d.check("1.0")
}

// unwrapped is the event that a push without an envelope stands for: the body is the message.
func unwrapped(h http.Header, body []byte) *delivery {
	m := &message{data: body, attributes: map[string]string{}}
	for _, name := range notificationAttributes {
		if v := h.Get(name); v != "" {
			m.attributes[name] = v
		}
	}
	if len(m.attributes) == 0 { // then the body is as it is declared
		m.contentType = h.Get("Content-Type")
	}
	return (&delivery{
		Event: Event{
			ID: h.Get(pushMessageID), Source: pubsubHost + h.Get(pushSubscription), Type: typeMessage, Time: when(h.Get(pushTime)),
		},
		contentType: h.Get("Content-Type"), data: body, payload: m,
	}).check("1.0")
}

// message is a message of Pub/Sub.
type message struct {
	data        []byte
	contentType string
	attributes  map[string]string
}

// readMessage reads {"message": {"data": base64, "attributes": {…}}} (google.events.cloud.pubsub.v1.MessagePublishedData).
func readMessage(data raw) (*message, error) {
	v, err := members(data, "message")
	if err != nil {
		return nil, err
	}
	if v[0].absent() {
		return nil, fmt.Errorf("there is no message in it")
	}
	if v, err = members(v[0], "data", "attributes"); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	m := &message{}
	if m.data, err = v[0].base64(); err != nil {
		return nil, fmt.Errorf("message.data: %w", err)
	}
	if !v[1].absent() {
		if err := json.Unmarshal(v[1], &m.attributes); err != nil {
			return nil, fmt.Errorf("message.attributes: %w", err)
		}
	}
	for name, value := range m.attributes {
		if strings.EqualFold(name, "content-type") { // as CloudEvents' binding for Pub/Sub names it
			m.contentType = value
		}
	}
	return m, nil
}

// decodeMessage is what there is to score in a message: its data, or the object that a notification of Cloud Storage names.
func decodeMessage(d *delivery) (work, error) {
	m := d.payload
	if m == nil {
		var err error
		if m, err = readMessage(d.data); err != nil {
			return work{}, malformed(d, err)
		}
	}
	d.Attributes = m.attributes
	if w, ok, err := notification(d, m); ok || err != nil {
		return w, err
	}
	if len(m.data) == 0 {
		return work{}, function.Errorf(function.Invalid, "The message has no data, only attributes: there is nothing to score.")
	}
	return request(d, m.contentType, m.data), nil
}
