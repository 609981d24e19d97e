package function

import (
	"context"
	"runtime"
)

// crowd is the items of one event where they share runs. Each is announced before it is decoded: the first to reach the model
// would find it idle otherwise and leave without the rest.
type crowd struct {
	items  []Item
	first  *Item   // whose model they share; nil when they share no runs
	scorer *scorer // its model
	ahead  []guest // the items that the workers begin with
}

// guest is one announced item. Done takes the announcement of one that did not reach the model back.
type guest struct {
	ctx  context.Context //nolint:containedctx // of the item, which is scored at once or waits for a worker
	done func()
}

// crowd is how many items of an event are worth a goroutine, as many as the first item's model takes at one time, and how
// they come to it.
func (f *Function) crowd(ctx context.Context, items []Item) (workers int, c crowd) {
	workers = runtime.GOMAXPROCS(0)
	for i := range items {
		if items[i].Err != nil {
			continue
		}
		if s, err := f.scorer(ctx, items[i].Model, items[i].Version); err == nil {
			workers = cap(s.gate.slots)
			if s.joiner != nil {
				c = crowd{items: items, first: &items[i], scorer: s}
			}
		}
		break // the item itself will tell why
	}
	workers = min(workers, len(items))
	for i := 0; c.first != nil && i < workers; i++ {
		c.ahead = append(c.ahead, c.announce(ctx, i))
	}
	return workers, c
}

// guest is item i as it comes to a worker.
func (c *crowd) guest(ctx context.Context, i int) guest {
	if i < len(c.ahead) {
		return c.ahead[i]
	}
	return c.announce(ctx, i)
}

func (c *crowd) announce(ctx context.Context, i int) guest {
	if c.first == nil {
		return guest{ctx, func() {}}
	}
	item := &c.items[i]
	if item.Err != nil || item.URL != "" || item.Model != c.first.Model || item.Version != c.first.Version {
		return guest{ctx, func() {}} // an object is announced when it is there, see fetchScoreStore
	}
	return c.scorer.announce(ctx)
}

// announce tells the joiner of a model of one request.
func (s *scorer) announce(ctx context.Context) guest {
	if s.joiner == nil {
		return guest{ctx, func() {}}
	}
	ctx, done := s.joiner.Announce(ctx)
	return guest{ctx, done}
}
