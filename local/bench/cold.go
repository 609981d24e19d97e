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
)

// coldRun is one start of a process up to its first answer.
type coldRun struct {
	took   time.Duration
	phases []Phase // milliseconds
	answer []byte  // nil for the tools, which print none
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
	times := map[*entrant][]float64{}
	phases := map[*entrant][][]Phase{}
	for round := range b.Cold {
		b.progress("%s: cold starts, round %d of %d", s.name, round+1, b.Cold)
		for _, e := range b.shuffled(part) {
			if e.peer && round%slowRounds > 0 {
				times[e] = append(times[e], math.NaN())
				continue
			}
			run, err := b.cold(ctx, e)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			times[e] = append(times[e], run.took.Seconds()*1e3)
			phases[e] = append(phases[e], run.phases)
		}
	}
	base := times[part[0]]
	for _, e := range part {
		m.Cold = append(m.Cold, Cold{
			Name: e.name, Peer: e.peer, MS: SpreadOf(known(times[e])), Ratio: RatioOf(times[e], base), Phases: medians(phases[e]), Samples: known(times[e]),
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
		took, line, _, err := firstLine(e.print(ctx))
		return coldRun{took: took, answer: line}, err
	case e.lambda != nil:
		f, err := e.lambda()
		if err != nil {
			return r, err
		}
		defer f.stop()
		r.took, r.answer, err = f.cold(ctx, e.body)
		return r, err
	}
	s, err := startServer(ctx, e, func(addr string) *exec.Cmd { return e.serve(ctx, addr) }, b.logFile(e))
	if err != nil {
		return r, err
	}
	s.stop()
	return coldRun{
		took: s.answered, answer: s.answer,
		phases: []Phase{{"process, listening", millis(s.listening)}, {"model, first answer", millis(s.answered - s.listening)}},
	}, nil
}

// coldTool runs a program that prints as limit.c does.
func coldTool(cmd *exec.Cmd) (r coldRun, err error) {
	took, line, _, err := firstLine(cmd)
	if err != nil {
		return r, err
	}
	var load, env, session, run float64
	if _, err := fmt.Sscanf(string(line), "scored %g %g %g %g", &load, &env, &session, &run); err != nil {
		return r, fmt.Errorf("printed %q: %w", line, err)
	}
	r.took = took
	r.phases = []Phase{{"process", millis(took) - (load+env+session+run)/1e6}, {"library, environment", (load + env) / 1e6}, {"session", session / 1e6}, {"first run", run / 1e6}}
	return r, nil
}

// firstLine is the time from the start of a process to the first line that it prints, and everything after that line.
func firstLine(cmd *exec.Cmd) (took time.Duration, line, rest []byte, err error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = group()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, nil, nil, err
	}
	r := bufio.NewReader(out)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, nil, nil, err
	}
	line, readErr := r.ReadBytes('\n')
	took = time.Since(start)
	rest, restErr := io.ReadAll(r)
	if err := cmd.Wait(); err != nil {
		return 0, nil, nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return took, bytes.TrimSpace(line), rest, errors.Join(readErr, restErr)
}
