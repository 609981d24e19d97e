package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
)

// What Pub/Sub does with a push subscription: cloud.google.com/pubsub/docs/push#receive_push, docs/handling-failures.
const (
	mostRetry  = 10 * time.Minute // the longest wait between two deliveries
	mostPush   = 10 * time.Minute // the longest a function may take to acknowledge
	mostInWork = 100              // deliveries at the same time
	finalized  = "google.cloud.storage.object.v1.finalized"
)

var acknowledged = []int{102, 200, 201, 202, 204}

// bridge pulls from the topic and posts to the function, as Eventarc's subscription pushes.
type bridge struct {
	topics   *topics
	url      string
	rules    rules
	retry    time.Duration // before the second delivery
	attempts int
	started  time.Time // pstest numbers messages from 0 in each run; an event's id must never come twice

	mu         sync.Mutex
	out        io.Writer
	deliveries map[string]int // so far, of the messages that were not acknowledged
}

// run delivers until ctx is done.
func (b *bridge) run(ctx context.Context) error {
	s := b.topics.client.Subscriber(objectPushes)
	s.ReceiveSettings.MaxOutstandingMessages = mostInWork
	s.ReceiveSettings.MaxExtension = mostRetry + mostPush
	s.ReceiveSettings.ShutdownOptions = &pubsub.ShutdownOptions{Behavior: pubsub.ShutdownBehaviorNackImmediately, Timeout: time.Second}
	return s.Receive(ctx, b.deliver)
}

// deliver is one delivery of one event. A message that is not acknowledged is held back for the wait and given back then: it is
// Pub/Sub that delivers it again.
func (b *bridge) deliver(ctx context.Context, m *pubsub.Message) {
	bucket, name := m.Attributes["bucketId"], m.Attributes["objectId"]
	if !b.rules.match(bucket, name) {
		m.Ack()
		return
	}
	begin := time.Now()
	status, err := b.post(ctx, m)
	if ctx.Err() != nil { // the end
		m.Nack()
		return
	}
	n := b.count(m.ID)
	what := fmt.Sprintf("%s/%s was answered %d", bucket, name, status)
	if err != nil {
		what = fmt.Sprintf("%s/%s could not be delivered: %v", bucket, name, err)
	}
	switch {
	case err == nil && slices.Contains(acknowledged, status):
		b.line("%s/%s acknowledged (%d) after %v", bucket, name, status, time.Since(begin).Round(time.Millisecond))
	case n >= b.attempts:
		b.line("%s, delivery %d of %d: it is given up, a dead-letter topic would have it", what, n, b.attempts)
	default:
		wait := b.wait(n)
		b.line("%s, delivery %d of %d; again in %v", what, n, b.attempts, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		m.Nack()
		return
	}
	b.forget(m.ID)
	m.Ack()
}

// count is how often that message has been delivered.
func (b *bridge) count(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliveries[id]++
	return b.deliveries[id]
}

func (b *bridge) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.deliveries, id)
}

// wait is the time after that delivery: doubled each time.
func (b *bridge) wait(attempt int) time.Duration {
	if attempt > 30 {
		return mostRetry
	}
	return min(b.retry<<(attempt-1), mostRetry)
}

// post sends the message as Eventarc does: a CloudEvent in binary form, with an id of the message.
func (b *bridge) post(ctx context.Context, m *pubsub.Message) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, mostPush)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader(m.Data))
	if err != nil {
		return 0, err
	}
	for name, v := range map[string]string{
		"Ce-Id": b.eventID(m.ID), "Ce-Specversion": "1.0", "Ce-Type": finalized, "Ce-Time": m.Attributes["eventTime"], "Ce-Bucket": m.Attributes["bucketId"],
		"Ce-Source":  "//storage.googleapis.com/projects/_/buckets/" + m.Attributes["bucketId"],
		"Ce-Subject": escaped("objects/" + m.Attributes["objectId"]), "Content-Type": "application/json; charset=utf-8",
		"User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
	} {
		r.Header.Set(name, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 32<<20))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	return resp.StatusCode, err
}

// escaped is an attribute as a header: CloudEvents HTTP Protocol Binding 1.0, 3.1.3.2.
func escaped(v string) string {
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

// eventID is a number, as Pub/Sub's ids are.
func (b *bridge) eventID(id string) string {
	return fmt.Sprintf("%d%s", b.started.UnixMilli(), strings.TrimLeft(id, "m"))
}

func (b *bridge) line(format string, a ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.out, "gcs: "+format+"\n", a...)
}
