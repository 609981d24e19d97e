package ortlib

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestEnsureFetchesOnceForEveryPlatform(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for range 2 {
		for arch, want := range contents {
			path, err := r.ensure(t.Context(), arch, linux)
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
	r.archives(t)
}

func TestOneLibraryAloneLeavesNoArchive(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for i, arch := range []string{"amd64", "arm64"} {
		_, err := r.ensure(t.Context(), arch)
		must(t, err)
		if n := r.called(t); n != i+1 {
			t.Errorf("npm was called %d times, want %d", n, i+1)
		}
		if there := glob(filepath.Join(r.dir, "linux-arm64"), "*"); len(there) != i {
			t.Errorf("after %s there is %q", arch, there)
		}
		r.clean(t)
		r.archives(t)
	}
}

// A library of Linux that cannot be unpacked is no failure of the one that was asked for, and may be had later.
func TestOtherLibraryThatIsNotAsExpected(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]map[string]string{
		"missing": {"package/amd64/libfake.so.1": contents["amd64"]},
		"another": {"package/amd64/libfake.so.1": contents["amd64"], "package/arm64/libfake.so.1": "x"},
	} {
		r := newRegistry(t)
		r.deliver(t, pack(t, entries))
		r.pin(t)
		path, err := r.ensure(t.Context(), "amd64", linux)
		if err != nil || read(t, path) != contents["amd64"] {
			t.Errorf("%s: got %s, %v", name, path, err)
		}
		_, err = r.ensure(t.Context(), "arm64", linux)
		mention(t, err, "package/arm64/libfake.so.1")
		r.clean(t)
		r.archives(t)
	}
}

func TestDownloadOfARunThatWasInterruptedWhileUnpackingIsUsed(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := r.ensure(ctx, "amd64", linux, func(o *Options) {
		o.Progress = written(func(line string) {
			if strings.Contains(line, "is ready") { // the first of two
				cancel()
			}
		})
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	for arch, want := range contents {
		path, err := r.ensure(t.Context(), arch, linux)
		if err != nil || read(t, path) != want {
			t.Errorf("%s: got %s, %v", arch, path, err)
		}
	}
	if n := r.called(t); n != 1 {
		t.Errorf("npm was called %d times, want 1", n)
	}
	r.clean(t)
	r.archives(t)
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
	if n := r.called(t); n != 1 {
		t.Errorf("npm was called %d times, want 1", n)
	}
	r.archives(t)
}

func TestArchiveInAnotherCacheIsUsed(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	cache := filepath.Join(filepath.Dir(r.dir), "cache")
	must(t, os.MkdirAll(cache, 0o755))
	must(t, os.WriteFile(filepath.Join(cache, "fake-node-1.2.3.tgz"), []byte(read(t, r.archive)), 0o644))
	_, err := r.ensure(t.Context(), "amd64", func(o *Options) { o.Cache, o.NPM = cache, "no-such-npm" })
	must(t, err)
	if left := read(t, filepath.Join(cache, "fake-node-1.2.3.tgz")); left != read(t, r.archive) {
		t.Errorf("what was put there by hand has %d bytes now", len(left))
	}
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
			path, err := r.ensure(t.Context(), arch, linux)
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
