package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"time"

	"github.com/scorefn/scorefn/local/bench/proc"
)

// coldRun is one start of a process up to its first answer.
type coldRun struct {
	took   time.Duration
	cpu    time.Duration // until then, or until the end of a program that ends by itself; 0 when it is not known
	phases []Phase       // milliseconds
	answer []byte        // nil for the tools, which print none
}

// slowRounds is how many rounds pass between two starts of a peer: most take seconds.
const slowRounds = 5

// coldStarts starts every entrant once a round, in a new order each.
func (b *bench) coldStarts(ctx context.Context, s *subject, all []*entrant, m *Model) error {
	var part []*entrant
	for _, e := range all {
		if !e.warmOnly {
			part = append(part, e)
		}
	}
	times, cpus := map[*entrant][]float64{}, map[*entrant][]float64{}
	phases := map[*entrant][][]Phase{}
	for round := range b.Cold {
		b.progress("%s: cold starts, round %d of %d", s.name, round+1, b.Cold)
		for _, e := range b.shuffled(part) {
			if e.peer && round%slowRounds > 0 {
				times[e], cpus[e] = append(times[e], math.NaN()), append(cpus[e], math.NaN())
				continue
			}
			run, err := b.cold(ctx, e)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			times[e], cpus[e] = append(times[e], millis(run.took)), append(cpus[e], millis(run.cpu))
			phases[e] = append(phases[e], run.phases)
		}
	}
	base := times[part[0]]
	for _, e := range part {
		m.Cold = append(m.Cold, Cold{
			Name: e.name, Peer: e.peer, MS: SpreadOf(known(times[e])), Ratio: RatioOf(times[e], base), CPU: SpreadOf(known(cpus[e])), OfCPU: RatioOf(cpus[e], cpus[part[0]]),
			Phases: medians(phases[e]), Samples: known(times[e]),
		})
	}
	return nil
}

// medians is the median of every phase over several runs.
func medians(runs [][]Phase) []Phase {
	if len(runs) == 0 {
		return nil
	}
	var all []Phase
	for i, p := range runs[0] {
		var v []float64
		for _, r := range runs {
			if i < len(r) {
				v = append(v, r[i].MS)
			}
		}
		all = append(all, Phase{p.Name, SpreadOf(v).Median})
	}
	return all
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// cold starts an entrant, waits for its first answer and ends it.
func (b *bench) cold(ctx context.Context, e *entrant) (r coldRun, err error) {
	switch {
	case e.tool != nil:
		return coldTool(e.tool(ctx, 0))
	case e.print != nil:
		cmd := e.print(ctx)
		took, line, _, said, err := firstLine(cmd)
		return coldRun{took: took, answer: line, cpu: ended(cmd), phases: started("process", took, 0, loadPhases(said))}, err
	case e.lambda != nil:
		f, err := e.lambda()
		if err != nil {
			return r, err
		}
		r.took, r.answer, err = f.first(ctx, e.body)
		r.cpu, _ = proc.Of(f.pid())
		f.stop()
		r.phases = started("process, platform", r.took, 0, loadPhases(f.log.bytes()))
		return r, err
	}
	s, err := startServer(ctx, e, func(addr string) *exec.Cmd { return e.serve(ctx, addr) }, b.logFile(e))
	if err != nil {
		return r, err
	}
	cpu, _ := proc.Of(s.pid())
	phases := started("process, listening", s.answered, s.listening, s.loaded())
	s.stop()
	return coldRun{took: s.answered, answer: s.answer, cpu: cpu, phases: phases}, nil
}

// coldTool runs a program that prints as limit.c does.
func coldTool(cmd *exec.Cmd) (r coldRun, err error) {
	took, line, _, _, err := firstLine(cmd)
	if err != nil {
		return r, err
	}
	var load, env, session, warmup, run float64
	if _, err := fmt.Sscanf(string(line), "scored %g %g %g %g %g", &load, &env, &session, &warmup, &run); err != nil {
		return r, fmt.Errorf("printed %q: %w", line, err)
	}
	r.took, r.cpu = took, ended(cmd)
	r.phases = []Phase{
		{"process", millis(took) - (load+env+session+warmup+run)/1e6},
		{"library, environment", (load + env) / 1e6},
		{"session", session / 1e6},
		{"warm-up", warmup / 1e6},
		{"run", run / 1e6},
	}
	return r, nil
}

// started is a start's phases: up to the one of that name, which took so long if that is known, what the program tells of
// itself, and the rest.
func started(first string, took, until time.Duration, told []Phase) []Phase {
	phases, rest := []Phase(nil), took-until
	if until > 0 {
		phases = append(phases, Phase{first, millis(until)})
	}
	for _, p := range told {
		phases = append(phases, p)
		rest -= time.Duration(p.MS * float64(time.Millisecond))
	}
	rest = max(0, rest) // a busy machine may notice late that it listens
	if until > 0 {
		return append(phases, Phase{"rest", millis(rest)})
	}
	return append(phases, Phase{first + ", rest", millis(rest)})
}

// ended is the CPU time of a process that has ended.
func ended(cmd *exec.Cmd) time.Duration {
	if cmd.ProcessState == nil {
		return 0
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// firstLine is the time from the start of a process to the first line that it prints, everything after that line,
// and what it said on standard error.
func firstLine(cmd *exec.Cmd) (took time.Duration, line, rest, said []byte, err error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = group()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, nil, nil, nil, err
	}
	r := bufio.NewReader(out)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, nil, nil, nil, err
	}
	line, readErr := r.ReadBytes('\n')
	took = time.Since(start)
	rest, restErr := io.ReadAll(r)
	if err := cmd.Wait(); err != nil {
		return 0, nil, nil, nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return took, bytes.TrimSpace(line), rest, stderr.Bytes(), errors.Join(readErr, restErr)
}
