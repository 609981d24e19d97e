package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/blob/blobtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, prefix string
		make         func(folder string) blob.Store
	}{
		{"mem", "mem://bucket", func(string) blob.Store { return blob.Mem() }},
		{"mem, web", "https://host/bucket/sub?sig=a%2Fb", func(string) blob.Store { return blob.Mem() }},
		{"dir", "s3://bucket/folder/", blob.Dir},
		{"dir, file", "file:///", func(folder string) blob.Store { return blob.Dir(filepath.Join(folder, "not", "there")) }},
		{"dir, web", "https://host/bucket", blob.Dir},
		{"mux", "gs://bucket", func(folder string) blob.Store { return blob.Mux{"gs": blob.Dir(folder), "mem": blob.Mem()} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			blobtest.Run(t, func(t *testing.T) (blob.Store, string) {
				t.Helper()
				return tt.make(t.TempDir()), tt.prefix
			})
		})
	}
}

// body is a store of one object.
type body struct {
	io.Reader
	size   int64
	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

func (b *body) Get(_ context.Context, url string) (*blob.Object, error) {
	return &blob.Object{URL: url, Size: b.size, Body: b}, nil
}

func (b *body) Put(context.Context, string, string, []byte) error { return nil }

func TestReadWithinTheLimit(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	text := strings.Repeat("x", 2000)
	for _, tt := range []struct {
		name   string
		from   io.Reader
		size   int64
		limit  int64
		want   error
		reason string
	}{
		{"size unknown", strings.NewReader(text), -1, 2000, nil, ""},
		{"size known", strings.NewReader(text), 2000, 2000, nil, ""},
		{"a byte a read", iotest.OneByteReader(strings.NewReader(text)), -1, 2000, nil, ""},
		{"end with the data", iotest.DataErrReader(strings.NewReader(text)), -1, 2000, nil, ""},
		{"too large, unknown", strings.NewReader(text), -1, 1999, blob.ErrTooLarge, "more than 1999 bytes"},
		{"too large, announced", iotest.ErrReader(broken), 2000, 1999, blob.ErrTooLarge, "more than 1999 bytes"},
		{"too large, announced wrong", strings.NewReader(text), 10, 1999, blob.ErrTooLarge, "more than 1999 bytes"},
		{"endless", endless{}, -1, 100_000, blob.ErrTooLarge, ""},
		{"short", strings.NewReader(text[:10]), 2000, 2000, blob.ErrTemporary, "10 bytes of 2000"},
		{"broken", io.MultiReader(strings.NewReader(text[:10]), iotest.ErrReader(broken)), -1, 2000, blob.ErrTemporary, "broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &body{Reader: tt.from, size: tt.size}
			_, got, err := blob.Read(t.Context(), s, "x://b/k", tt.limit)
			if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("got %v, want %v, %q", err, tt.want, tt.reason)
			}
			if err == nil && string(got) != text {
				t.Errorf("got %d bytes", len(got))
			}
			if !s.closed {
				t.Error("the body is still open")
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// until is a body that goes on until somebody looks.
type until struct{ stop func() }

func (u until) Read(p []byte) (int, error) { u.stop(); return len(p), nil }

func TestReadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("the function's time is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := &body{Reader: until{func() { cancel(cause) }}, size: -1}
	if _, _, err := blob.Read(ctx, s, "x://b/k", 1<<40); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestMuxNamesTheSchemeThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	m := blob.Mux{"s3": blob.Mem(), "gs": blob.Mem()}
	_, err := m.Get(t.Context(), "https://host/c/k?sig=secret")
	if !errors.Is(err, blob.ErrUnsupported) || !strings.Contains(err.Error(), `no store for "https" URLs (there are stores for gs, s3)`) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	for _, url := range []string{"", "key", "://b/k", "s3:/b/k", "a b://c/d"} {
		if err := m.Put(t.Context(), url, "", nil); !errors.Is(err, blob.ErrUnsupported) {
			t.Errorf("%q: got %v, want ErrUnsupported", url, err)
		}
	}
	if err := m.Put(t.Context(), "S3://b/k", "", nil); err != nil {
		t.Errorf("a scheme in capitals: %v", err)
	}
}

func TestDirKeepsInsideItsFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	root, outside := filepath.Join(base, "root"), filepath.Join(base, "outside")
	for _, dir := range []string{filepath.Join(root, "bucket", "folder"), outside} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"out": outside, "up": "../../outside", "gone": filepath.Join(outside, "new")} {
		if err := os.Symlink(to, filepath.Join(root, "bucket", from)); err != nil {
			t.Skipf("no symbolic links: %v", err)
		}
	}
	s := blob.Dir(root)
	for _, key := range []string{
		"../../outside/secret", "../x", "..", "a/../../../x", "/outside/secret", "a//b", "a/./b", "./a", "a/", "", "a\x00b",
		"out/secret", "up/secret", "gone", "folder", strings.Repeat("x", 300),
	} {
		url := "s3://bucket/" + key
		if o, err := s.Get(t.Context(), url); err == nil {
			_ = o.Body.Close()
			t.Errorf("Get %q: there is no such object", key)
		}
		if err := s.Put(t.Context(), url, "", []byte("2")); err == nil || errors.Is(err, blob.ErrExists) {
			t.Errorf("Put %q: got %v, want another error", key, err)
		}
	}
	if got, err := os.ReadDir(outside); err != nil || len(got) != 1 {
		t.Errorf("outside: got %v, %v; want the one file that was there", got, err)
	}
	left, err := filepath.Glob(filepath.Join(root, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestDirTellsAFolderFromAnObject(t *testing.T) {
	t.Parallel()
	s := blob.Dir(t.TempDir())
	for _, key := range []string{"a", "folder/b"} {
		if err := s.Put(t.Context(), "file:///"+key, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a/b", "a/b/c", "folder"} {
		if err := s.Put(t.Context(), "file:///"+key, "", nil); !errors.Is(err, blob.ErrUnsupported) {
			t.Errorf("Put %s: got %v, want ErrUnsupported", key, err)
		}
	}
}

func TestDirDoesNotWaitForAPipe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no device files")
	}
	if _, err := blob.Dir("/dev").Get(t.Context(), "file:///null"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a device: got %v, want ErrNotFound", err)
	}
}

func TestVersionsFollowTheContent(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s, file := blob.Dir(root), filepath.Join(root, "a")
	version := func(body string) string {
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		o, got, err := blob.Read(t.Context(), s, "file:///a", 100)
		if err != nil || !bytes.Equal(got, []byte(body)) {
			t.Fatalf("got %q, %v", got, err)
		}
		return o.Version
	}
	if a, b := version("1"), version("22"); a == b || a == "" {
		t.Errorf("got %q, then %q", a, b)
	}
}

func TestSplitJoinRedact(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ url, scheme, bucket, key, shown string }{
		{"s3://b/k/l.json", "s3", "b", "k/l.json", "s3://b/k/l.json"},
		{"S3://b/a%20b?c#d", "s3", "b", "a%20b?c#d", "S3://b/a%20b?c#d"},
		{"gs://b//k", "gs", "b", "/k", "gs://b//k"},
		{"file:///k", "file", "", "k", "file:///k"},
		{"mem://b", "mem", "b", "", "mem://b"},
		{"https://u:p@h:1/c/a%20b%2Bc?sig=s", "https", "h:1", "c/a b+c", "https://h:1/c/a%20b%2Bc"},
		{"https://h?sig=s", "https", "h", "", "https://h"},
		{"HTTP://h/c#f", "http", "h", "c", "HTTP://h/c"},
	} {
		scheme, bucket, key, err := blob.Split(tt.url)
		if err != nil || scheme != tt.scheme || bucket != tt.bucket || key != tt.key {
			t.Errorf("Split %s: got %q, %q, %q, %v", tt.url, scheme, bucket, key, err)
		}
		if got := blob.Redact(tt.url); got != tt.shown {
			t.Errorf("Redact %s: got %s, want %s", tt.url, got, tt.shown)
		}
	}
	if _, _, _, err := blob.Split("https://h/%zz?sig=secret"); !errors.Is(err, blob.ErrUnsupported) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a malformed URL: got %v", err)
	}
	for _, tt := range []struct{ prefix, key, want string }{
		{"s3://b", "k%/l ?", "s3://b/k%/l ?"},
		{"s3://b/p//", "k", "s3://b/p/k"},
		{"file:///", "k", "file:///k"},
		{"file://", "k", "file://k"},
		{"https://h/c?sig=a/b", "k%/l ?", "https://h/c/k%25/l%20%3F?sig=a/b"},
		{"https://h/c/", "k", "https://h/c/k"},
	} {
		if got := blob.Join(tt.prefix, tt.key); got != tt.want {
			t.Errorf("Join %s, %s: got %s, want %s", tt.prefix, tt.key, got, tt.want)
		}
	}
}
