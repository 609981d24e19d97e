package bench

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scorefn/scorefn/local/bench/proc"
)

// instance is an entrant that is running.
type instance struct {
	*entrant

	server   *server
	function *lambdaFunction
	pid      int

	latency []float64         // µs of every request of one client
	p50     []float64         // µs, of each round
	cpu     []float64         // µs a request, of each round
	rate    map[int][]float64 // requests a second by clients, of each round
}

// warmRequests starts everything that serves, and then measures in turns.
func (b *bench) warmRequests(ctx context.Context, s *subject, all []*entrant, m *Model, watched bool) error {
	var running []*instance
	defer func() {
		for _, i := range running {
			i.stop()
		}
	}()
	tools := map[*entrant]*toolRuns{}
	var order []*entrant
	byEntrant := map[*entrant]*instance{}
	for _, e := range all {
		switch {
		case e.coldOnly:
			continue
		case e.tool != nil:
			tools[e] = new(toolRuns)
		default:
			b.progress("%s: starting %s", s.name, e.name)
			i, err := b.launch(ctx, e)
			if err != nil {
				return err
			}
			running = append(running, i)
			byEntrant[e] = i
		}
		order = append(order, e)
	}
	rounds, clients := b.Warm, b.Clients
	if !watched {
		rounds, clients = (b.Warm+1)/2, b.FewClients
	}
	for round := range rounds {
		b.progress("%s: warm requests, round %d of %d", s.name, round+1, rounds)
		for _, e := range b.shuffled(order) {
			var err error
			if t := tools[e]; t != nil {
				err = t.measure(e.tool(ctx, b.Slice.Seconds()))
			} else {
				err = byEntrant[e].measure(ctx, b.Slice, clients)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	m.Runs, m.Warm = summarize(order, tools, byEntrant)
	if watched && b.Requests > 0 {
		return b.watchMemory(ctx, s, running, m)
	}
	return nil
}

// toolRuns is the rounds of a program that prints as limit.c does.
type toolRuns struct {
	ns, cpu []float64
	rssKB   []float64
}

func (t *toolRuns) measure(cmd *exec.Cmd) error {
	_, _, rest, _, err := firstLine(cmd)
	if err != nil {
		return err
	}
	var ns, cpu, rss float64
	if _, err := fmt.Sscan(string(rest), &ns, &cpu, &rss); err != nil {
		return fmt.Errorf("printed %q: %w", rest, err)
	}
	t.ns, t.cpu, t.rssKB = append(t.ns, ns), append(t.cpu, cpu), append(t.rssKB, rss)
	return nil
}

func (b *bench) launch(ctx context.Context, e *entrant) (*instance, error) {
	i := &instance{entrant: e, rate: map[int][]float64{}}
	var err error
	if e.lambda != nil {
		if i.function, err = e.lambda(); err != nil {
			return nil, err
		}
		if _, _, err = i.function.first(ctx, e.body); err != nil {
			i.function.stop()
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		i.pid = i.function.pid()
		return i, nil
	}
	if i.server, err = startServer(ctx, e, func(addr string) *exec.Cmd { return e.serve(ctx, addr) }, b.logFile(e)); err != nil {
		return nil, err
	}
	i.pid = i.server.pid()
	return i, nil
}

func (i *instance) stop() {
	if i.function != nil {
		i.function.stop()
		return
	}
	i.server.stop()
}

// caller sends one request after the other.
func (i *instance) caller(body []byte) (do func(context.Context) ([]byte, error), done func()) {
	if i.function != nil {
		return func(ctx context.Context) ([]byte, error) { return i.function.do(ctx, body) }, func() {}
	}
	c := i.server.client(body)
	return c.do, c.close
}

// unmeasured is how long requests are sent before they count: the caches hold the work of another entrant.
const unmeasured = 20 * time.Millisecond

// measure is one round: one client whose every request is timed, then more clients that are counted.
func (i *instance) measure(ctx context.Context, slice time.Duration, clients []int) error {
	do, done := i.caller(i.body)
	defer done()
	for start := time.Now(); time.Since(start) < unmeasured; {
		if _, err := do(ctx); err != nil {
			return err
		}
	}
	var latency []float64
	cpu, _ := proc.Of(i.pid)
	start := time.Now()
	for now := start; now.Sub(start) < slice; {
		if _, err := do(ctx); err != nil {
			return err
		}
		end := time.Now()
		latency = append(latency, float64(end.Sub(now))/1e3)
		now = end
	}
	took := time.Since(start)
	spent, _ := proc.Of(i.pid)
	i.latency = append(i.latency, latency...)
	i.p50 = append(i.p50, Quantile(latency, 0.5))
	i.cpu = append(i.cpu, float64(spent-cpu)/1e3/float64(len(latency)))
	i.rate[1] = append(i.rate[1], float64(len(latency))/took.Seconds())
	for _, n := range clients {
		if n < 2 || i.function != nil { // an emulated function is one process, which has one caller
			continue
		}
		rate, err := i.crowd(ctx, n, slice)
		if err != nil {
			return err
		}
		i.rate[n] = append(i.rate[n], rate)
	}
	return nil
}

// crowd is the requests a second of n clients.
func (i *instance) crowd(ctx context.Context, n int, slice time.Duration) (float64, error) {
	var work sync.WaitGroup
	var count atomic.Int64
	errs := make(chan error, n)
	start := time.Now()
	for range n {
		work.Go(func() {
			do, done := i.caller(i.body)
			defer done()
			for time.Since(start) < slice {
				if _, err := do(ctx); err != nil {
					errs <- err
					return
				}
				count.Add(1)
			}
		})
	}
	work.Wait()
	took := time.Since(start)
	select {
	case err := <-errs:
		return 0, err
	default:
		return float64(count.Load()) / took.Seconds(), nil
	}
}
