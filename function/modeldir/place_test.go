package modeldir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBundledFoldersInOrder(t *testing.T) {
	t.Parallel()
	base := write(t, "src/go.mod\nsrc/local/deep/x")
	exe := filepath.Join(base, "app", "bin", "scorefn")
	source := filepath.Join(base, "mod", "function", "modeldir", "place.go")
	cwd := filepath.Join(base, "src", "local", "deep")
	want := []string{
		"app/bin/model", "app/model", "app/bin/serverless_function_source_code/model",
		"src/local/deep/serverless_function_source_code/model", "src/model", "mod/model",
	}
	var got []string
	for _, dir := range bundledFor(exe, cwd, source) {
		rel, err := filepath.Rel(base, dir)
		must(t, err)
		got = append(got, filepath.ToSlash(rel))
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if got := bundledFor("", "", "github.com/scorefn/scorefn/function/modeldir/place.go"); len(got) != 0 {
		t.Errorf("with -trimpath and nothing known: got %q", got)
	}
}

func TestFirstBundledFolderThatHoldsAModel(t *testing.T) {
	t.Parallel()
	base := write(t, "one/readme\ntwo/digits/1/model.onnx\nthree/model.onnx\nDIR/other.onnx")
	var dirs []string
	for _, name := range []string{"zero", "one", "two", "three"} {
		dirs = append(dirs, filepath.Join(base, name))
	}
	for _, tt := range []struct {
		name string
		c    Config
		want string
	}{
		{"no setting", Config{}, "digits|1|two/digits/1/model.onnx"},
		{"MODEL_FILE", Config{File: "model.onnx"}, "three||three/model.onnx"},
	} {
		r, err := open(tt.c, dirs)
		must(t, err)
		m, err := r.Default()
		must(t, err)
		if got := show(base, m); got != tt.want || !m.Bundled {
			t.Errorf("%s: got %s bundled %v, want %s", tt.name, got, m.Bundled, tt.want)
		}
	}
	// A folder that was asked for is never replaced.
	if _, err := open(Config{AzureMLModelDir: filepath.Join(base, "one"), ModelDir: filepath.Join(base, "DIR")}, dirs); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want %v", err, ErrNotFound)
	}
	if _, err := open(Config{File: "gone.onnx"}, dirs); err == nil || !strings.Contains(err.Error(), "gone.onnx") {
		t.Errorf("got %v", err)
	}
	_, err := open(Config{}, dirs[:1])
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), dirs[0]) {
		t.Errorf("got %v", err)
	}
}

func TestBundledModelOfThisModuleIsFound(t *testing.T) {
	t.Parallel()
	r, err := Open(Config{})
	must(t, err)
	m, err := r.Default()
	must(t, err)
	if m.Name != "digits" || m.Version != "1" || !m.Bundled {
		t.Errorf("got %+v", m)
	}
	if _, err := os.Stat(m.File); err != nil {
		t.Error(err)
	}
}

func TestAbsoluteModelFileNeedsNoFolder(t *testing.T) {
	t.Parallel()
	base := write(t, "DIR/net.bin")
	r, err := open(Config{File: filepath.Join(base, "DIR", "net.bin"), AzureMLModelDir: "elsewhere"}, nil)
	must(t, err)
	m, err := r.Default()
	must(t, err)
	if got := show(base, m); got != "net||DIR/net.bin" {
		t.Errorf("got %s", got)
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	base := write(t, "DIR/b/c.onnx\nDIR/a\nDIR/z -> b\nDIR/line\nDIR/empty/")
	dir := filepath.Join(base, "DIR")
	want := "Model Directory Contents:\n" + dir + "/\n    a  5 bytes\n    b/\n        c.onnx  12 bytes\n    empty/\n    line  8 bytes\n    z -> b\n"
	if got := filepath.ToSlash(Tree(dir, 200)); got != filepath.ToSlash(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := Tree(dir, 7); strings.Contains(got, "Truncated") {
		t.Errorf("exactly as many lines as allowed: got\n%s", got)
	}
	got := Tree(dir, 3)
	if !strings.HasSuffix(got, "\nOutput Truncated. First 3 lines shown.\n") || strings.Count(got, "\n") != 5 {
		t.Errorf("got\n%s", got)
	}
	if got := Tree(filepath.Join(base, "nope"), 200); !strings.Contains(got, "cannot be read") {
		t.Errorf("got\n%s", got)
	}
	if got := printable("a\nb\x1b\x7f模"); got != "a?b??模" {
		t.Errorf("got %q", got)
	}
}

func TestErrorShowsAtMost200LinesOfTheTree(t *testing.T) {
	t.Parallel()
	base := write(t, "")
	for i := range 300 {
		must(t, os.WriteFile(filepath.Join(base, "DIR", fmt.Sprintf("f%03d", i)), nil, 0o600))
	}
	_, err := open(Config{ModelDir: filepath.Join(base, "DIR")}, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "Output Truncated. First 200 lines shown.") || strings.Count(err.Error(), "\n") != 203 {
		t.Errorf("got %v", err)
	}
}

func TestManyCandidatesAreCutShort(t *testing.T) {
	t.Parallel()
	base := write(t, "")
	for i := range 30 {
		must(t, os.WriteFile(filepath.Join(base, "DIR", fmt.Sprintf("m%02d.onnx", i)), nil, 0o600))
	}
	r, err := open(Config{ModelDir: filepath.Join(base, "DIR")}, nil)
	must(t, err)
	if _, err := r.Default(); err == nil || !strings.HasSuffix(err.Error(), "and 10 more") {
		t.Errorf("got %v", err)
	}
	if _, err := r.Find("x", ""); err == nil || !strings.HasSuffix(err.Error(), `"m19", 10 more`) {
		t.Errorf("got %v", err)
	}
}
