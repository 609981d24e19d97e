package modeldir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxDepth   = 3      // folders below the model folder, and below a version folder
	maxEntries = 10_000 // files and folders looked at in all
)

// candidate is a file that may be a model.
type candidate struct {
	path string // as it is reached from the model folder
	real string // with every symbolic link followed
	err  error  // why it cannot be served
}

// scanner walks a model folder.
type scanner struct {
	root, realRoot string
	left           int // entries
	versions       []entry
	notes          []string // what was passed over and may explain that nothing was found
}

// scanDir finds every model below an absolute path.
func scanDir(root string) (*Repo, []string, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot be read: %w", why(err))
	}
	s := &scanner{root: root, realRoot: real, left: maxEntries}
	files, err := s.folder(root, real, 0, false)
	if err != nil {
		return nil, nil, err
	}
	return &Repo{root: root, entries: s.entries(files)}, s.notes, nil
}

// entries gives the files that lie outside version folders their names and sorts everything.
func (s *scanner) entries(files []candidate) []entry {
	served := map[string]bool{}
	for _, e := range s.versions {
		for _, f := range e.files {
			if f.err == nil {
				served[f.real] = true
			}
		}
	}
	// A link such as digits/latest -> 2 shows a version's file a second time.
	files = slices.DeleteFunc(s.distinct(files), func(f candidate) bool { return served[f.real] })
	all := s.versions
	if base := filepath.Base(s.root); isVersion(base) && len(files) == 1 && len(all) == 0 {
		return []entry{{folderName(filepath.Dir(s.root), s.root), base, files}}
	}
	for _, f := range files {
		all = append(all, entry{fileName(f.path, s.root), "", []candidate{f}})
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.name, b.name), compareVersions(b.version, a.version))
	})
	var merged []entry
	for _, e := range all {
		if n := len(merged); n > 0 && merged[n-1].name == e.name && merged[n-1].version == e.version {
			merged[n-1].files = append(merged[n-1].files, e.files...)
			continue
		}
		merged = append(merged, e)
	}
	return merged
}

// folder returns the models of one folder and what is below it; version folders go to s.versions. real is where dir leads.
func (s *scanner) folder(dir, real string, depth int, inVersion bool) ([]candidate, error) {
	items, err := s.read(dir, real)
	if err != nil {
		return nil, err
	}
	var files []candidate
	for _, it := range items {
		if !it.dir && it.model {
			files = append(files, it.candidate)
		}
	}
	if i := named(files, "model.onnx", "model.ort"); i >= 0 {
		return files[i : i+1], nil
	}
	files = originals(files)
	for _, it := range items {
		version := isVersion(it.name) && !inVersion
		switch {
		case version && (it.dir || it.err != nil):
			found := []candidate{it.candidate} // a bad link, unless it can be walked
			if it.err == nil {
				if found, err = s.folder(it.path, it.real, 0, true); err != nil {
					return nil, err
				}
			}
			if found = s.distinct(found); len(found) > 0 {
				s.versions = append(s.versions, entry{folderName(dir, s.root), it.name, found})
			}
		case it.dir && depth < maxDepth:
			found, err := s.folder(it.path, it.real, depth+1, inVersion)
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
		case it.err != nil && !it.model:
			s.notes = append(s.notes, fmt.Sprintf("passed over %s: %v", it.path, it.err))
		}
	}
	return files, nil
}

// item is one entry of a folder that may lead to a model.
type item struct {
	candidate
	name  string
	dir   bool
	model bool // has a model's extension
}

// read lists a folder without what is hidden, and follows symbolic links.
func (s *scanner) read(dir, real string) ([]item, error) {
	entries, err := readSome(dir, s.left+1)
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder %s: %w (which user does the function run as?)", dir, why(err))
	}
	if s.left -= len(entries); s.left < 0 {
		return nil, fmt.Errorf("more than %d files and folders below %s: name the model's own folder", maxEntries, s.root)
	}
	var items []item
	for _, e := range entries {
		name := e.Name()
		if hidden(name) {
			continue
		}
		it := item{name: name, dir: e.IsDir(), model: isModelFile(name)}
		it.path, it.real = filepath.Join(dir, name), filepath.Join(real, name)
		mode := e.Type()
		if mode&os.ModeSymlink != 0 {
			mode = s.follow(&it)
			if it.dir && within(it.real, real) {
				continue // a loop: the link leads to a folder that it lies in
			}
		}
		if it.err == nil && !it.dir && it.model && !mode.IsRegular() {
			it.err = errors.New("is not a regular file")
		}
		items = append(items, it)
	}
	return items, nil
}

// follow resolves a symbolic link; it may end anywhere inside the model folder.
func (s *scanner) follow(it *item) os.FileMode {
	real, err := filepath.EvalSymlinks(it.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("is a symbolic link to something that does not exist")
		}
		it.err = why(err)
		return 0
	}
	it.real = real
	if !within(s.realRoot, real) {
		it.err = fmt.Errorf("is a symbolic link that leaves the model folder (to %s)", real)
		return 0
	}
	info, err := os.Lstat(real)
	if err != nil {
		it.err = why(err)
		return 0
	}
	it.dir = info.IsDir()
	return info.Mode().Type()
}

// named is the index of the file with the first of these names; the exact spelling comes before another case.
func named(files []candidate, names ...string) int {
	for _, name := range names {
		exact := slices.IndexFunc(files, func(f candidate) bool { return filepath.Base(f.path) == name })
		if exact >= 0 {
			return exact
		}
		if i := slices.IndexFunc(files, func(f candidate) bool { return strings.EqualFold(filepath.Base(f.path), name) }); i >= 0 {
			return i
		}
	}
	return -1
}

// originals drops every x.ort that lies beside an x.onnx.
func originals(files []candidate) []candidate {
	return slices.DeleteFunc(slices.Clone(files), func(f candidate) bool {
		base := filepath.Base(f.path)
		return strings.EqualFold(filepath.Ext(base), ".ort") && named(files, stem(base)+".onnx") >= 0
	})
}

// distinct keeps one path to each file: the file itself before a link to it, then the shortest.
func (s *scanner) distinct(files []candidate) []candidate {
	link := func(f candidate) bool { return below(s.root, f.path) != below(s.realRoot, f.real) }
	best := map[string]candidate{} // by file
	for _, f := range files {
		old, ok := best[f.real]
		if !ok || link(old) && !link(f) || link(old) == link(f) && len(f.path) < len(old.path) {
			best[f.real] = f
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(f candidate) bool { return best[f.real].path != f.path })
}

// fileName is the name of a model outside version folders.
func fileName(path, root string) string {
	if s := stem(filepath.Base(path)); !strings.EqualFold(s, "model") {
		return s
	}
	return folderName(filepath.Dir(path), root)
}

// generic are folder names that export tools choose, not people: they say nothing about the model.
var generic = map[string]bool{
	"model": true, "models": true, "output": true, "outputs": true, "model_output": true, "artifacts": true, "onnx": true,
}

// folderName names a model after its folder.
func folderName(dir, root string) string {
	for dir != root && generic[strings.ToLower(filepath.Base(dir))] && within(root, dir) {
		dir = filepath.Dir(dir)
	}
	if isVersion(filepath.Base(dir)) {
		dir = filepath.Dir(dir)
	}
	name := filepath.Base(dir)
	if isModelFile(name) {
		name = stem(name)
	}
	if name == "." || name == string(filepath.Separator) {
		return "model"
	}
	return name
}

func stem(base string) string { return strings.TrimSuffix(base, filepath.Ext(base)) }

func isModelFile(base string) bool {
	ext := filepath.Ext(base)
	return strings.EqualFold(ext, ".onnx") || strings.EqualFold(ext, ".ort")
}

func hidden(name string) bool {
	return name[0] == '.' || name == "lost+found" || name == "__MACOSX" || name == "__pycache__" || name == "node_modules"
}

func isVersion(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}

// compareVersions orders whole numbers of any length; none comes before all.
func compareVersions(a, b string) int {
	x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if (a == "") != (b == "") {
		return cmp.Compare(len(a), len(b))
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), cmp.Compare(len(b), len(a)))
}

// below is the path from dir to path, "" when there is none.
func below(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return ""
	}
	return rel
}

// within tells whether path is dir or lies below it; both are absolute and clean.
func within(dir, path string) bool {
	return filepath.IsLocal(below(dir, path))
}
