// Package blobtest is what every store of package blob must pass. It is no use outside of tests.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

// Run tests a store. newStore makes an empty one, or one that is empty below the URL prefix that it returns with it, such as
// "s3://bucket/test-17".
func Run(t *testing.T, newStore func(t *testing.T) (store blob.Store, urlPrefix string)) {
	t.Helper()
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s blob.Store, prefix string)
	}{
		{"round trip", roundTrip},
		{"missing", missing},
		{"create only", createOnly},
		{"one of many creators wins", oneWins},
		{"empty", empty},
		{"large", large},
		{"odd keys", oddKeys},
		{"canceled", canceled},
		{"memory of the caller", callersMemory},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, prefix := newStore(t)
			tt.test(t, s, prefix)
		})
	}
}

const limit = 64 << 20

func put(t *testing.T, s blob.Store, url string, body []byte) {
	t.Helper()
	if err := s.Put(t.Context(), url, "application/json", body); err != nil {
		t.Fatalf("Put %s: %v", url, err)
	}
}

func want(t *testing.T, s blob.Store, url string, body []byte) *blob.Object {
	t.Helper()
	o, got, err := blob.Read(t.Context(), s, url, limit)
	switch {
	case err != nil:
		t.Fatalf("Read %s: %v", url, err)
	case !bytes.Equal(got, body):
		t.Fatalf("Read %s: got %d bytes %.40q, want %d bytes %.40q", url, len(got), got, len(body), body)
	}
	return o
}

func roundTrip(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	url, body := blob.Join(prefix, "folder/of/folders/a.json"), []byte(`{"data":[1]}`)
	put(t, s, url, body)
	o := want(t, s, url, body)
	if o.URL != url {
		t.Errorf("URL: got %q, want %q", o.URL, url)
	}
	if o.Size != -1 && o.Size != int64(len(body)) {
		t.Errorf("Size: got %d, want %d, or -1 for unknown", o.Size, len(body))
	}
	if o.ContentType != "" && o.ContentType != "application/json" {
		t.Errorf("ContentType: got %q, want what was put, or none", o.ContentType)
	}
	if again := want(t, s, url, body); again.Version != o.Version {
		t.Errorf("Version: got %q, then %q, of the same object", o.Version, again.Version)
	}
	opened, err := s.Get(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Body.Close(); err != nil {
		t.Errorf("Close of a body that was not read: %v", err)
	}
}

func missing(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	put(t, s, blob.Join(prefix, "folder/a"), []byte("1"))
	for _, key := range []string{"none", "none/none", "folder", "folder/a/b", "folder/A", "older/a"} {
		o, err := s.Get(t.Context(), blob.Join(prefix, key))
		if !errors.Is(err, blob.ErrNotFound) || o != nil {
			t.Errorf("Get %s: got %v, %v; want ErrNotFound", key, o, err)
		}
	}
}

func createOnly(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	url := blob.Join(prefix, "results/a.json")
	put(t, s, url, []byte("first"))
	for _, body := range []string{"other", "first", ""} {
		if err := s.Put(t.Context(), url, "text/csv", []byte(body)); !errors.Is(err, blob.ErrExists) {
			t.Errorf("Put %q over it: got %v, want ErrExists", body, err)
		}
	}
	want(t, s, url, []byte("first"))
}

func oneWins(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	const creators = 8
	url := blob.Join(prefix, "results/race.json")
	body := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 10_000+i) }
	var errs [creators]error
	var group sync.WaitGroup
	for i := range creators {
		group.Go(func() { errs[i] = s.Put(t.Context(), url, "", body(i)) })
	}
	group.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("%d and %d both made the object", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, blob.ErrExists):
			t.Errorf("creator %d: got %v, want ErrExists", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody made the object")
	}
	want(t, s, url, body(winner))
}

func empty(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	url := blob.Join(prefix, "empty")
	put(t, s, url, nil)
	want(t, s, url, []byte{})
	if err := s.Put(t.Context(), url, "", []byte("1")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Put over an empty object: got %v, want ErrExists", err)
	}
}

func large(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	url, body := blob.Join(prefix, "large.bin"), make([]byte, 5<<20+1)
	for i := range body {
		body[i] = byte(i ^ i>>8 ^ i>>16)
	}
	put(t, s, url, body)
	want(t, s, url, body)
	size := int64(len(body))
	if _, _, err := blob.Read(t.Context(), s, url, size); err != nil {
		t.Errorf("Read with a limit of its size: %v", err)
	}
	for _, limit := range []int64{0, 1, size - 1} {
		_, got, err := blob.Read(t.Context(), s, url, limit)
		if !errors.Is(err, blob.ErrTooLarge) || got != nil {
			t.Errorf("Read with a limit of %d: got %d bytes, %v; want ErrTooLarge", limit, len(got), err)
		}
	}
}

// keys are names that something on the way to a store likes to change into one another.
var keys = []string{
	"a b", "a+b", "a%20b", "a%2Bb", "a%2520b", "a%2fb", "a/b", "a?b=c", "a#b", "a&b=c;d", "a'b\"c", "a:b@c", "(a)[b]{c}!*$,",
	"100%", "größe.json", "gro\u0308ße.json", "数据/一.json", "🙂.png", "~a", "-a", ".a", "a.", "..a", "A B", "a=1/b=2",
}

func oddKeys(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	for i, key := range keys {
		put(t, s, blob.Join(prefix, key), fmt.Append(nil, i))
	}
	for i, key := range keys {
		want(t, s, blob.Join(prefix, key), fmt.Append(nil, i))
	}
}

func canceled(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	url := blob.Join(prefix, "a")
	if err := s.Put(ctx, url, "", []byte("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: got %v, want context.Canceled", err)
	}
	if _, err := s.Get(t.Context(), url); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("after a canceled Put: got %v, want ErrNotFound", err)
	}
	put(t, s, url, []byte("1"))
	o, err := s.Get(ctx, url)
	if err == nil { // a store may notice only when the body is read
		_, err = io.Copy(io.Discard, o.Body)
		_ = o.Body.Close() // nothing was written
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Get: got %v, want context.Canceled", err)
	}
}

func callersMemory(t *testing.T, s blob.Store, prefix string) {
	t.Helper()
	url, body := blob.Join(prefix, "a"), []byte("before")
	put(t, s, url, body)
	copy(body, "after!")
	want(t, s, url, []byte("before"))
	_, got, err := blob.Read(t.Context(), s, url, limit)
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "mine!!")
	want(t, s, url, []byte("before"))
}
