package azureemu

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// HubEvent is an event of Event Hubs.
type HubEvent struct {
	Body         []byte
	Offset       string
	Sequence     int64
	Enqueued     time.Time
	PartitionKey *string
	Properties   map[string]any
}

// HubEvents are events of one partition; for cardinality one there is one.
type HubEvents struct {
	Hub    string
	Events []HubEvent
}

func (h *HubEvents) fill(b *Binding, m *metadata) (any, error) {
	m.set("PartitionContext", map[string]string{
		"ConsumerGroup": "$Default", "EventHubName": h.Hub, "FullyQualifiedNamespace": namespace, "PartitionId": "0",
	})
	fields := map[string]func(HubEvent) any{
		"Offset":          func(e HubEvent) any { return e.Offset },
		"SequenceNumber":  func(e HubEvent) any { return e.Sequence },
		"EnqueuedTimeUtc": func(e HubEvent) any { return dateTime(e.Enqueued) },
		"Properties":      func(e HubEvent) any { return properties(e.Properties) },
		"SystemProperties": func(e HubEvent) any {
			return map[string]any{
				"EnqueuedTimeUtc": fraction(e.Enqueued.UTC(), "Z"), "Offset": e.Offset, "PartitionKey": e.PartitionKey, "SequenceNumber": e.Sequence,
			}
		},
		"PartitionKey": func(e HubEvent) any {
			if e.PartitionKey == nil {
				return nil
			}
			return *e.PartitionKey
		},
	}
	return fillBatch(b, m, h.Events, fields, func(e HubEvent) []byte { return e.Body })
}

// namespace is the example's name of the service.
const namespace = "ns.servicebus.windows.net"

func properties(p map[string]any) map[string]any {
	if p == nil {
		return map[string]any{}
	}
	return p
}

// BusMessage is a message of Service Bus.
type BusMessage struct {
	Body                       []byte
	ID, LockToken, ContentType string
	Sequence                   int64
	DeliveryCount              int
	Enqueued, Expires          time.Time
	ApplicationProperties      map[string]any
}

// BusMessages are messages of Service Bus; for cardinality one there is one.
type BusMessages []BusMessage

func (s BusMessages) fill(b *Binding, m *metadata) (any, error) {
	for _, name := range []string{"MessageReceiver", "MessageSession", "MessageActions", "SessionActions", "ReceiveActions"} {
		m.set(name, struct{}{})
	}
	m.set("Client", map[string]any{
		"FullyQualifiedNamespace": namespace, "Identifier": namespace + "-4e77", "IsClosed": false, "TransportType": 0,
	})
	fields := map[string]func(BusMessage) any{
		"DeliveryCount":         func(e BusMessage) any { return e.DeliveryCount },
		"LockToken":             func(e BusMessage) any { return e.LockToken },
		"ExpiresAtUtc":          func(e BusMessage) any { return dateTime(e.Expires) },
		"EnqueuedTimeUtc":       func(e BusMessage) any { return dateTime(e.Enqueued) },
		"ExpiresAt":             func(e BusMessage) any { return e.Expires.UTC() },
		"EnqueuedTime":          func(e BusMessage) any { return e.Enqueued.UTC() },
		"MessageId":             func(e BusMessage) any { return e.ID },
		"ContentType":           func(e BusMessage) any { return textOrNil(e.ContentType) },
		"SequenceNumber":        func(e BusMessage) any { return e.Sequence },
		"ApplicationProperties": func(e BusMessage) any { return properties(e.ApplicationProperties) },
		"UserProperties":        func(e BusMessage) any { return properties(e.ApplicationProperties) },
	}
	return fillBatch(b, m, s, fields, func(e BusMessage) []byte { return e.Body })
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// fillBatch is what Event Hubs and Service Bus have in common: one event with its metadata, or many with arrays of it.
func fillBatch[E any](b *Binding, m *metadata, events []E, fields map[string]func(E) any, body func(E) []byte) (any, error) {
	if !b.many() {
		if len(events) != 1 {
			return nil, fmt.Errorf(`azureemu: %d events for one: set "cardinality":"many"`, len(events))
		}
		for name, field := range fields {
			m.set(name, field(events[0]))
		}
		return textOrBytes(b, body(events[0]), m), nil
	}
	for name, field := range fields {
		all := make([]any, 0, len(events))
		for _, e := range events {
			all = append(all, field(e))
		}
		m.set(name+"Array", all)
	}
	bodies := make([][]byte, 0, len(events))
	for _, e := range events {
		bodies = append(bodies, body(e))
	}
	return batchData(b, bodies)
}

// batchData is the array of many: of base64 texts, of texts, or of the JSON that the events are.
func batchData(b *Binding, bodies [][]byte) (any, error) {
	switch strings.ToLower(b.DataType) {
	case "binary":
		return bodies, nil
	case "string":
		texts := make([]string, 0, len(bodies))
		for _, body := range bodies {
			texts = append(texts, validText(body))
		}
		return texts, nil
	}
	raws := make([]json.RawMessage, 0, len(bodies))
	for i, body := range bodies {
		if !json.Valid(body) {
			return nil, fmt.Errorf("azureemu: event %d is not JSON: without \"dataType\" the host parses every event of a batch, and the whole "+
				"batch fails; set \"dataType\":\"string\"", i)
		}
		raws = append(raws, body)
	}
	return raws, nil
}
