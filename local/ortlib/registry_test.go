package ortlib

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakeNPM stands in npm's place: it runs the script that the test wrote two folders above the cache; $5 is the folder after
// --pack-destination. It is written once, before any test starts a process: a file that a sibling's fork still holds open for
// writing cannot be executed ("text file busy").
var fakeNPM string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ortlib-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	fakeNPM = filepath.Join(dir, "npm")
	if err := os.WriteFile(fakeNPM, []byte("#!/bin/sh\n. \"$(dirname \"$5\")/../../script\"\n"), 0o755); err != nil {
		panic(err)
	}
	m.Run()
}

// registry stands for npm and what it delivers: a source with two small libraries, its archive, and a script in npm's place.
type registry struct {
	source  *source
	archive string // what the fake npm delivers
	script  string // what the fake npm runs
	calls   string // one line a call of npm
	dir     string // Options.Dir
}

var contents = map[string]string{"amd64": strings.Repeat("library for amd64\n", 1000), "arm64": "library for arm64\n"}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fake npm is a shell script")
	}
	base := filepath.Join(t.TempDir(), "with space [x]")
	r := &registry{
		source:  &source{name: "fake-node", version: "1.2.3"},
		archive: filepath.Join(base, "delivered.tgz"), script: filepath.Join(base, "script"),
		calls: filepath.Join(base, "calls"), dir: filepath.Join(base, "lib"),
	}
	must(t, os.MkdirAll(base, 0o755))
	entries := map[string]string{"package/README.md": "read me"}
	for arch, text := range contents {
		sum := sha256.Sum256([]byte(text))
		p := Platform{"linux", arch, "libfake.so", "package/" + arch + "/libfake.so.1", int64(len(text)), hex.EncodeToString(sum[:])}
		r.source.platforms = append(r.source.platforms, p)
		entries[p.Entry] = text
	}
	r.deliver(t, pack(t, entries))
	r.pin(t)
	r.behave(t, `cp '`+r.archive+`' "$5/fake-node-1.2.3.tgz" && echo fake-node-1.2.3.tgz`)
	return r
}

func pack(t *testing.T, entries map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	files := tar.NewWriter(zipped)
	for name, text := range entries {
		must(t, files.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(text)), Mode: 0o644}))
		_, err := files.Write([]byte(text))
		must(t, err)
	}
	must(t, errors.Join(files.Close(), zipped.Close()))
	return b.Bytes()
}

func (r *registry) deliver(t *testing.T, archive []byte) {
	t.Helper()
	must(t, os.WriteFile(r.archive, archive, 0o644))
}

// pin makes what is delivered what is expected.
func (r *registry) pin(t *testing.T) {
	t.Helper()
	sum := sha512.Sum512([]byte(read(t, r.archive)))
	r.source.sha512, r.source.size = base64.StdEncoding.EncodeToString(sum[:]), int64(len(read(t, r.archive)))
}

// behave says what the fake npm does.
func (r *registry) behave(t *testing.T, body string) {
	t.Helper()
	text := "echo \"$*\" >> '" + r.calls + "'\n" + body + "\n"
	must(t, os.WriteFile(r.script, []byte(text), 0o644))
}

func (r *registry) ensure(ctx context.Context, arch string, change ...func(*Options)) (string, error) {
	o := Options{Dir: r.dir, GOOS: "linux", GOARCH: arch, NPM: fakeNPM}
	for _, c := range change {
		c(&o)
	}
	return r.source.ensure(ctx, o)
}

func (r *registry) called(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(r.calls)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	must(t, err)
	return strings.Count(string(text), "\n")
}

// clean checks that nothing half-made is left.
func (r *registry) clean(t *testing.T) {
	t.Helper()
	must(t, filepath.WalkDir(r.dir, func(path string, _ fs.DirEntry, err error) error {
		if base := filepath.Base(path); strings.HasPrefix(base, tempPrefix) || strings.HasPrefix(base, packPrefix) {
			t.Errorf("left behind: %s", path)
		}
		return err
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

func mention(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error without %q: %v", text, err)
		}
	}
}

func linux(o *Options) { o.Linux = true }

// archives checks that the downloads are gone.
func (r *registry) archives(t *testing.T) {
	t.Helper()
	if left := glob(filepath.Join(r.dir, ".cache"), "*.tgz"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// written calls do with every line of progress.
type written func(line string)

func (w written) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
