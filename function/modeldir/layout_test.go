package modeldir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a folder from a text of one path a line: "a/b.onnx" is a file, "a/b/" a folder, "a -> b" a symbolic link. The
// model folder is DIR below it, beside which files outside can lie.
func write(tb testing.TB, layout string) (base string) {
	tb.Helper()
	// Not TempDir() itself: its name is a number, which is a version here.
	base = filepath.Join(tb.TempDir(), "base")
	must(tb, os.MkdirAll(filepath.Join(base, "DIR"), 0o755))
	for line := range strings.Lines(layout) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		path, target, link := strings.Cut(line, " -> ")
		path = filepath.Join(base, path)
		must(tb, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case link:
			if err := os.Symlink(strings.ReplaceAll(target, "BASE", base), path); err != nil {
				tb.Skipf("no symbolic links here: %v", err)
			}
		case strings.HasSuffix(line, "/"):
			must(tb, os.MkdirAll(path, 0o755))
		default:
			must(tb, os.WriteFile(path, []byte(line), 0o600))
		}
	}
	return base
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// show is a model as "name version path", the path below base.
func show(base string, m Model) string {
	rel, err := filepath.Rel(base, m.File)
	if err != nil {
		return m.File
	}
	return strings.Join([]string{m.Name, m.Version, filepath.ToSlash(rel)}, "|")
}

func showAll(base string, models []Model) string {
	var all []string
	for _, m := range models {
		all = append(all, show(base, m))
	}
	return strings.Join(all, " ")
}
