package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/scorefn/scorefn/local/bench/proc"
)

// watchMemory sends our servers many requests, of varying numbers of rows where the model takes them, and notes by how much
// they grew.
func (b *bench) watchMemory(ctx context.Context, s *subject, running []*instance, m *Model) error {
	bodies := s.varied
	if len(bodies) == 0 {
		bodies = [][]byte{s.body}
	}
	for _, i := range running {
		if !i.ours {
			continue
		}
		settle := min(b.Requests, 100*len(bodies)) // buffers have their largest size then
		if err := b.send(ctx, i, bodies, settle); err != nil {
			return fmt.Errorf("%s: %w", i.name, err)
		}
		_, before := proc.Of(i.pid)
		b.progress("%s: %d requests to %s, of %d shapes", s.name, b.Requests, i.name, len(bodies))
		if err := b.send(ctx, i, bodies, b.Requests); err != nil {
			return fmt.Errorf("%s: %w", i.name, err)
		}
		_, after := proc.Of(i.pid)
		for k := range m.Warm {
			if m.Warm[k].Name == i.name {
				m.Warm[k].Growth = &Growth{b.Requests, len(bodies), float64(after) / 1e6, float64(after-before) / 1e6}
			}
		}
	}
	return nil
}

// progressEvery is the time between two lines while many requests are sent.
const progressEvery = 5 * time.Second

func (b *bench) send(ctx context.Context, i *instance, bodies [][]byte, n int) error {
	dos := make([]func(context.Context) ([]byte, error), len(bodies))
	for k, body := range bodies {
		do, done := i.caller(body)
		defer done()
		dos[k] = do
	}
	last := time.Now()
	for k := range n {
		if _, err := dos[k*7%len(dos)](ctx); err != nil { // 7 has no factor in common with their number: large follows small
			return err
		}
		if time.Since(last) > progressEvery {
			last = time.Now()
			b.progress("%d of %d requests to %s", k, n, i.name)
		}
	}
	return nil
}
