package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
)

type runFunc func(ctx context.Context, data json.RawMessage) (any, error)

func (f runFunc) Run(ctx context.Context, data json.RawMessage) (any, error) { return f(ctx, data) }

// newLanes is a handler of a script of which n runs go on at one time; one more is an error, for none may wait.
func newLanes(tb testing.TB, n int, run runFunc, opts ...function.Option) *handler {
	tb.Helper()
	s, err := settings.Load(func(name string) string {
		return map[string]string{"SCOREFN_CONCURRENCY": fmt.Sprint(n), "SCOREFN_QUEUE": "0"}[name]
	})
	if err != nil {
		tb.Fatal(err)
	}
	opts = append([]function.Option{
		function.WithModel(modeldir.Model{Name: "lanes"}), function.WithSettings(s), function.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return run, nil }, opts...)
	tb.Cleanup(func() { _ = f.Close() })
	h, err := newHandler(f, []Option{WithStore(newStore(tb)), WithEnv(func(string) string { return "" })})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// barrier is passed by n callers together: each waits for the others.
type barrier struct {
	mu      sync.Mutex
	n, here int
	gate    chan struct{}
}

func newBarrier(n int) *barrier { return &barrier{n: n, gate: make(chan struct{})} }

func (b *barrier) pass(ctx context.Context) error {
	b.mu.Lock()
	gate := b.gate
	if b.here++; b.here == b.n {
		b.here, b.gate = 0, make(chan struct{})
		close(gate)
	}
	b.mu.Unlock()
	select {
	case <-gate:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the others did not come: %w", context.Cause(ctx))
	}
}

func TestPartitionsAreScoredSideBySide(t *testing.T) {
	t.Parallel()
	const width, partitions, records = 3, 6, 4
	together := newBarrier(width)
	var mu sync.Mutex
	next := map[int]int{} // the record that each partition has to go on with
	h := newLanes(t, width, func(ctx context.Context, data json.RawMessage) (any, error) {
		var at [2]int
		if err := json.Unmarshal(data, &at); err != nil {
			return nil, err
		}
		mu.Lock()
		want := next[at[0]]
		next[at[0]]++
		mu.Unlock()
		if at[1] != want {
			return nil, fmt.Errorf("partition %d: record %d came before record %d", at[0], at[1], want)
		}
		return "fine", together.pass(ctx)
	})
	var lists [][]string
	for p := range partitions {
		var list []string
		for r := range records {
			list = append(list, fmt.Sprintf("[%d,%d]", p, r))
		}
		lists = append(lists, list)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of a barrier that nobody else comes to
	defer cancel()
	out, err := h.Invoke(ctx, kafkaOf(lists...))
	if want := `{"batchItemFailures":[]}`; err != nil || string(out) != want {
		t.Errorf("got %s %v, want %s", out, err, want)
	}
	if len(next) != partitions {
		t.Errorf("scored: %v", next)
	}
}

// The lane that fails first is not the first that the log and the answer tell of.
func TestPartitionsAreToldOfInTheirOrder(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	late := make(chan struct{})
	h := newLanes(t, 2, func(ctx context.Context, data json.RawMessage) (any, error) {
		switch string(data) {
		case `"first"`:
			select {
			case <-late:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			return nil, function.Errorf(function.Invalid, "of the first partition")
		case `"second"`:
			return nil, function.Errorf(function.Invalid, "of the second partition")
		case `"last"`: // the second's failure is in its log by now
			close(late)
		}
		return nil, nil
	}, function.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	h.env.drop = true
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := h.Invoke(ctx, kafkaOf([]string{`"fine"`, `"first"`}, []string{`"second"`, `"last"`}, []string{`"second"`}))
	if want := `{"batchItemFailures":[]}`; err != nil || string(out) != want {
		t.Errorf("got %s %v, want %s", out, err, want)
	}
	var items []string
	for line := range strings.Lines(log.String()) {
		if _, after, ok := strings.Cut(line, "item="); ok {
			items = append(items, strings.Fields(after)[0])
		}
	}
	if got, want := strings.Join(items, " "), "t-0/1 t-1/0 t-2/0"; got != want {
		t.Errorf("the log tells of %s, want %s", got, want)
	}
}

func TestAPartitionEndsAtItsFirstFailure(t *testing.T) {
	t.Parallel()
	together := newBarrier(2)
	h := newLanes(t, 2, func(ctx context.Context, data json.RawMessage) (any, error) {
		if string(data) == `"broken"` {
			return nil, errors.Join(errors.New("broken"), together.pass(ctx))
		}
		return "fine", together.pass(ctx)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := h.Invoke(ctx, kafkaOf([]string{"1", `"broken"`, "1"}, []string{"1", "1", "1"}, []string{"1"}))
	want := `{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":1}}]}`
	if err != nil || string(out) != want {
		t.Errorf("got %s %v, want %s", out, err, want)
	}
}
