// Package event makes sample events of Google Cloud's triggers, in the shapes and in the HTTP forms that Eventarc and Pub/Sub
// send (cloud.google.com/eventarc/docs/cloudevents, github.com/googleapis/google-cloudevents, cloud.google.com/pubsub/docs/push).
package event

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Project is what the samples call the project.
const Project = "local"

// The forms of events over HTTP.
const (
	Binary     = "binary"     // attributes in ce- headers, as Eventarc sends
	Structured = "structured" // one JSON object
	Batch      = "batch"      // a JSON array of them
	Push       = "push"       // the envelope of a Pub/Sub push subscription
	Unwrapped  = "unwrapped"  // a push subscription without its envelope, which writes metadata
)

// Forms lists them.
func Forms() []string { return []string{Binary, Structured, Batch, Push, Unwrapped} }

// Options are what the events carry.
type Options struct {
	Bodies     [][]byte // an event each, of pubsub, scheduler and firestore
	Bucket     string   // of gcs and auditlog; "input" by default
	Objects    []string // an event each
	Generation int64    // of the objects; 0 leaves it out, and whoever reads the object reads the newest
	Form       string   // Binary by default

	Now   func() time.Time // time.Now by default
	NewID func() string    // a number as Pub/Sub makes them by default
}

// Message is an HTTP request that carries events: POST it to the function.
type Message struct {
	Header http.Header
	Body   []byte
}

// Source is a kind of event.
type Source struct {
	Name string
	What string

	objects bool // it names objects, and carries no body
	forms   []string
	one     func(m *maker, what string, body []byte) (event, error)
}

// Sources lists what there is.
func Sources() []Source {
	pubsubForms := []string{Push, Unwrapped}
	return []Source{
		{"gcs", "an object of Cloud Storage was finalized; push: as a notification", true, pubsubForms, finalized},
		{"pubsub", "a message with the body", false, pubsubForms, published},
		{"scheduler", "a job of Cloud Scheduler", false, nil, executed},
		{"auditlog", "an audit log of an object's creation", true, nil, logged},
		{"firestore", "a document was written, protobuf: refused by design", false, nil, written},
	}
}

// NeedsBody tells whether [Source.Make] fails without Options.Bodies.
func (s Source) NeedsBody(o Options) bool {
	return !s.objects && len(o.Bodies) == 0 && len(o.Objects) == 0
}

// Make makes the events: one message each, or one for all of a batch.
func (s Source) Make(o Options) ([]Message, error) {
	if o.Form == "" {
		o.Form = Binary
	}
	if err := s.check(o); err != nil {
		return nil, fmt.Errorf("event: %s: %w", s.Name, err)
	}
	m := &maker{Options: o}
	if m.Now == nil {
		m.Now = time.Now
	}
	if m.NewID == nil {
		m.NewID = newID
	}
	if m.Bucket == "" {
		m.Bucket = "input"
	}
	m.now = m.Now().UTC()
	events, err := s.events(m)
	if err != nil {
		return nil, fmt.Errorf("event: %s: %w", s.Name, err)
	}
	return m.messages(events)
}

func (s Source) check(o Options) error {
	common := []string{Binary, Structured, Batch}
	switch {
	case !slices.Contains(Forms(), o.Form):
		return fmt.Errorf("there is no form %q: choose one of %s", o.Form, strings.Join(Forms(), ", "))
	case !slices.Contains(common, o.Form) && !slices.Contains(s.forms, o.Form):
		return fmt.Errorf("it does not come as a Pub/Sub push: choose one of %s", strings.Join(common, ", "))
	case s.objects && len(o.Bodies) > 0:
		return errors.New("it has no body: the object has; use --bucket and --object")
	case s.objects && len(o.Objects) == 0:
		return errors.New("which object? use --bucket and --object")
	case !s.objects && len(o.Objects) > 0:
		return errors.New("it has no object: use --body")
	case !s.objects && len(o.Bodies) == 0:
		return errors.New("a body is missing: use --body")
	case o.Generation < 0:
		return errors.New("a generation is a number above 0")
	}
	return nil
}

func (s Source) events(m *maker) ([]event, error) {
	var all []event
	for _, name := range m.Objects {
		e, err := s.one(m, name, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	for i, body := range m.Bodies {
		e, err := s.one(m, "", body)
		if err != nil {
			return nil, fmt.Errorf("body %d: %w", i+1, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// maker has what all events are made of.
type maker struct {
	Options

	now time.Time
}

func (m *maker) time() string { return m.now.Format("2006-01-02T15:04:05.000Z") }

// newID is a message id as Pub/Sub makes them: a number of 16 digits.
func newID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9e15))
	if err != nil {
		return "1000000000000000" // rand.Reader never fails
	}
	return n.Add(n, big.NewInt(1e15)).String()
}
