package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// SampleFile is the name of the request body beside a model that shows how to call it, and that warms it up.
const SampleFile = "sample.json"

// scorer is one loaded model.
type scorer struct {
	script      Script
	gate        *gate
	joiner      *batch.Joiner // lets requests share runs; nil when they do not
	model       modeldir.Model
	selfChecked bool            // the script refuses data that is not JSON
	whole       bool            // the script takes the body as it is
	parameters  []Parameter     // those that the script declares; nil: data
	inputs      []string        // names of the model's inputs
	decoder     *tensor.Decoder // for these inputs; nil when the script is no Inferer
	cold        atomic.Bool     // nothing was asked yet
	stats       stats
	sample      []byte // a request body
	answer      []byte // of the sample
	asked       sync.Once
}

// load runs the script's init and one request through the whole path: the first run of a session is slower than the others,
// most of all when its weights are mapped and their pages have to be read.
func (f *Function) load(ctx context.Context, m modeldir.Model) (*scorer, error) {
	start := time.Now()
	script, err := f.init(settings.With(ctx, f.settings), m)
	if err != nil {
		return nil, withTree(m, err)
	}
	if script == nil {
		return nil, errors.New("init returned neither a script nor an error")
	}
	ok := false
	defer func() { // a panic in what follows must not leak the session
		if c, is := script.(io.Closer); is && !ok {
			_ = c.Close() // the panic is the error that counts
		}
	}()
	s := &scorer{script: script, model: m}
	s.describe(f.settings)
	concurrency := f.settings.Concurrency
	if concurrency == 0 {
		concurrency = f.settings.VCPUs()
		if c, is := script.(Concurrent); is {
			concurrency = c.Concurrency()
		}
	}
	loaded := time.Now()
	joiner := f.joiner(ctx, s, concurrency)
	f.warmUp(ctx, s)
	if f.joins(ctx, s, joiner) {
		s.joiner = joiner
		concurrency = joiner.Calls() // it bounds the runs
	}
	s.gate = newGate(concurrency, f.settings.Queue)
	f.log().LogAttrs(ctx, slog.LevelInfo, "model loaded", slog.String("model", m.Name), slog.String("version", m.Version),
		slog.String("file", m.File), ms("loadMs", loaded.Sub(start)), ms("warmupMs", time.Since(loaded)))
	ok = true
	s.cold.Store(true)
	return s, nil
}

// describe finds out what else the script can do.
func (s *scorer) describe(set settings.Settings) {
	_, s.selfChecked = s.script.(SelfChecking)
	_, s.whole = s.script.(WholeBody)
	if n, ok := s.script.(Named); ok {
		s.parameters = n.Parameters()
	}
	m, ok := s.script.(Inferer)
	if !ok {
		return
	}
	for _, in := range m.Inputs() {
		s.inputs = append(s.inputs, in.Name)
	}
	s.decoder = tensor.NewDecoder(m.Inputs(), tensor.DecodeOptions{MaxElements: set.MaxElements, Lenient: set.Lenient})
}

// withTree adds what lies in the model's folder to an error of its init: most of them are about a file.
func withTree(m modeldir.Model, err error) error {
	if m.Dir == "" {
		return err
	}
	return fmt.Errorf("%w\n%s", err, modeldir.Tree(m.Dir, treeLines))
}

// treeLines is how much of a model folder is listed, as much as the reference server lists.
const treeLines = 200

// warmUp scores the sample. A sample that fails says nothing about other requests, so that it is logged and no more.
func (f *Function) warmUp(ctx context.Context, s *scorer) {
	var err error
	if s.sample, err = sample(s); err != nil {
		f.log().WarnContext(ctx, "the sample could not be read", "model", s.model.Name, "error", err)
		return
	}
	if w, ok := s.script.(Warmed); !ok || !w.Warmed() {
		f.scoreSample(ctx, s)
	}
}

// scoreSample scores the sample, once.
func (f *Function) scoreSample(ctx context.Context, s *scorer) {
	s.asked.Do(func() {
		if s.sample == nil {
			return
		}
		err := recovered(func() error {
			r, err := f.append(ctx, new(Call), nil, s, &Request{Body: s.sample, ContentType: jsonType})
			s.answer = r.Body
			return err
		})
		if err != nil {
			s.answer = nil
			f.log().WarnContext(ctx, "the sample was not scored", "model", s.model.Name, "error", err)
		}
	})
}

// sample is the request body to warm up with; nil when there is none.
func sample(s *scorer) ([]byte, error) {
	if sm, ok := s.script.(Sampler); ok {
		if b := sm.Sample(); b != nil {
			return b, nil
		}
	}
	if s.model.Dir == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(s.model.Dir, SampleFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
