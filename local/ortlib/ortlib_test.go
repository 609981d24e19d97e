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
	"sync"
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

func TestEnsureFetchesOnceForEveryPlatform(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for range 2 {
		for arch, want := range contents {
			path, err := r.ensure(t.Context(), arch)
			must(t, err)
			if path != filepath.Join(r.dir, "linux-"+arch, "libfake.so") {
				t.Errorf("got path %s", path)
			}
			if got := read(t, path); got != want {
				t.Errorf("%s: got %d bytes, want %d", arch, len(got), len(want))
			}
		}
	}
	call := strings.TrimSpace(read(t, r.calls))
	if !strings.HasPrefix(call, "pack fake-node@1.2.3 --ignore-scripts --pack-destination ") || strings.Contains(call, "\n") {
		t.Errorf("npm was called with %q, want one call", call)
	}
	r.clean(t)
}

func TestPresentLibraryNeedsNothing(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	path := filepath.Join(r.dir, "linux-arm64", "libfake.so")
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(contents["arm64"]), 0o644))
	got, err := r.ensure(t.Context(), "arm64", func(o *Options) { o.Verify, o.NPM = true, "no-such-npm" })
	if err != nil || got != path {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, ".cache")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a cache was made: %v", err)
	}
}

func TestDamagedLibraryIsFetchedAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		verify     bool
		again      bool
	}{
		{"shorter", "lib", false, true},
		{"empty", "", false, true},
		{"same size, hash asked for", strings.ToUpper(contents["arm64"]), true, true},
		{"same size, hash not asked for", strings.ToUpper(contents["arm64"]), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t)
			path := filepath.Join(r.dir, "linux-arm64", "libfake.so")
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.WriteFile(path, []byte(tt.text), 0o644))
			_, err := r.ensure(t.Context(), "arm64", func(o *Options) { o.Verify = tt.verify })
			must(t, err)
			if again := read(t, path) == contents["arm64"]; again != tt.again {
				t.Errorf("fetched again: got %v, want %v", again, tt.again)
			}
		})
	}
}

func TestBadArchiveIsRefused(t *testing.T) {
	t.Parallel()
	good := pack(t, map[string]string{"package/amd64/libfake.so.1": contents["amd64"]})
	for _, tt := range []struct {
		name    string
		archive []byte
		pinned  bool // the archive's hash is right all the same
		want    []string
	}{
		{"another archive", good, false, []string{"wrong hash", "expected sha512-", "found sha512-", "pinned"}},
		{"truncated", good[:len(good)/2], false, []string{"wrong hash"}},
		{"empty", nil, false, []string{"wrong hash", "(0 bytes)"}},
		{"truncated where it was pinned", good[:len(good)-20], true, []string{"unexpected EOF"}},
		{"no archive", []byte("<html>not found</html>"), true, []string{"gzip"}},
		{"without the library", pack(t, map[string]string{"package/x": "x"}), true, []string{"not in the archive"}},
		{"library too short", pack(t, map[string]string{"package/amd64/libfake.so.1": "x"}), true, []string{"wrong size", "found 1"}},
		{"library too long", pack(t, map[string]string{"package/amd64/libfake.so.1": contents["amd64"] + "x"}), true, []string{"wrong size"}},
		{"another library", pack(t, map[string]string{"package/amd64/libfake.so.1": strings.ToUpper(contents["amd64"])}), true, []string{"wrong hash", "sha256-"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t)
			r.deliver(t, tt.archive)
			if tt.pinned {
				r.pin(t)
			}
			_, err := r.ensure(t.Context(), "amd64")
			mention(t, err, tt.want...)
			if _, err := os.Stat(filepath.Join(r.dir, "linux-amd64", "libfake.so")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a library was written: %v", err)
			}
			if cached := glob(filepath.Join(r.dir, ".cache"), "*.tgz"); !tt.pinned && len(cached) != 0 {
				t.Errorf("a wrong archive was kept: %q", cached)
			}
			r.clean(t)
		})
	}
}

func TestInterruptedRunsAreTidiedAndTheirDownloadUsed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		whole bool
		calls int
	}{{"complete download", true, 0}, {"half a download", false, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t)
			left := filepath.Join(r.dir, ".cache", packPrefix+"123")
			must(t, os.MkdirAll(left, 0o755))
			must(t, os.MkdirAll(filepath.Join(r.dir, "linux-amd64"), 0o755))
			must(t, os.WriteFile(filepath.Join(r.dir, "linux-amd64", tempPrefix+"9"), []byte("half"), 0o600))
			archive := read(t, r.archive)
			if !tt.whole {
				archive = archive[:len(archive)/2]
			}
			must(t, os.WriteFile(filepath.Join(left, "fake-node-1.2.3.tgz"), []byte(archive), 0o644))
			path, err := r.ensure(t.Context(), "amd64")
			must(t, err)
			if read(t, path) != contents["amd64"] {
				t.Error("wrong library")
			}
			if n := r.called(t); n != tt.calls {
				t.Errorf("npm was called %d times, want %d", n, tt.calls)
			}
			r.clean(t)
		})
	}
}

func TestDamagedCacheIsDownloadedAgain(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	must(t, os.MkdirAll(filepath.Join(r.dir, ".cache"), 0o755))
	cached := filepath.Join(r.dir, ".cache", "fake-node-1.2.3.tgz")
	must(t, os.WriteFile(cached, []byte("damaged"), 0o644))
	_, err := r.ensure(t.Context(), "amd64")
	must(t, err)
	if read(t, cached) != read(t, r.archive) || r.called(t) != 1 {
		t.Errorf("got a cache of %d bytes after %d calls", len(read(t, cached)), r.called(t))
	}
}

func TestArchiveInAnotherCacheIsUsed(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	cache := filepath.Join(filepath.Dir(r.dir), "cache")
	must(t, os.MkdirAll(cache, 0o755))
	must(t, os.WriteFile(filepath.Join(cache, "fake-node-1.2.3.tgz"), []byte(read(t, r.archive)), 0o644))
	_, err := r.ensure(t.Context(), "amd64", func(o *Options) { o.Cache, o.NPM = cache, "no-such-npm" })
	must(t, err)
}

func TestWithoutNPMTheErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	_, err := r.ensure(t.Context(), "amd64", func(o *Options) { o.NPM = "no-such-npm" })
	mention(t, err, "Node.js", "ONNXRUNTIME_LIB", filepath.Join(r.dir, "linux-amd64", "libfake.so"), "fake-node-1.2.3.tgz")
	r.clean(t)
}

func TestFailingNPMIsQuoted(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.behave(t, `i=0; while [ $i -lt 2000 ]; do echo "npm notice $i"; i=$((i+1)); done; echo "npm error ENOTFOUND no network" >&2; exit 7`)
	_, err := r.ensure(t.Context(), "amd64")
	mention(t, err, "exit status 7", "npm notice 1999", "npm error ENOTFOUND no network", "ONNXRUNTIME_LIB")
	if strings.Contains(err.Error(), "notice 1900\n") {
		t.Errorf("more than the last lines: %v", err)
	}
	r.behave(t, "exit 3")
	_, err = r.ensure(t.Context(), "amd64")
	mention(t, err, "exit status 3", "printed nothing")
	r.behave(t, "echo done")
	_, err = r.ensure(t.Context(), "amd64")
	mention(t, err, "0 archives")
	r.clean(t)
}

func TestUnknownPlatform(t *testing.T) {
	t.Parallel()
	_, err := Ensure(t.Context(), Options{Dir: t.TempDir(), GOOS: "plan9", GOARCH: "mips"})
	mention(t, err, "plan9/mips", "linux/amd64", "ONNXRUNTIME_LIB")
	_, err = Path("lib", "darwin", "amd64")
	mention(t, err, "darwin/amd64")
}

func TestConcurrentRunsDownloadOnce(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	var wg sync.WaitGroup
	for i := range 8 {
		arch := []string{"amd64", "arm64"}[i%2]
		wg.Go(func() {
			path, err := r.ensure(t.Context(), arch)
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != contents[arch] {
				t.Errorf("%s: %d bytes, %v", path, len(text), err)
			}
		})
	}
	wg.Wait()
	if n := r.called(t); n != 1 {
		t.Errorf("npm was called %d times, want 1", n)
	}
	r.clean(t)
}

func TestCancelledBeforeItStarts(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	why := errors.New("the user pressed a key")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := r.ensure(ctx, "amd64"); !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
		t.Errorf("got %v, want %v and %v", err, context.Canceled, why)
	}
	r.clean(t)
}

func TestTableOfPlatforms(t *testing.T) {
	t.Parallel()
	if sum, err := base64.StdEncoding.DecodeString(onnxruntime.sha512); err != nil || len(sum) != sha512.Size {
		t.Errorf("archive: %d bytes, %v", len(sum), err)
	}
	seen := map[string]bool{}
	for _, p := range Known() {
		sum, err := hex.DecodeString(p.SHA256)
		if err != nil || len(sum) != sha256.Size || p.Size < 1_000_000 || !strings.HasPrefix(p.Entry, "package/") || seen[p.Entry] {
			t.Errorf("%+v: %v", p, err)
		}
		seen[p.Entry] = true
		path, err := Path("lib", p.GOOS, p.GOARCH)
		if want := filepath.Join("lib", p.GOOS+"-"+p.GOARCH, p.File); err != nil || !strings.HasSuffix(path, want) || !filepath.IsAbs(path) {
			t.Errorf("got %s, %v, want …/%s", path, err, want)
		}
	}
	if len(seen) == 0 {
		t.Error("no platforms")
	}
}
