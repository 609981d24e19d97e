package function

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/blob"
)

// Item is one thing to score of an event: a message's body, or an object that a URL names.
type Item struct {
	ID            string // the source's own, and unique there: message id, shard and sequence number, object key; for logs and for the name of a result
	URL           string // when it is not "", the body is fetched from the store
	ObjectVersion string // version of the object, of a store that is [blob.Versioned]; "" for the latest
	Request              // Body unless URL is set; Model, Version, ContentType, Accept
	Err           error  // set by a decoder that could make no sense of the item, of a kind (see Errorf): it is not scored
}

// Result is what became of an item. With Err the other fields but ID are empty.
//
// An adapter whose source can be told which items failed reports those with AsError(r.Err).Kind.Retryable(): they come
// again, and may succeed (Unavailable, Timeout, Canceled, Internal, and what was skipped behind them). The others are
// permanent: Invalid, NotFound (there is no such object, or model), TooLarge, Unsupported, NotAcceptable. To try them again
// only keeps a queue busy, so they are reported as failed for good where the source has a word for it (S3 Batch's
// PermanentFailure, Firehose's ProcessingFailed). Where it has not, it is the source's dead-letter queue that must get them,
// and only what is reported as failed gets there.
type Result struct {
	ID       string
	Response Response
	Stored   string // URL of the result object, without the query of a signed one; "" for none
	Err      error
}

// Events is how the items of an event are scored.
type Events struct {
	Store     blob.Store // fetches Item.URL and takes the results
	Sink      string     // URL prefix of the results, "" for none
	MaxObject int64      // bytes of one fetched object, packed and unpacked; 0: SCOREFN_MAX_BODY
	Ordered   bool       // items are scored one after the other; after the first failure the rest is ErrSkipped

	// Log, when it is not nil, gets the log line of each failure instead of the log: line writes it, with the time of the
	// failure. So a caller who scores parts of an event side by side keeps their lines in an order. It may be called from
	// several goroutines at once.
	Log func(line func())
}

// ErrSkipped is the error of an item behind one that failed, where the order counts. It is worth a retry.
var ErrSkipped error = &Error{Kind: Unavailable, Msg: "An earlier item failed, so that this one was not scored."}

// Each scores the items of an event, as many at one time as the model takes, and returns what became of each in the order of
// items. With SCOREFN_BATCH they share runs, unless they are ordered. An item's failure is its own all the same, and Each never
// panics. Failures are logged by ID, without bodies. Once ctx is done the items that are left get its cause.
//
// A fetched object is what its store says it is (CSV, NPY, JSON, JSON lines, an image), else what the end of its name says:
// .json .csv .npy .jsonl .ndjson .png .jpg .jpeg .webp, and .bin and .raw for the bytes of a tensor; gzip is unpacked. Each
// of JSON lines is a request, answered by a line, which is {"error": "…"} where the line is at fault.
//
// With a Sink every answer becomes an object there, made once: a redelivery finds it and succeeds. It is named after its
// source, SINK/bucket/key@version.json for an object and SINK/id.json for a message, with .jsonl, .csv, .npy or .bin where
// that is what the answer is. Letters, digits, "-", "_", "=" and dots stay; other bytes are escaped as ~20. The version is
// the store's (ETag, generation), so that an object that was replaced has a result of its own.
func (f *Function) Each(ctx context.Context, items []Item, e Events) []Result {
	results := make([]Result, len(items))
	if len(items) == 0 {
		return results
	}
	if e.MaxObject <= 0 {
		e.MaxObject = int64(f.settings.MaxBody)
	}
	ctx, call := withCall(ctx, nil)
	crowd := crowd{size: 1}
	if !e.Ordered {
		crowd = f.crowd(ctx, items)
	}
	var next atomic.Int64
	var failed atomic.Bool
	work := func(w *worker) {
		defer w.caller.Gone()
		for {
			i := int(next.Add(1)) - 1
			if i >= len(items) {
				return
			}
			item, r := &items[i], &results[i]
			switch {
			case ctx.Err() != nil:
				r.Err = context.Cause(ctx)
			case e.Ordered && failed.Load():
				r.Err = ErrSkipped
			default:
				*r = f.one(w.begin(ctx, item), call, item, &e)
			}
			r.ID = item.ID
			if r.Err != nil {
				failed.Store(true)
				f.logItem(ctx, &e, r.ID, r.Err)
			}
		}
	}
	var group sync.WaitGroup
	workers := crowd.workers(ctx)
	for i := range workers[1:] {
		group.Go(func() { work(&workers[1+i]) })
	}
	work(&workers[0])
	group.Wait()
	return results
}

// ofItem is the context of one item. A call is one run's, and several go on: each has its own, with the event's id.
func ofItem(ctx context.Context, call *Call) context.Context {
	return context.WithValue(ctx, callKey{}, &Call{RequestID: call.RequestID, Trace: call.Trace, Header: call.Header})
}

// one scores one item.
func (f *Function) one(ctx context.Context, call *Call, item *Item, e *Events) (r Result) {
	if item.Err != nil {
		return Result{Err: item.Err}
	}
	ctx = ofItem(ctx, call)
	err := recovered(func() (err error) {
		r, err = f.fetchScoreStore(ctx, item, e)
		return err
	})
	if err != nil {
		return Result{Err: err}
	}
	return r
}

func (f *Function) fetchScoreStore(ctx context.Context, item *Item, e *Events) (r Result, err error) {
	model, err := f.scorer(ctx, item.Model, item.Version)
	if err != nil { // what cannot be scored need not be fetched
		return r, err
	}
	caller := batch.CallerOf(ctx)
	request, s := item.Request, source{id: item.ID, url: item.URL}
	if item.URL != "" {
		if isResult(e.Sink, item.URL) {
			return r, Errorf(Invalid, "The object %s is a result: its own results must not trigger a function.", blob.Redact(item.URL))
		}
		if s.version, err = f.fetch(ctx, &request, item, e); err != nil {
			return r, err
		}
		caller.Coming()
	}
	if isLines(mediaType(request.ContentType)) {
		caller.Gone() // its lines come by callers of their own
		r.Response, err = f.lines(ctx, request, model.joiner)
	} else {
		r.Response, err = f.Run(ctx, request)
	}
	if err != nil || e.Sink == "" {
		return r, err
	}
	caller.Gone()
	s.body = request.Body
	r.Stored, err = storeResult(ctx, e, s, r.Response)
	return r, err
}

// logItem logs a failure as the caller may have to act on it: loud when it was not the item's fault.
func (f *Function) logItem(ctx context.Context, events *Events, id string, err error) {
	e, level := AsError(err), slog.LevelWarn
	switch {
	case errors.Is(err, ErrSkipped), ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		level = slog.LevelInfo // the item that was the cause is in the log already, or the platform's timeout is
	case e.Kind.Retryable():
		level = slog.LevelError
	}
	log := f.log()
	if !log.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, "item failed", 0)
	r.AddAttrs(slog.String("item", id), slog.String("kind", e.Kind.String()),
		slog.Bool("retry", e.Kind.Retryable()), slog.String("error", err.Error()))
	line := func() { _ = log.Handler().Handle(ctx, r) } // a log that cannot be written has nobody to be told
	if events.Log != nil {
		events.Log(line)
		return
	}
	line()
}
