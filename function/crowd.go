package function

import (
	"context"
	"runtime"

	"github.com/scorefn/scorefn/function/batch"
)

// crowd is the workers who score the items of an event.
type crowd struct {
	size   int
	first  *Item         // whose model it is that
	joiner *batch.Joiner // lets the items share runs; nil when they do not
}

// crowd is as many workers as the first item's model runs at one time: more would only wait.
func (f *Function) crowd(ctx context.Context, items []Item) crowd {
	c := crowd{size: runtime.GOMAXPROCS(0)}
	for i := range items {
		if items[i].Err != nil {
			continue
		}
		if s, err := f.scorer(ctx, items[i].Model, items[i].Version); err == nil {
			c = crowd{cap(s.gate.slots), &items[i], s.joiner}
		}
		break // the item itself will tell why
	}
	c.size = min(c.size, len(items))
	return c
}

// worker is one of a crowd. Each waits for the others at the model, so that their items share runs: decoding takes a while,
// and the first to get there would find the model idle.
type worker struct {
	crowd  *crowd
	ctx    context.Context //nolint:containedctx // of the event, as the joiner knows the worker
	caller *batch.Caller   // nil when items do not share runs
}

// workers makes all of them before the first begins. The joiner is told when a worker has done its last item.
func (c *crowd) workers(ctx context.Context) []worker {
	workers := make([]worker, c.size)
	for i := range workers {
		w := &workers[i]
		w.crowd = c
		if c.joiner != nil {
			w.ctx, w.caller = c.joiner.Caller(ctx)
			w.caller.Coming()
		}
	}
	return workers
}

// begin is the context in which the worker scores an item. An object has to be fetched first, and another model is none of
// the joiner's.
func (w *worker) begin(ctx context.Context, item *Item) context.Context {
	if w.caller == nil {
		return ctx
	}
	first := w.crowd.first
	ours := item.Err == nil && item.Model == first.Model && item.Version == first.Version
	if !ours || item.URL != "" {
		w.caller.Gone()
	} else {
		w.caller.Coming()
	}
	if !ours {
		return ctx
	}
	return w.ctx
}
