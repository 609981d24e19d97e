package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/scorefn/scorefn/function/onnx"
)

// Config is what is measured, and how often.
type Config struct {
	Root       string   // folder of the source: what is measured is built from it
	Dir        string   // folder for programs, models and logs
	Library    string   // ONNX Runtime; "" searches as scorefn does
	Models     []string // folders, or NAME=FOLDER; the first is also watched over Requests requests, the others get half the warm rounds
	Made       []string // names of the models that local/bench/models writes; they are measured baked, too
	Peers      []string // which of PeerNames take part, if they are set up
	Threads    int      // of one run; 0: 1 for a model under 1 MiB, else the vCPUs
	Cold       int      // rounds of cold starts
	Warm       int      // rounds of warm requests
	Slice      time.Duration
	Requests   int    // that memory is watched over; 0: none
	Clients    []int  // at the same time
	FewClients []int  // the same, with every model but the first
	Seed       uint64 // of the order within each round
	Progress   func(line string)
}

// bench is one run.
type bench struct {
	Config

	programs programs
	rng      *rand.Rand
	start    time.Time
}

// Run measures. What one entrant that is not ours cannot do is noted in the report and does not stop the others. With an error
// comes the report of the models that had been measured, nil where there is none.
func Run(ctx context.Context, c Config) (*Report, error) {
	b := newBench(c)
	if err := os.MkdirAll(filepath.Join(b.Dir, "bin"), 0o755); err != nil {
		return nil, err
	}
	if err := onnx.Load(b.Library); err != nil {
		return nil, err
	}
	b.Library = onnx.LibraryPath()
	return b.run(ctx, func() (err error) {
		b.programs, err = build(ctx, b.Root, b.Dir, b.progress)
		return err
	})
}

func newBench(c Config) *bench {
	return &bench{Config: c, rng: rand.New(rand.NewPCG(c.Seed, 0)), start: time.Now()}
}

// run measures, after it has looked at the models and has had the programs built: a model that cannot take part is told before
// anything else takes its time.
func (b *bench) run(ctx context.Context, build func() error) (*Report, error) {
	subjects, err := b.subjects(ctx, b.Models, nil)
	if err != nil {
		return nil, err
	}
	if err := build(); err != nil {
		return nil, err
	}
	if subjects, err = b.make(ctx, subjects); err != nil {
		return nil, err
	}
	report := &Report{
		Format: ReportFormat, Machine: describeMachine(b.start), ColdRounds: b.Cold, WarmRounds: b.Warm, Slice: b.Slice.String(), Clients: b.Clients,
	}
	for i, s := range subjects {
		m, err := b.model(ctx, s, i == 0)
		report.Took = time.Since(b.start).Round(time.Second).String()
		if err != nil {
			if len(report.Models) == 0 {
				report = nil
			}
			return report, fmt.Errorf("model %s: %w", s.name, err)
		}
		report.Models = append(report.Models, m)
	}
	return report, nil
}

// subjects prepares the models in folders, and returns them behind those that it is given.
func (b *bench) subjects(ctx context.Context, dirs []string, all []*subject) ([]*subject, error) {
	for _, dir := range dirs {
		s, err := newSubject(ctx, dir, b.Dir, b.Library, b.Threads, runtime.GOMAXPROCS(0))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other *subject) bool { return other.name == s.name }) {
			return nil, fmt.Errorf("two models are called %s: give one of them another name, NAME=FOLDER", s.name)
		}
		all = append(all, s)
	}
	return all, nil
}

// make writes the models of Made, bakes them and returns them behind the others.
func (b *bench) make(ctx context.Context, others []*subject) ([]*subject, error) {
	if len(b.Made) == 0 {
		return others, nil
	}
	b.progress("writing the models %v", b.Made)
	folder := filepath.Join(b.Dir, "models")
	if _, err := output(ctx, b.Root, b.programs["models"], append([]string{folder}, b.Made...)...); err != nil {
		return nil, err
	}
	var dirs []string
	for _, name := range b.Made {
		dirs = append(dirs, name+"="+filepath.Join(folder, name))
	}
	all, err := b.subjects(ctx, dirs, others)
	if err != nil {
		return nil, err
	}
	for _, s := range all[len(others):] {
		if err := b.bake(ctx, s); err != nil {
			return nil, fmt.Errorf("model %s: %w", s.name, err)
		}
	}
	return all, nil
}

// progress says what is being done, and since when.
func (b *bench) progress(format string, a ...any) {
	if b.Progress != nil {
		b.Progress(fmt.Sprintf("%5.0fs  ", time.Since(b.start).Seconds()) + fmt.Sprintf(format, a...))
	}
}

// model measures one model.
func (b *bench) model(ctx context.Context, s *subject, watched bool) (*Model, error) {
	m := &Model{Name: s.name, Bytes: s.bytes, Threads: s.threads, Body: len(s.body)}
	all, err := b.check(ctx, s, m)
	if err != nil {
		return nil, err
	}
	if b.Cold > 0 {
		if err := b.coldStarts(ctx, s, all, m); err != nil {
			return nil, err
		}
	}
	if b.Warm > 0 {
		if err := b.warmRequests(ctx, s, all, m, watched); err != nil {
			return nil, err
		}
	}
	m.Budgets = m.budgets()
	return m, nil
}

// check starts every entrant once, so that files are in memory, and compares the answers. It returns those that take part.
func (b *bench) check(ctx context.Context, s *subject, m *Model) (able []*entrant, err error) {
	for _, e := range b.entrants(s) {
		b.progress("%s: checking the answer of %s", s.name, e.name)
		run, err := b.cold(ctx, e)
		if err == nil && run.answer != nil {
			if s.answer == nil {
				s.answer = run.answer // "scorefn invoke" comes first
				err = os.WriteFile(s.answerFile(), s.answer, 0o600)
			}
			if err == nil {
				err = e.same(run.answer, s.answer)
			}
		}
		if err == nil {
			able = append(able, e)
			continue
		}
		if ctx.Err() != nil || !e.mayFail() {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		b.progress("%s: %s is left out: %v", s.name, e.name, err)
		m.Skipped = append(m.Skipped, fmt.Sprintf("%s: %.300s", e.name, err))
	}
	return able, nil
}

// mayFail tells what is not scorefn: it need not be able to serve every model.
func (e *entrant) mayFail() bool { return e.peer || !e.ours && e.serve != nil && !e.warmOnly }

// shuffled is the order of one round: no entrant is always the one after another.
func (b *bench) shuffled(all []*entrant) []*entrant {
	order := make([]*entrant, len(all))
	for i, j := range b.rng.Perm(len(all)) {
		order[i] = all[j]
	}
	return order
}
