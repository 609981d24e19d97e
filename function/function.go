package function

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
)

// Function is one entry script with its models, each loaded once. It is safe for concurrent use.
type Function struct {
	init     Init
	log      func() *slog.Logger
	settings settings.Settings
	problem  error // why the settings could not be read: what every call answers
	fixed    *modeldir.Model

	models cell[*modeldir.Repo] // what modeldir finds

	mu     sync.Mutex
	cells  map[modeldir.Model]*cell[*scorer]
	closed bool
}

// Option changes how New makes a Function.
type Option func(*Function)

// WithLogger makes the function log to l instead of slog.Default. Either way the request's id is in every line: see
// [LogHandler].
func WithLogger(l *slog.Logger) Option {
	return func(f *Function) { f.log = func() *slog.Logger { return l } }
}

// WithSettings uses s instead of the process's environment.
func WithSettings(s settings.Settings) Option {
	return func(f *Function) { f.settings, f.problem = s, nil }
}

// WithModel makes m the function's only model, without a search: for scripts that bring their own or need none.
func WithModel(m modeldir.Model) Option { return func(f *Function) { f.fixed = &m } }

// New makes a function of a script. Nothing is loaded before Init or the first Run.
func New(init Init, opts ...Option) *Function {
	f := &Function{init: init, log: slog.Default, cells: map[modeldir.Model]*cell[*scorer]{}}
	f.settings, f.problem = settings.FromEnv()
	for _, o := range opts {
		o(f)
	}
	given := f.log
	f.log = sync.OnceValue(func() *slog.Logger { return slog.New(LogHandler(given().Handler())) }) // a main may set the default first
	f.models.load = func(context.Context) (*modeldir.Repo, error) {
		return modeldir.Open(modeldir.Config{
			AzureMLModelDir: f.settings.AzureMLModelDir,
			ModelDir:        f.settings.ModelDir,
			File:            f.settings.ModelFile,
			Name:            f.settings.ModelName,
			Version:         f.settings.ModelVersion,
		})
	}
	return f
}

// Settings is what the function works with.
func (f *Function) Settings() settings.Settings { return f.settings }

// Init loads the default model and warms it up, or waits for a Run that does so already. A platform calls it before the
// first request; a function that was never given a chance to does it in its first Run. An error is kept for 1, 2, 4 … 30 s.
func (f *Function) Init(ctx context.Context) error {
	_, err := f.scorer(ctx, "", "")
	return err
}

// Script is the loaded script of a model, "" for the default one; it is loaded when it was not. Its owner is f.
func (f *Function) Script(ctx context.Context, model, version string) (Script, error) {
	s, err := f.scorer(ctx, model, version)
	if err != nil {
		return nil, err
	}
	return s.script, nil
}

// Model is what a name and a version stand for, "" for the default one. Nothing is loaded.
func (f *Function) Model(ctx context.Context, name, version string) (modeldir.Model, error) {
	if f.problem != nil {
		return modeldir.Model{}, f.problem
	}
	if f.fixed != nil {
		if name != "" && name != f.fixed.Name || version != "" && version != f.fixed.Version {
			return modeldir.Model{}, Errorf(NotFound, "model %q version %q: %w", name, version, modeldir.ErrNotFound)
		}
		return *f.fixed, nil
	}
	repo, err := f.models.get(ctx)
	if err != nil {
		return modeldir.Model{}, f.loadFailed(ctx, err)
	}
	if name == "" && version == "" {
		m, err := repo.Default()
		if err != nil { // the deployment is ambiguous, which no caller can help
			return m, &Error{Kind: Unavailable, Msg: msgInit, Err: err}
		}
		return m, nil
	}
	return repo.Find(name, version)
}

// Models is every model that can be asked for, by name, then version descending. Nothing is loaded.
func (f *Function) Models(ctx context.Context) ([]modeldir.Model, error) {
	if f.fixed != nil {
		return []modeldir.Model{*f.fixed}, nil
	}
	if f.problem != nil {
		return nil, f.problem
	}
	repo, err := f.models.get(ctx)
	if err != nil {
		return nil, f.loadFailed(ctx, err)
	}
	return repo.Models(), nil
}

// scorer is the loaded model of that name and version.
func (f *Function) scorer(ctx context.Context, name, version string) (*scorer, error) {
	m, err := f.Model(ctx, name, version)
	if err != nil {
		return nil, err
	}
	c, err := f.cell(m)
	if err != nil {
		return nil, err
	}
	s, err := c.get(ctx)
	if err != nil {
		return nil, f.loadFailed(ctx, err)
	}
	return s, nil
}

// loadFailed tells a failed load from a caller that did not wait for it.
func (f *Function) loadFailed(ctx context.Context, err error) error {
	if l, ok := errors.AsType[*loadError](err); ok {
		return &Error{Kind: Unavailable, Msg: msgInit, Err: l.error, RetryAfter: l.wait}
	}
	return f.stopped(ctx, err)
}

// loaded is the models that are loaded, by name, then version.
func (f *Function) loaded() []*scorer {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*scorer
	for _, c := range f.cells {
		if s, ok := c.peek(); ok {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *scorer) int {
		return cmp.Or(strings.Compare(a.model.Name, b.model.Name), strings.Compare(a.model.Version, b.model.Version))
	})
	return list
}

func (f *Function) cell(m modeldir.Model) (*cell[*scorer], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	c := f.cells[m]
	if c == nil {
		c = &cell[*scorer]{load: func(ctx context.Context) (*scorer, error) { return f.load(ctx, m) }}
		f.cells[m] = c
	}
	return c, nil
}

// Close makes every later call fail, waits for loads in flight and closes the scripts. It may be called twice.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	cells := f.cells
	f.cells = nil
	f.mu.Unlock()
	f.models.close()
	var errs []error
	for _, c := range cells {
		s, ok := c.close()
		if !ok {
			continue
		}
		if closer, ok := s.script.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	return errors.Join(errs...)
}
