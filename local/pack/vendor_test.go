package pack_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/pack"
)

// twoModules is a module that is nowhere published, and one that it takes from a folder.
var twoModules = map[string]string{
	"mine/go.mod":              "module mine\n\ngo 1.24\n\nrequire example.com/dep/v2 v2.0.3\n\nreplace example.com/dep/v2 => ../dep\n",
	"mine/score/score.go":      "package score\n\nimport (\n\t_ \"embed\"\n\n\t\"example.com/dep/v2/native\"\n)\n\n//go:embed words.txt\nvar words string\n\nvar Two = native.Two() + len(words) + size\n",
	"mine/score/words.txt":     "words",
	"mine/score/new.go":        "//go:build go1.25\n\npackage score\n\nconst size = 1\n",
	"mine/score/old.go":        "//go:build !go1.25\n\npackage score\n\nconst size = 2\n",
	"mine/score/tool.go":       "//go:build ignore\n\npackage main\n",
	"mine/score/a_test.go":     "package score\n",
	"mine/score/a_windows.go":  "package score\n\nimport _ \"example.com/nowhere\"\n",
	"mine/unused/unused.go":    "package unused\n",
	"mine/cmd/main.go":         "package main\n\nfunc main() {}\n",
	"dep/go.mod":               "module example.com/dep/v2\n\ngo 1.21.3\n",
	"dep/LICENSE":              "do what you like",
	"dep/licence.go":           "package dep\n",
	"dep/native/native.go":     "package native\n\n// #include \"native.h\"\nimport \"C\"\n\nfunc Two() int { return int(C.two()) }\n",
	"dep/native/native.c":      "#include \"native.h\"\nint two(void) { return TWO; }\n",
	"dep/native/native.h":      "#define TWO 2\nint two(void);\n",
	"dep/native/COPYING.txt":   "the same",
	"dep/native/testdata/x.go": "package x\n",
}

func linux(dir string, progress *bytes.Buffer) *pack.GoTarget {
	return &pack.GoTarget{GOOS: "linux", GOARCH: "amd64", Dir: dir, Progress: progress}
}

func TestVendoredSourceIsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, twoModules)
	var progress bytes.Buffer
	source, err := pack.ListGo(t.Context(), linux(filepath.Join(dir, "mine"), &progress), "./score")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	files := pack.Files{{Name: "go.mod", Text: source.GoMod("made by a test", "a.b/c")}}
	if err := source.Vendor(&files); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	want := []string{
		"go.mod",
		"vendor/example.com/dep/v2/LICENSE",
		"vendor/example.com/dep/v2/native/COPYING.txt",
		"vendor/example.com/dep/v2/native/native.c",
		"vendor/example.com/dep/v2/native/native.go",
		"vendor/example.com/dep/v2/native/native.h",
		"vendor/mine/score/new.go",
		"vendor/mine/score/old.go", // an older Go than the one here may build it
		"vendor/mine/score/score.go",
		"vendor/mine/score/words.txt",
		"vendor/modules.txt",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(names, " "), strings.Join(want, " "))
	}
	if got, want := files[0].Text, "// made by a test\n\nmodule a.b/c\n\ngo 1.24\n\nrequire (\n\tmine v0.0.0\n)\n\nrequire (\n\texample.com/dep/v2 v2.0.3 // indirect\n)\n"; got != want {
		t.Errorf("go.mod: got\n%swant\n%s", got, want)
	}
	modules := "# example.com/dep/v2 v2.0.3\n## explicit; go 1.21\nexample.com/dep/v2/native\n# mine v0.0.0\n## explicit; go 1.24\nmine/score\n"
	if got := files[len(files)-1].Text; got != modules {
		t.Errorf("modules.txt: got\n%swant\n%s", got, modules)
	}
	if source.Packages() != 2 || source.Language != "1.24" {
		t.Errorf("%d packages, Go %s", source.Packages(), source.Language)
	}
}

func TestVendoredSourceBuildsOffline(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("gcc is not installed")
	}
	dir := t.TempDir()
	write(t, dir, twoModules)
	var progress bytes.Buffer
	source, err := pack.ListGo(t.Context(), linux(filepath.Join(dir, "mine"), &progress), "./score")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	out := filepath.Join(dir, "out")
	files := pack.Files{
		{Name: "go.mod", Text: source.GoMod("made by a test", "a.b/c")},
		{Name: "main.go", Text: "package main\n\nimport \"mine/score\"\n\nfunc main() { println(score.Two) }\n"},
	}
	if err := source.Vendor(&files); err != nil {
		t.Fatal(err)
	}
	if err := files.Folder(out, "go.mod", func(string) error { return os.RemoveAll(filepath.Join(dir, "mine")) }); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-trimpath", ".")
	cmd.Dir = out
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOPROXY=off", "GOWORK=off", "GOFLAGS=-mod=vendor", "GOMODCACHE="+filepath.Join(dir, "empty"))
	if got, err := cmd.CombinedOutput(); err != nil || string(got) != "8\n" { // 2 + 5 + 1
		t.Errorf("%v: %s", err, got)
	}
}

func TestGoPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, twoModules)
	for _, tt := range []struct{ pattern, want, err string }{
		{"./score", "mine/score score", ""},
		{"mine/cmd", "mine/cmd main", ""},
		{"example.com/dep/v2/native", "example.com/dep/v2/native native", ""},
		{"./...", "", "names 3 packages"},
		{"./none", "", "go list ./none"},
	} {
		var progress bytes.Buffer
		found, err := pack.GoPackages(t.Context(), linux(filepath.Join(dir, "mine"), &progress), tt.pattern)
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want %s", tt.pattern, err, tt.err)
			}
		case err != nil:
			t.Errorf("%s: %v\n%s", tt.pattern, err, progress.String())
		case found[0].Path+" "+found[0].Name != tt.want:
			t.Errorf("%s: got %+v, want %s", tt.pattern, found[0], tt.want)
		}
	}
}

// A module that was not asked for yet is added in a copy of go.mod.
func TestDetachedModule(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, twoModules)
	mine := filepath.Join(dir, "mine")
	const mod = "module mine\n\ngo 1.24\n\nreplace example.com/dep/v2 => ../dep\n"
	write(t, mine, map[string]string{"go.mod": mod})
	var progress bytes.Buffer
	target := linux(mine, &progress)
	if _, err := pack.ListGo(t.Context(), target, "./score"); err == nil {
		t.Error("nothing requires the module, and it is found")
	}
	closeCopy, err := target.Detach(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	source, err := pack.ListGo(t.Context(), target, "./score")
	if err != nil || source.Packages() != 2 {
		t.Errorf("%+v, %v\n%s", source, err, progress.String())
	}
	if got, err := os.ReadFile(filepath.Join(mine, "go.mod")); err != nil || string(got) != mod {
		t.Errorf("go.mod is %q, %v", got, err)
	}
	if err := closeCopy(); err != nil {
		t.Error(err)
	}
	if _, err := pack.ListGo(t.Context(), target, "./score"); err == nil {
		t.Error("the copy is still there")
	}
	if _, err := target.Detach(t.Context(), filepath.Join(dir, "none")); err == nil {
		t.Error("there is no go.mod to copy")
	}
}

func TestVersionOfAModuleThatHasNone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"mine": "v0.0.0", "a.b/c": "v0.0.0", "a.b/c/v3": "v3.0.0", "gopkg.in/c.v2": "v2.0.0", "a.b/very": "v0.0.0"} {
		dir := t.TempDir()
		write(t, dir, map[string]string{"go.mod": "module " + path + "\n\ngo 1.26\n", "m.go": "package m\n"})
		var progress bytes.Buffer
		source, err := pack.ListGo(t.Context(), linux(dir, &progress), ".")
		if err != nil {
			t.Fatalf("%v\n%s", err, progress.String())
		}
		if mod := source.GoMod("", "x.y/z"); !strings.Contains(mod, "\t"+path+" "+want+"\n") {
			t.Errorf("%s: got\n%s", path, mod)
		}
	}
}

func TestFolderIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	files := pack.Files{{Name: "mark.txt", Text: "made by x\nmore"}, {Name: "sub/new", Text: "2"}}
	nothing := func(string) error { return nil }
	for _, tt := range []struct {
		name   string
		before map[string]string
		files  pack.Files
		check  func(string) error
		want   string // the files after
		err    string
	}{
		{"a new folder", nil, files, nothing, "out/mark.txt out/sub/new", ""},
		{"ours", map[string]string{"out/mark.txt": "made by x\nother", "out/old": "1"}, files, nothing, "out/mark.txt out/sub/new", ""},
		{"not ours", map[string]string{"out/mark.txt": "made by y\n", "out/old": "1"}, files, nothing, "out/mark.txt out/old", "did not write"},
		{"no mark", map[string]string{"out/old": "1"}, files, nothing, "out/old", "did not write"},
		{"a file", map[string]string{"out": "1"}, files, nothing, "out", "not a directory"},
		{"a file that cannot be read", map[string]string{"out/mark.txt": "made by x\n"}, append(pack.Files{{Name: "a", Source: "none"}}, files...), nothing, "out/mark.txt", "none"},
		{"a check that fails", map[string]string{"out/mark.txt": "made by x\n"}, files, func(dir string) error { return os.Remove(filepath.Join(dir, "none")) }, "out/mark.txt", "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, tt.before)
			err := tt.files.Folder(filepath.Join(dir, "out"), "mark.txt", tt.check)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			var names []string
			if err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					names = append(names, name)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".pack-*")); len(left) > 0 {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

func TestFolderBehindALinkIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"real/mark.txt": "made by x\n"})
	if err := os.Symlink("real", filepath.Join(dir, "out")); err != nil {
		t.Skip(err)
	}
	if err := pack.Replaceable(filepath.Join(dir, "out"), "mark.txt", "made by x"); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("got %v", err)
	}
}
