package modeldir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// treeLines is how much of a folder's tree the log and the errors show, as Azure ML's server does.
const treeLines = 200

// open resolves the settings, with the bundled folders handed in by tests.
func open(c Config, bundled []string) (*Repo, error) {
	setting, dir := "AZUREML_MODEL_DIR", c.AzureMLModelDir
	if dir == "" {
		setting, dir = "MODEL_DIR", c.ModelDir
	}
	for _, s := range []struct{ name, value string }{{"MODEL_NAME", c.Name}, {"MODEL_VERSION", c.Version}} {
		if plain("", s.value) != nil {
			return nil, fmt.Errorf("modeldir: %s=%q: not a plain name of at most %d bytes", s.name, s.value, longest)
		}
	}
	if filepath.IsAbs(c.File) {
		return single(c, "MODEL_FILE", c.File, "", false)
	}
	if dir == "" {
		return openBundled(c, bundled)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("modeldir: %s=%q: %w", setting, dir, err)
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("modeldir: %s=%q: there is no such folder or file%s: %w", setting, dir, showAbs(dir, abs), fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("modeldir: %s=%q: cannot be read: %w", setting, dir, why(err))
	case !info.IsDir() && c.File == "":
		return single(c, setting, abs, "", false)
	case !info.IsDir():
		abs = filepath.Dir(abs)
	}
	if c.File != "" {
		return single(c, "MODEL_FILE", filepath.Join(abs, c.File), abs, false)
	}
	r, notes, err := scanDir(abs)
	if err != nil {
		return nil, fmt.Errorf("modeldir: %s=%q: %w", setting, dir, err)
	}
	if len(r.entries) == 0 {
		return nil, notFound(c, abs, notes, nil)
	}
	r.name, r.version = c.Name, c.Version
	return r, nil
}

func showAbs(dir, abs string) string {
	if filepath.IsAbs(dir) {
		return ""
	}
	return " (" + abs + ")"
}

// openBundled takes the first bundled folder that holds a model, or MODEL_FILE.
func openBundled(c Config, dirs []string) (*Repo, error) {
	var root string // the first folder that exists, for the error
	var notes []string
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		root = cmp.Or(root, dir)
		if c.File != "" {
			if _, err := os.Lstat(filepath.Join(dir, c.File)); err == nil {
				return single(c, "MODEL_FILE", filepath.Join(dir, c.File), dir, true)
			}
			continue
		}
		r, n, err := scanDir(dir)
		if err != nil {
			return nil, fmt.Errorf("modeldir: bundled model folder %s: %w", dir, err)
		}
		if len(r.entries) > 0 {
			r.bundled, r.name, r.version = true, c.Name, c.Version
			return r, nil
		}
		notes = append(notes, n...)
	}
	if c.File != "" && root != "" {
		return single(c, "MODEL_FILE", filepath.Join(root, c.File), root, true)
	}
	return nil, notFound(c, root, notes, dirs)
}

// single is the repository of one file that a setting names. inside is the folder that it may not leave, "" for none.
func single(c Config, setting, file, inside string, bundled bool) (*Repo, error) {
	file = filepath.Clean(file)
	refuse := func(format string, a ...any) error {
		dir := cmp.Or(inside, filepath.Dir(file))
		return fmt.Errorf("modeldir: %s: %s: %w\n%s", setting, file, fmt.Errorf(format, a...), strings.TrimSuffix(Tree(dir, treeLines), "\n"))
	}
	if inside != "" && !filepath.IsLocal(c.File) {
		return nil, fail(ErrNotFound, "modeldir: MODEL_FILE=%q leaves the model folder %s: use an absolute path for a file elsewhere", c.File, inside)
	}
	real, err := filepath.EvalSymlinks(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse("there is no such file: %w", fs.ErrNotExist)
	case err != nil:
		return nil, refuse("cannot be read: %w", why(err))
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return nil, refuse("cannot be read: %w", why(err))
	case info.IsDir():
		return nil, refuse("is a folder, expected a file")
	case !info.Mode().IsRegular():
		return nil, refuse("is not a regular file")
	}
	root := cmp.Or(inside, filepath.Dir(file))
	if inside != "" {
		realRoot, err := filepath.EvalSymlinks(inside)
		if err != nil {
			return nil, refuse("cannot be read: %w", why(err))
		}
		if !within(realRoot, real) {
			return nil, refuse("a symbolic link leaves the model folder (to %s)", real)
		}
	}
	name, version := fileName(file, root), ""
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if v := filepath.Base(dir); isVersion(v) && (dir != root || version == "") {
			name, version = folderName(filepath.Dir(dir), root), v
		}
		if dir == root {
			break
		}
	}
	e := entry{cmp.Or(c.Name, name), cmp.Or(c.Version, version), []candidate{{path: file, real: real}}}
	return &Repo{root: root, bundled: bundled, entries: []entry{e}}, nil
}

// notFound says what was looked for, where, through which settings, and what is there instead.
func notFound(c Config, dir string, notes, looked []string) error {
	var b strings.Builder
	if dir == "" {
		b.WriteString("modeldir: no model: no folder is set, and none is bundled with the program")
	} else {
		fmt.Fprintf(&b, "modeldir: no model in %s: expected model.onnx, or one .onnx or .ort file at most %d folders down", dir, maxDepth)
	}
	b.WriteString("\nsettings:")
	for _, s := range []struct{ name, value string }{
		{"AZUREML_MODEL_DIR", c.AzureMLModelDir}, {"MODEL_DIR", c.ModelDir}, {"MODEL_FILE", c.File},
	} {
		if s.value == "" {
			fmt.Fprintf(&b, " %s is not set;", s.name)
		} else {
			fmt.Fprintf(&b, " %s=%q;", s.name, s.value)
		}
	}
	lines := []string{strings.TrimSuffix(b.String(), ";")}
	if len(looked) > 0 {
		lines = append(lines, "bundled folders looked at: "+strings.Join(looked, ", "))
	}
	lines = append(lines, notes...)
	if dir != "" {
		lines = append(lines, strings.TrimSuffix(Tree(dir, treeLines), "\n"))
	}
	return fail(ErrNotFound, "%s", strings.Join(lines, "\n"))
}

// sourceDir is what the functions builder of Google Cloud calls the folder with the uploaded source.
const sourceDir = "serverless_function_source_code"

// bundledDirs is where a model may lie that came with the program, best first.
func bundledDirs() []string {
	exe, err := os.Executable()
	if err != nil {
		exe = ""
	} else if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real // a link in a PATH folder stands for the program where it was installed
	}
	cwd, err := os.Getwd()
	if err != nil {
		cwd = ""
	}
	_, source, _, _ := runtime.Caller(0)
	return bundledFor(exe, cwd, source)
}

func bundledFor(exe, cwd, source string) []string {
	var dirs []string
	add := func(parts ...string) { dirs = append(dirs, filepath.Join(parts...)) }
	if exe != "" {
		bin := filepath.Dir(exe)
		add(bin, "model")
		add(bin, "..", "model")
		add(bin, sourceDir, "model")
	}
	if cwd != "" {
		add(cwd, sourceDir, "model")
		for dir := cwd; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				add(dir, "model")
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if filepath.IsAbs(source) { // not with -trimpath
		add(filepath.Dir(source), "..", "..", "model")
	}
	return slices.Compact(dirs)
}
