package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAdmit(t *testing.T) {
	t.Parallel()
	for target, ok := range map[string]bool{
		"/storage/v1/b/input/o":                                     true,
		"/upload/storage/v1/b/input/o?name=a..b/c":                  true,
		"/upload/storage/v1/b/input/o?name=../x":                    false,
		"/upload/storage/v1/b/input/o?name=a%2F..%2Fx":              false,
		"/storage/v1/b/input/o/a%2f..%2f..%2fx?alt=media":           false,
		"/_internal/delete_all":                                     false,
		"/storage/v1/b/input/o/name%20with%20blanks?alt=media&x=..": true,
	} {
		r := httptest.NewRequest(http.MethodPost, target, nil)
		if err := admit(r); (err == nil) != ok {
			t.Errorf("%s: %v", target, err)
		}
		r.Header.Set("Origin", "https://example.com")
		if admit(r) == nil {
			t.Errorf("%s: a web page may use it", target)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	var r rules
	for _, s := range []string{"all", "some/in/*.json"} {
		if err := r.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	for object, want := range map[string]bool{
		"all/x": true, "some/in/a.json": true, "some/a.json": false, "some/in/a.txt": false, "other/x": false,
	} {
		bucket, name, _ := strings.Cut(object, "/")
		if got := r.match(bucket, name); got != want {
			t.Errorf("%s: %v", object, got)
		}
	}
	for _, bad := range []string{"", "/x", ".", "../x"} {
		if new(rules).Set(bad) == nil {
			t.Errorf("%q is taken for a bucket", bad)
		}
	}
}

func TestWaitsDouble(t *testing.T) {
	t.Parallel()
	b := &bridge{retry: 10 * time.Second}
	for n, want := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 6: 320 * time.Second, 7: 10 * time.Minute, 1000: 10 * time.Minute} {
		if got := b.wait(n); got != want {
			t.Errorf("after delivery %d: %v, want %v", n, got, want)
		}
	}
}

func TestEscaped(t *testing.T) {
	t.Parallel()
	if got := escaped(`objects/a ü"%.json`); got != "objects/a%20%C3%BC%22%25.json" {
		t.Error(got)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--data DIR is needed":  {},
		"no arguments":          {"--data", "d", "x"},
		"needs --push":          {"--data", "d", "--trigger", "b"},
		"names no bucket":       {"--data", "d", "--bucket", "a/b"},
		"more than 0":           {"--data", "d", "--attempts", "0"},
		"cannot listen on nope": {"--data", "d", "--addr", "nope"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
}

// function is one that answers what the test says, and remembers the events.
type function struct {
	mu     sync.Mutex
	answer map[string][]int // by subject, one a delivery; 200 afterwards
	ids    map[string][]string
}

func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	subject := r.Header.Get("Ce-Subject")
	f.ids[subject] = append(f.ids[subject], r.Header.Get("Ce-Id"))
	status := 200
	if list := f.answer[subject]; len(list) > 0 {
		status, f.answer[subject] = list[0], list[1:]
	}
	w.WriteHeader(status)
}

// TestDeliveries is one test, because the clients of Pub/Sub find their server by a variable of the process.
func TestDeliveries(t *testing.T) {
	f := &function{ids: map[string][]string{}, answer: map[string][]int{
		"objects/twice.json": {500, 429}, "objects/never.json": {500, 503, 404, 500, 500, 500},
	}}
	s := httptest.NewServer(f)
	defer s.Close()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "input", "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "input", "sub", "old.json"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"--data", dir, "--addr", "127.0.0.1:0", "--push", s.URL, "--trigger", "input/*.json", "--bucket", "output", "--retry", "1ms", "--attempts", "3",
		}, w)
		_ = w.Close()
	}()
	log := bufio.NewScanner(r)
	// until reads the log up to each of those lines, in any order.
	until := func(texts ...string) {
		t.Helper()
		for len(texts) > 0 && log.Scan() {
			for i, text := range texts {
				if strings.Contains(log.Text(), text) {
					texts = append(texts[:i:i], texts[i+1:]...)
					break
				}
			}
		}
		if len(texts) > 0 {
			t.Fatalf("not in the log: %q", texts)
		}
	}
	if !log.Scan() {
		t.Fatal("no first line: ", <-ended)
	}
	url, found := strings.CutPrefix(log.Text(), "gcs: listening on ")
	if !found {
		t.Fatalf("first line %q", log.Text())
	}
	if resp, body := get(t, url+"/storage/v1/b/input/o/sub%2Fold.json?alt=media"); resp != 200 || body != "old" {
		t.Errorf("a file that was there: %d %s", resp, body)
	}
	if resp, _ := get(t, url+"/storage/v1/b/output/o"); resp != 200 {
		t.Errorf("the bucket output: %d", resp)
	}
	for _, name := range []string{"other.txt", "once.json", "twice.json", "never.json"} {
		resp, err := http.Post(url+"/upload/storage/v1/b/input/o?uploadType=media&name="+name, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 200 {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	until("input/once.json acknowledged (200)", "input/twice.json was answered 500, delivery 1 of 3; again in 1ms",
		"input/twice.json was answered 429, delivery 2 of 3; again in 2ms", "input/twice.json acknowledged (200)",
		"input/never.json was answered 404, delivery 3 of 3: it is given up")
	stop()
	for log.Scan() { // the pipe has to be read
		if strings.Contains(log.Text(), "again in") {
			t.Errorf("afterwards: %s", log.Text())
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for subject, n := range map[string]int{"objects/once.json": 1, "objects/twice.json": 3, "objects/never.json": 3, "objects/other.txt": 0, "objects/sub/old.json": 0} {
		ids := f.ids[subject]
		if len(ids) != n {
			t.Errorf("%s: %d deliveries, want %d", subject, len(ids), n)
		}
		for _, id := range ids {
			if id != ids[0] || len(id) < 13 {
				t.Errorf("%s: ids %q", subject, ids)
			}
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}
