package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/scorefn/scorefn/function"
)

// source is one kind of event that is a batch: how its records are found and how their outcomes are answered. A source is
// one file: a decoder and, where no other source has the same, an answer.
type source struct {
	decode func(*event) (batch, error)
	answer func(h *handler, e *event, out []outcome) ([]byte, error)
}

var sources = map[kind]source{
	sqs:            {decodeSQS, answerFailures},
	kinesis:        {decodeKinesis, answerFirstFailure},
	dynamoDB:       {decodeDynamoDB, answerFirstFailure},
	kafka:          {decodeKafka, answerKafka},
	sns:            {decodeSNS, answerResults},
	s3Notification: {decodeS3, answerResults},
	s3Test:         {decodeS3Test, answerResults},
	eventBridge:    {decodeEventBridge, answerResults},
	activeMQ:       {decodeActiveMQ, answerResults},
	rabbitMQ:       {decodeRabbitMQ, answerResults},
	firehose:       {decodeFirehose, answerFirehose},
	s3Batch:        {decodeS3Batch, answerS3Batch},
}

// batch is an event taken apart.
type batch struct {
	lanes   [][]record // independent of each other
	ordered bool       // within a lane a record waits for the one before it
}

// record is what the source delivers and accounts for as one.
type record struct {
	id    string          // as its source's answer names it
	items []function.Item // what there is to score: none in a test message, several in a list of objects
}

// decodeBase64 reads an array of objects, in order, whose member id names the record and whose data is base64 of a request.
func decodeBase64(array raw, id string) (batch, error) {
	var lane []record
	err := elements(array, func(r raw) error {
		v, err := members(r, id, "data")
		if err != nil {
			return err
		}
		name, err := v[0].text()
		if err != nil {
			return err
		}
		data, err := v[1].appendBase64(nil)
		lane = append(lane, one(name, data, err))
		return nil
	})
	return batch{lanes: [][]record{lane}}, err
}

// outcome is what became of a record.
type outcome struct {
	id      string
	lane    int
	results []function.Result
	err     error // nil too for a record that was dropped
	dropped error // the error of a record that was dropped
}

// one is a record with one item.
func one(id string, body []byte, err error) record {
	return record{id: id, items: []function.Item{item(id, body, err)}}
}

// item is a scoring request that came in an event. The error is that of finding it.
func item(id string, body []byte, err error) function.Item {
	if err != nil {
		err = &function.Error{Kind: function.Invalid, Msg: err.Error()}
	}
	return function.Item{ID: id, Request: function.Request{ContentType: "application/json", Body: body}, Err: err}
}

// serveBatch scores an event's records and answers what its source asks for.
func (h *handler) serveBatch(ctx context.Context, v *invocation, s source) ([]byte, error) {
	b, err := s.decode(v.event)
	if err != nil {
		if _, ok := errors.AsType[*function.Error](err); ok {
			return nil, err
		}
		return nil, function.Errorf(function.Invalid, "The event is not a well-formed %s event: %w", v.event.kind, err)
	}
	var out []outcome
	for i, lane := range h.lanes(ctx, b) {
		for _, o := range lane {
			o.lane = i
			out = append(out, o)
		}
	}
	v.records = len(out)
	for _, o := range out {
		if o.err != nil || o.dropped != nil {
			v.failures++
		}
	}
	return s.answer(h, v.event, out)
}

// lane scores records that belong together. In an ordered lane the first failure is the last record that is tried; under
// SCOREFN_POISON=drop one that can never be scored holds up none.
func (h *handler) lane(ctx context.Context, records []record, ordered bool, log func(line func())) []outcome {
	out := make([]outcome, len(records))
	for i, r := range records {
		out[i].id = r.id
	}
	events := function.Events{Store: h.store, Sink: h.env.output, MaxObject: int64(h.f.Settings().MaxBody), Log: log}
	if !ordered {
		h.together(ctx, records, out, events)
		return out
	}
	for i := range records {
		h.together(ctx, records[i:i+1], out[i:i+1], events)
		if out[i].err == nil {
			continue
		}
		for j := i + 1; j < len(out); j++ { // they come again behind it
			out[j].err = function.ErrSkipped
		}
		break
	}
	return out
}

// together scores records whose order does not matter.
func (h *handler) together(ctx context.Context, records []record, out []outcome, events function.Events) {
	var items []function.Item
	var owner []int
	for i, r := range records {
		for _, it := range r.items {
			items, owner = append(items, it), append(owner, i)
		}
	}
	for i, r := range h.f.Each(ctx, items, events) {
		o := &out[owner[i]]
		o.results = append(o.results, r)
		if r.Err != nil && (o.err == nil || retryable(r.Err) && !retryable(o.err)) { // what may pass keeps a record from being dropped
			o.err = r.Err
		}
	}
	for i := range out {
		if out[i].err != nil {
			h.failed(ctx, &out[i], events.Log)
		}
	}
}

// failed applies the policy for poisoned records. Failures are in the log already.
func (h *handler) failed(ctx context.Context, o *outcome, log func(line func())) {
	if !h.env.drop || retryable(o.err) {
		return
	}
	o.dropped, o.err = o.err, nil
	handler := slog.Default().Handler()
	if !handler.Enabled(ctx, slog.LevelError) {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelError, "record dropped", 0)
	r.AddAttrs(slog.String("record", o.id), slog.String("error", o.dropped.Error()))
	log(func() { _ = handler.Handle(ctx, r) }) // a log that cannot be written has nobody to be told
}

// batchError is the error of a batch in which nothing succeeded, or whose source knows no other failure; nil when there is
// none. It tells of the first failure, or of the first one that may pass where there is one: such a batch is worth a retry.
func batchError(out []outcome) error {
	failures := 0
	var worst *outcome
	for i := range out {
		o := &out[i]
		if o.err == nil {
			continue
		}
		failures++
		if worst == nil || retryable(o.err) && !retryable(worst.err) && !errors.Is(o.err, function.ErrSkipped) {
			worst = o
		}
	}
	if worst == nil {
		return nil
	}
	e := function.AsError(worst.err)
	return &function.Error{Kind: e.Kind, Msg: fmt.Sprintf("%d of %d records failed. %s: %s", failures, len(out), worst.id, e.Msg)}
}

func retryable(err error) bool { return function.AsError(err).Kind.Retryable() }

// nothingSucceeded tells a batch that failed as a whole: the invocation then fails, so that the function's error count moves.
func nothingSucceeded(out []outcome) bool {
	for _, o := range out {
		if o.err == nil {
			return false
		}
	}
	return len(out) > 0
}
