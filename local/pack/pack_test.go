package pack_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/pack"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestZipIsTheSameForTheSameFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"b": "2", "a": strings.Repeat("1", 1000), "sub/c": "3"})
	var archives [][]byte
	for i, files := range []pack.Files{
		{{Name: "run", Source: filepath.Join(dir, "a"), Exec: true}, {Name: "b", Source: filepath.Join(dir, "b")}, {Name: "n", Text: "note"}},
		{{Name: "n", Text: "note"}, {Name: "b", Source: filepath.Join(dir, "b")}, {Name: "run", Source: filepath.Join(dir, "a"), Exec: true}},
	} {
		out := filepath.Join(dir, "out", string(rune('0'+i))+".zip")
		if err := files.Zip(out); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, b)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the order of the files shows in the archive")
	}
	z, err := zip.NewReader(bytes.NewReader(archives[0]), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range z.File {
		got = append(got, f.Name+" "+f.Mode().String())
	}
	if want := "b -rw-r--r-- n -rw-r--r-- run -rwxr-xr-x"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "out", ".pack-*")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestZipLeavesNothingBehindWhenItFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := pack.Files{{Name: "x", Source: filepath.Join(dir, "none")}}.Zip(filepath.Join(dir, "x.zip"))
	entries, _ := os.ReadDir(dir)
	if err == nil || len(entries) != 0 {
		t.Errorf("%v, left %v", err, entries)
	}
}

func TestTreeTakesRegularFilesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"m/model.onnx": "1", "m/.hidden": "2", "m/.git/x": "3", "m/train/data.csv": "4", "m/w/weights.bin": "5", "secret": "6"})
	if err := os.Symlink("model.onnx", filepath.Join(dir, "m", "link.onnx")); err != nil {
		t.Skip(err)
	}
	var f pack.Files
	if err := f.Tree(filepath.Join(dir, "m"), "model/1", "train"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range f {
		names = append(names, file.Name)
	}
	if got, want := strings.Join(names, " "), "model/1/link.onnx model/1/model.onnx model/1/w/weights.bin"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "m", "out")); err != nil {
		t.Fatal(err)
	}
	if err := f.Tree(filepath.Join(dir, "m"), "x"); err == nil || !strings.Contains(err.Error(), "leaves") {
		t.Errorf("a link that leaves the folder: %v", err)
	}
	out := filepath.Join(dir, "copy")
	if err := f.Dir(out); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(out, "model/1/link.onnx")); err != nil || string(b) != "1" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"2.34", "2.9", true}, {"2.34", "2.34", false}, {"2.2.5", "2.2", true}, {"2.33", "2.34", false}, {"2.0", "", true}, {"PRIVATE", "2.0", false}} {
		if got := pack.NewerThan(tt.a, tt.b); got != tt.want {
			t.Errorf("%q newer than %q: %v", tt.a, tt.b, got)
		}
	}
}

func TestProgramsOfThisMachine(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pack.Arch(exe); err != nil {
		t.Skip("not Linux: ", err)
	}
	if v, err := pack.NewestGLIBC(exe); err != nil || v != "" && !pack.NewerThan(v, "2.0") {
		t.Errorf("%q, %v", v, err)
	}
	if _, err := pack.NewestGLIBC("pack_test.go"); err == nil {
		t.Error("a text file has a C library")
	}
}
