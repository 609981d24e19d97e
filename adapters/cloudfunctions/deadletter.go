package cloudfunctions

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

// letter is an event that can never be scored, and why. The event is a structured CloudEvent: it can be sent again as it
// stands, as application/cloudevents+json, to the path.
type letter struct {
	Error string      `json:"error"`
	Kind  string      `json:"kind"`
	Path  string      `json:"path"`
	Event letterEvent `json:"event"`
}

type letterEvent struct {
	Version     string          `json:"specversion"`
	ID          string          `json:"id,omitempty"`
	Source      string          `json:"source,omitempty"`
	Type        string          `json:"type,omitempty"`
	Subject     string          `json:"subject,omitempty"`
	Time        *time.Time      `json:"time,omitempty"`
	ContentType string          `json:"datacontenttype,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
	Packed      []byte          `json:"data_base64,omitempty"`
}

// bury writes the dead letter of an event, once: its name is the event's own. It returns the letter's URL.
func (h *handler) bury(ctx context.Context, o *outcome) (string, error) {
	e := function.AsError(o.err)
	l := letter{Error: e.Msg, Kind: e.Kind.String(), Path: o.path, Event: letterEvent{
		Version: "1.0", ID: o.ID, Source: o.Source, Type: o.Type, Subject: o.Subject, ContentType: o.contentType,
	}}
	if !o.Time.IsZero() {
		l.Event.Time = &o.Time
	}
	data := o.data
	if o.payload != nil {
		data, l.Event.ContentType = o.payload.envelope(o.ID), "application/json"
	}
	if isJSON(l.Event.ContentType) && json.Valid(data) {
		l.Event.Data = data
	} else {
		l.Event.Packed = data
	}
	var body bytes.Buffer
	to := json.NewEncoder(&body)
	to.SetEscapeHTML(false)
	if err := to.Encode(l); err != nil {
		return "", err
	}
	url := blob.Join(h.env.deadLetter, letterName(o.delivery, function.CallOf(ctx).RequestID))
	if err := h.store.Put(ctx, url, "application/json", body.Bytes()); err != nil && !errors.Is(err, blob.ErrExists) {
		return "", err
	}
	return url, nil
}

// letterName is an event's id, made fit for any store, and a hash of all that makes the event one of its own: source and id,
// else what it carries, else the request that it came with.
func letterName(d *delivery, requestID string) string {
	whole := d.Source + " " + d.ID
	switch {
	case d.ID != "" && d.Source != "":
	case len(d.data) > 0:
		whole += " " + string(d.data)
	default:
		whole += " " + requestID
	}
	const longest = 80
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune(idLetters, r) {
			return r
		}
		return '_'
	}, d.ID[:min(len(d.ID), longest)])
	if safe == "" {
		safe = "event"
	}
	return fmt.Sprintf("%s-%x.json", safe, sha256.Sum256([]byte(whole)))
}

// envelope is the message as a push with an envelope carries it. What its data are is an attribute there.
func (m *message) envelope(id string) []byte {
	attributes := maps.Clone(m.attributes)
	if m.contentType != "" {
		attributes["content-type"] = m.contentType
	}
	b, err := json.Marshal(map[string]any{"message": map[string]any{"messageId": id, "data": m.data, "attributes": attributes}})
	if err != nil { // cannot happen: bytes and strings
		return nil
	}
	return b
}
