// Package modeldir finds models: through AZUREML_MODEL_DIR and MODEL_DIR, or in the folder bundled with the program. It owns
// names, versions and the choice among several; it opens no model and reads no environment.
//
// # Where it looks
//
// MODEL_FILE names one file, absolute or inside the model folder. Otherwise the model folder is AZUREML_MODEL_DIR, else
// MODEL_DIR (either may also be a file), else the first bundled folder that holds a model: model/ beside the executable or one
// up from it, serverless_function_source_code/model beside the executable or in the working directory, model/ beside the
// nearest go.mod upwards from the working directory, model/ of this module's own source. A folder that was asked for is never
// replaced by a bundled one.
//
// # What is a model
//
// A folder with model.onnx or model.ort is one model. Without them every *.onnx and *.ort is one, to three folders down. An
// .onnx beats the .ort of the same stem beside it: it is the original, and a stale conversion must not be served unseen.
// Hidden files and folders are passed over. A symbolic link may point anywhere inside the model folder; one that leaves it is
// refused with an error, never passed over.
//
// # Names and versions
//
// A folder whose name is a whole number is one version of the folder that holds it: DIR/digits/1/model.onnx and
// DIR/digits/2/any/thing.onnx are versions 1 and 2 of "digits"; numbers compare as numbers. It may hold one model only. When
// DIR itself has such a name and holds one model, as Azure ML mounts it, that model is this version of DIR's parent.
// Everything else has no version. A file's name is its stem; a model.onnx is named after its folder, where model, models,
// output, outputs, model_output, artifacts and onnx say nothing and the next folder up is taken, DIR itself at last.
//
// Two models of one name and version are ambiguous: an error that lists them, as soon as that name is asked for.
package modeldir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// What callers branch on, with [errors.Is].
var (
	ErrNotFound  = errors.New("modeldir: no such model")
	ErrAmbiguous = errors.New("modeldir: more than one model fits")
)

// Model is one model that was found.
type Model struct {
	Name    string // folder name, or the file's name without its extension
	Version string // "" when the model has no version
	Dir     string // absolute path of the folder that holds File and what lies beside it (score.json, sample.json)
	File    string // absolute path of the .onnx or .ort file
	Bundled bool   // found beside the program, not through a setting
}

// Config is what the settings say; "" is not set.
type Config struct {
	AzureMLModelDir string // AZUREML_MODEL_DIR: folder or file
	ModelDir        string // MODEL_DIR: the same, when AZUREML_MODEL_DIR is not set
	File            string // MODEL_FILE: absolute, or inside the model folder
	Name            string // MODEL_NAME: the default model; where a setting names one file, what that model is called
	Version         string // MODEL_VERSION: the version served when a request names none
}

// Repo is the models that were found. It never changes and is safe for concurrent use.
type Repo struct {
	root    string
	bundled bool
	name    string  // of the default model, "" for the only one
	version string  // pinned for name, or for every model when name is ""
	entries []entry // by name, then version descending
}

// entry is what lies under one name and version: one file, or several that cannot be told apart.
type entry struct {
	name, version string
	files         []candidate
}

// Open looks for models. It fails when there is none, or when something cannot be read; which of several models is meant is
// decided, and refused, by [Repo.Default] and [Repo.Find].
func Open(c Config) (*Repo, error) { return open(c, bundledDirs()) }

// Root is the absolute path of the model folder.
func (r *Repo) Root() string { return r.root }

// Models is every model that can be served, by name, then version descending.
func (r *Repo) Models() []Model {
	var all []Model
	for _, e := range r.entries {
		if m, err := r.model(e); err == nil {
			all = append(all, m)
		}
	}
	return all
}

// Default is the only model, or the one that MODEL_NAME and MODEL_VERSION choose; of several versions the highest.
func (r *Repo) Default() (Model, error) { return r.Find("", "") }

// Find returns a model that Open found. An empty name is the default model, an empty version the one that MODEL_VERSION
// pins, else the highest. Both may come straight from a request: they are compared, never made part of a path. The text of an
// error that wraps ErrNotFound names models but no path.
func (r *Repo) Find(name, version string) (Model, error) {
	if err := plain("name", name); err != nil {
		return Model{}, err
	}
	if err := plain("version", version); err != nil {
		return Model{}, err
	}
	pinned := ""
	if version == "" && (r.name == "" || name == "" || name == r.name) {
		version, pinned = r.version, r.version
	}
	if name == "" {
		var err error
		if name, err = r.defaultName(); err != nil {
			return Model{}, err
		}
	}
	first := slices.IndexFunc(r.entries, func(e entry) bool { return e.name == name })
	if first < 0 {
		return Model{}, fail(ErrNotFound, "modeldir: no model %q: there is %s", name, r.names())
	}
	versions := r.entries[first:]
	if end := slices.IndexFunc(versions, func(e entry) bool { return e.name != name }); end >= 0 {
		versions = versions[:end]
	}
	if version == "" {
		if last := versions[len(versions)-1]; len(versions) > 1 && last.version == "" {
			return Model{}, fail(ErrAmbiguous, "modeldir: model %q lies in version folders and beside them: remove one, "+
				"name a version, or set MODEL_FILE:%s", name, r.list(versions))
		}
		return r.model(versions[0])
	}
	for _, e := range versions {
		if e.version == version {
			return r.model(e)
		}
	}
	from := ""
	if pinned != "" {
		from = " (MODEL_VERSION)"
	}
	return Model{}, fail(ErrNotFound, "modeldir: model %q has no version %q%s: there is %s", name, version, from, versionNames(versions))
}

func (r *Repo) defaultName() (string, error) {
	if r.name != "" {
		if !slices.ContainsFunc(r.entries, func(e entry) bool { return e.name == r.name }) {
			return "", fail(ErrNotFound, "modeldir: MODEL_NAME=%q: no such model: there is %s", r.name, r.names())
		}
		return r.name, nil
	}
	first, last := r.entries[0].name, r.entries[len(r.entries)-1].name
	if first != last {
		return "", fail(ErrAmbiguous, "modeldir: several models in %s: set MODEL_NAME to one of these names, or MODEL_FILE to "+
			"one of these files:%s", r.root, r.list(r.entries))
	}
	return first, nil
}

// model makes sure that an entry is one usable file.
func (r *Repo) model(e entry) (Model, error) {
	if len(e.files) > 1 {
		return Model{}, fail(ErrAmbiguous, "modeldir: several files for model %s: leave one, call one model.onnx, or set "+
			"MODEL_FILE to one of these:%s", e.label(), r.list([]entry{e}))
	}
	f := e.files[0]
	if f.err != nil {
		return Model{}, fmt.Errorf("modeldir: model %s: %s: %w", e.label(), r.rel(f.path), f.err)
	}
	return Model{Name: e.name, Version: e.version, Dir: filepath.Dir(f.path), File: f.path, Bundled: r.bundled}, nil
}

func (e entry) label() string {
	if e.version == "" {
		return fmt.Sprintf("%q", e.name)
	}
	return fmt.Sprintf("%q version %s", e.name, e.version)
}

// The most that an error text lists.
const listed = 20

// list is one line a file: name, version, path below the model folder.
func (r *Repo) list(entries []entry) string {
	var b strings.Builder
	n := 0
	for _, e := range entries {
		for _, f := range e.files {
			if n++; n <= listed {
				fmt.Fprintf(&b, "\n  %s: %s", e.label(), r.rel(f.path))
			}
		}
	}
	if n > listed {
		fmt.Fprintf(&b, "\n  and %d more", n-listed)
	}
	return b.String()
}

// names lists the models without a path, so that a client may read it.
func (r *Repo) names() string {
	var names []string
	for _, e := range r.entries {
		names = append(names, fmt.Sprintf("%q", e.name))
	}
	return shorten(slices.Compact(names))
}

func versionNames(entries []entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, cmp.Or(e.version, "one without a version"))
	}
	return shorten(names)
}

func shorten(names []string) string {
	if more := len(names) - listed; more > 0 {
		names = append(names[:listed:listed], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func (r *Repo) rel(path string) string { return cmp.Or(below(r.root, path), path) }

// longest is more than any file system allows for the name of a folder.
const longest = 255

// plain refuses what cannot be the name of a folder, so that no later mistake could turn it into a path.
func plain(what, text string) error {
	switch {
	case len(text) > longest:
		return fail(ErrNotFound, "modeldir: model %s of %d bytes: too long", what, len(text))
	case !utf8.ValidString(text), strings.ContainsAny(text, "/\\\x00"), text == ".", text == "..":
		return fail(ErrNotFound, "modeldir: model %s %q: not a plain name", what, text)
	}
	return nil
}

// failure is a text with a sentinel behind it: the text alone is written for its reader.
type failure struct {
	text string
	kind error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.kind }

func fail(kind error, format string, a ...any) error {
	return &failure{fmt.Sprintf(format, a...), kind}
}

// why is the operating system's reason without the path, which the texts here name themselves.
func why(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
