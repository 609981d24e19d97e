package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// one is the session that all tests share: "scorefn cloudfunctions --gcs", and in front of its storage a proxy that fails when
// a test wants it.
var one *session

type session struct {
	root     string // of the source
	function string // URL
	store    string // URL of the storage itself
	log      *watched
	end      func() error

	mu      sync.Mutex
	target  *url.URL        // store
	broken  map[string]bool // objects that cannot be read
	refused int             // requests that were failed
}

func TestMain(m *testing.M) {
	code, err := testAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func testAll(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "scorefn-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if one, err = open(dir); err != nil {
		return 1, err
	}
	code = m.Run()
	err = one.end()
	if code != 0 || err != nil {
		fmt.Fprintf(os.Stderr, "the log:\n%s\n", one.log)
	}
	return code, err
}

// open starts everything and returns when the function answers.
func open(dir string) (*session, error) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return nil, err
	}
	program := os.Getenv("SCOREFN")
	if program == "" {
		program = filepath.Join(dir, "scorefn")
		build := exec.Command("go", "build", "-o", program, "./local")
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	s := &session{root: root, log: newWatched(), broken: map[string]bool{}}
	proxy := httptest.NewServer(s.proxy())
	cmd := exec.Command(program, "cloudfunctions", "--addr", "127.0.0.1:0", "--gcs", filepath.Join(dir, "store"), "--gcs-addr", "127.0.0.1:0",
		"--trigger", "input/*.json", "--retry", "20ms", "--attempts", "4", "--concurrency", "4", "--timeout", "2m",
		"--env", "SCOREFN_OUTPUT=gs://output/scores", "--env", "SCOREFN_DEAD_LETTER=gs://output/dead",
		"--env", "STORAGE_EMULATOR_HOST="+strings.TrimPrefix(proxy.URL, "http://"))
	cmd.Dir = root
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		s.log.close()
	}()
	s.end = func() error {
		defer proxy.Close()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			return err
		}
		if err := <-ended; err != nil {
			return fmt.Errorf("scorefn cloudfunctions ended with %w", err)
		}
		if !strings.Contains(s.log.String(), "stopped\n") {
			return fmt.Errorf("scorefn cloudfunctions did not say that it has stopped")
		}
		return nil
	}
	if s.function, err = s.log.find(context.Background(), `is served at (http://\S+)`); err == nil {
		s.store, err = s.log.find(context.Background(), `(http://\S+)/ +Cloud Storage;`)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, <-ended)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target, err = url.Parse(s.store)
	return s, err
}

// proxy is the storage, apart from reads of objects that a test has broken: 503.
func (s *session) proxy() http.Handler {
	to := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p.SetURL(s.target)
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, name, _ := strings.Cut(r.URL.Path, "/o/")
		s.mu.Lock()
		broken := r.Method == http.MethodGet && s.broken[name]
		if broken {
			s.refused++
		}
		s.mu.Unlock()
		if broken {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		to.ServeHTTP(w, r)
	})
}

func (s *session) breakObject(name string, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[name] = broken
}

// object is what the storage says of one.
type object struct{ Name, Bucket, Generation string }

// put uploads an object.
func (s *session) put(t *testing.T, name string, content []byte) object {
	t.Helper()
	r, err := http.Post(s.store+"/upload/storage/v1/b/input/o?uploadType=media&name="+url.QueryEscape(name), "application/json", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var o object
	err = json.NewDecoder(r.Body).Decode(&o)
	if r.Body.Close(); err != nil || r.StatusCode != http.StatusOK || o.Generation == "" {
		t.Fatalf("put %s: %s, %v", name, r.Status, err)
	}
	return o
}

// results lists the objects of the bucket output below a prefix.
func (s *session) results(t *testing.T, prefix string) []object {
	t.Helper()
	r, err := http.Get(s.store + "/storage/v1/b/output/o?prefix=" + url.QueryEscape(prefix))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var list struct{ Items []object }
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("list %s: %s, %v", prefix, r.Status, err)
	}
	return list.Items
}

// result waits for the log to say that the event of an object has ended, and returns the one result.
func (s *session) result(t *testing.T, name string) (object, string) {
	t.Helper()
	s.logged(t, regexp.QuoteMeta("input/"+name)+` (acknowledged \(200\))`)
	all := s.results(t, "scores/input/"+name)
	if len(all) != 1 {
		t.Fatalf("%d results of %s: %v", len(all), name, all)
	}
	return all[0], s.content(t, all[0])
}

func (s *session) content(t *testing.T, o object) string {
	t.Helper()
	r, err := http.Get(s.store + "/storage/v1/b/" + o.Bucket + "/o/" + url.PathEscape(o.Name) + "?alt=media")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("get %s: %s, %v", o.Name, r.Status, err)
	}
	return strings.TrimSpace(string(b))
}

// logged waits for the pattern, which has one group.
func (s *session) logged(t *testing.T, pattern string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // nothing takes so long
	defer cancel()
	if _, err := s.log.find(ctx, pattern); err != nil {
		t.Fatal(err)
	}
}

func (s *session) sample(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.root, "model", "digits", "1", "sample.json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// watched is a log that can be waited for.
type watched struct {
	mu     sync.Mutex
	text   strings.Builder
	grown  chan struct{} // closed when there is more, and replaced
	closed bool
}

func newWatched() *watched { return &watched{grown: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.grown)
	w.grown = make(chan struct{})
	return w.text.Write(p)
}

func (w *watched) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	close(w.grown)
	w.grown = make(chan struct{})
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *watched) find(ctx context.Context, pattern string) (string, error) {
	re := regexp.MustCompile(pattern)
	for {
		w.mu.Lock()
		m, grown, closed := re.FindStringSubmatch(w.text.String()), w.grown, w.closed
		w.mu.Unlock()
		switch {
		case m != nil:
			return m[1], nil
		case closed:
			return "", fmt.Errorf("it has ended without %s in its log:\n%s", pattern, w)
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return "", fmt.Errorf("no %s in the log: %w", pattern, ctx.Err())
		}
	}
}
