// Package event makes sample events of the sources that a scoring function can be triggered by, in the shapes that AWS sends
// (docs.aws.amazon.com/lambda/latest/dg/lambda-services.html).
package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// Options are what the events carry.
type Options struct {
	Bodies [][]byte // a record each
	Bucket string   // of the S3 sources
	Keys   []string // objects, a record each
	Path   string   // of the HTTP sources; /score by default

	Now   func() time.Time // time.Now by default
	NewID func() string    // lambdaemu.NewID by default
}

// Source is a kind of event.
type Source struct {
	Name string
	What string

	make  func(*maker) (any, error)
	takes takes
}

type takes int

const (
	bodies  takes = iota // one or more
	oneBody              // HTTP and EventBridge
	objects              // bucket and keys
)

type object = map[string]any

// Sources lists what [Make] knows.
func Sources() []Source {
	return []Source{
		{"sqs", "queue; a message for every body", sqs, bodies},
		{"sqs-fifo", "FIFO queue, one message group", sqsFIFO, bodies},
		{"sns", "topic notifications", sns, bodies},
		{"s3", "objects were created", s3, objects},
		{"s3-batch", "a batch operations job, schema 1.0", s3Batch, objects},
		{"eventbridge", "a bus event with the body as its detail; with --key, S3's Object Created", eventBridge, oneBody},
		{"kinesis", "stream records", kinesis, bodies},
		{"kinesis-kpl", "one stream record that the Kinesis Producer Library made of all bodies", kinesisKPL, bodies},
		{"dynamodb", "stream of a table: the body is the new image", dynamoDB, bodies},
		{"kafka", "Amazon MSK, one partition", kafka, bodies},
		{"activemq", "Amazon MQ for ActiveMQ", activeMQ, bodies},
		{"rabbitmq", "Amazon MQ for RabbitMQ", rabbitMQ, bodies},
		{"firehose", "delivery stream, transformation", firehose, bodies},
		{"http-v2", "API Gateway HTTP API, format 2.0", httpV2, oneBody},
		{"http-v1", "API Gateway REST API, format 1.0", httpV1, oneBody},
		{"alb", "Application Load Balancer", alb, oneBody},
		{"function-url", "function URL", functionURL, oneBody},
	}
}

// Names is the names of all sources, for messages.
func Names() string {
	var names []string
	for _, s := range Sources() {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// Find is the source of that name.
func Find(name string) (Source, error) {
	for _, s := range Sources() {
		if s.Name == name {
			return s, nil
		}
	}
	return Source{}, fmt.Errorf("event: there is no source %q: choose one of %s", name, Names())
}

// NeedsBody tells whether [Source.Make] fails without Options.Bodies.
func (s Source) NeedsBody(o Options) bool {
	return s.takes != objects && len(o.Bodies) == 0 && len(o.Keys) == 0
}

// Make is the event as indented JSON.
func (s Source) Make(o Options) ([]byte, error) {
	if err := s.check(o); err != nil {
		return nil, fmt.Errorf("event: %s: %w", s.Name, err)
	}
	m := &maker{Options: o}
	if m.Now == nil {
		m.Now = time.Now
	}
	if m.NewID == nil {
		m.NewID = lambdaemu.NewID
	}
	if m.Bucket == "" {
		m.Bucket = "input"
	}
	if m.Path == "" {
		m.Path = "/score"
	}
	m.now = m.Now().UTC()
	v, err := s.make(m)
	if err != nil {
		return nil, fmt.Errorf("event: %s: %w", s.Name, err)
	}
	return json.MarshalIndent(v, "", "  ")
}

func (s Source) check(o Options) error {
	fromS3 := s.Name == "eventbridge" && len(o.Keys) > 0
	switch {
	case s.takes == objects && len(o.Bodies) > 0:
		return errors.New("it has no body: the object has; use --bucket and --key")
	case s.takes == objects && len(o.Keys) == 0:
		return errors.New("which object? use --bucket and --key")
	case s.takes != objects && len(o.Keys) > 0 && !fromS3:
		return errors.New("it has no object: use --body")
	case fromS3 && (len(o.Keys) > 1 || len(o.Bodies) > 0):
		return errors.New("one --key and no --body")
	case s.takes == oneBody && len(o.Bodies) > 1:
		return errors.New("it carries one body")
	case s.takes != objects && len(o.Bodies) == 0 && !fromS3:
		return errors.New("a body is missing: use --body")
	}
	return nil
}

// maker has what all events are made of.
type maker struct {
	Options

	now time.Time
}

// arn names a thing of the emulator's account.
func arn(service, rest string) string {
	return "arn:aws:" + service + ":" + lambdaemu.Region + ":" + lambdaemu.AccountID + ":" + rest
}

func (m *maker) iso() string { return m.now.Format("2006-01-02T15:04:05.000Z") }

func (m *maker) ms() int64 { return m.now.UnixMilli() }

// records is a record for every body.
func (m *maker) records(one func(i int, body []byte) (object, error)) ([]object, error) {
	all := make([]object, 0, len(m.Bodies))
	for i, b := range m.Bodies {
		r, err := one(i, b)
		if err != nil {
			return nil, fmt.Errorf("body %d: %w", i+1, err)
		}
		all = append(all, r)
	}
	return all, nil
}
