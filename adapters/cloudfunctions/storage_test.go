package cloudfunctions

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/blob/blobtest"
)

// emulator is an environment with a stand-in for Cloud Storage.
func emulator(url string) func(string) string {
	return func(name string) string { return map[string]string{"STORAGE_EMULATOR_HOST": url}[name] }
}

func TestStorage(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) (blob.Store, string) {
		t.Helper()
		_, url := newFakeGCS(t)
		return newStorage(emulator(strings.TrimPrefix(url, "http://"))), "gs://bucket/prefix"
	})
}

func TestStorageErrors(t *testing.T) {
	t.Parallel()
	_, url := newFakeGCS(t)
	s := newStorage(emulator(url + "/"))
	for _, tt := range []struct {
		url  string
		want error // nil: none of the sentinels
		text string
	}{
		{"gs://bucket/status-412", blob.ErrExists, "as asked for"},
		{"gs://bucket/status-403", nil, "roles/storage.object"},
		{"gs://bucket/status-400", nil, "400 Bad Request: as asked for"},
		{"gs://bucket", blob.ErrUnsupported, "gs://bucket/key"},
		{"gs://bucket/", blob.ErrUnsupported, "gs://bucket/key"},
		{"gs:///key", blob.ErrUnsupported, "gs://bucket/key"},
		{"s3://bucket/key", blob.ErrUnsupported, "gs://bucket/key"},
		{"key", blob.ErrUnsupported, "key"},
	} {
		_, err := s.Get(t.Context(), tt.url)
		check(t, "Get "+tt.url, err, tt.want, tt.text)
		check(t, "Put "+tt.url, s.Put(t.Context(), tt.url, "", []byte("x")), tt.want, tt.text)
	}
}

// A bucket that is missing is a mistake of the deployment: the event must come again, not be lost.
func TestStorageWithoutABucket(t *testing.T) {
	t.Parallel()
	_, url := newFakeGCS(t)
	s := newStorage(emulator(url))
	_, err := s.Get(t.Context(), "gs://bucket/status-404")
	check(t, "Get", err, blob.ErrNotFound, "as asked for")
	check(t, "Put", s.Put(t.Context(), "gs://bucket/status-404", "", nil), nil, `there is no bucket "bucket"`)
	h, _ := newTest(t, map[string]string{"SCOREFN_OUTPUT": "gs://out/status-404"}, WithStore(s))
	if w := serve(t, h, sent{header: ce("t"), body: `{"data":1}`}); w.Code != 500 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func check(t *testing.T, what string, err, want error, text string) {
	t.Helper()
	for _, e := range []error{blob.ErrNotFound, blob.ErrExists, blob.ErrTemporary, blob.ErrUnsupported} {
		if err == nil || errors.Is(err, e) != (e == want) || !strings.Contains(err.Error(), text) { //nolint:errorlint // the very one
			t.Errorf("%s: got %v, want %v with %q", what, err, want, text)
			return
		}
	}
}

// answers is a transport that answers with one status after the other, the last one for ever; 0 is a broken connection.
type answers struct {
	status []int
	calls  int
	body   string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	status := a.status[min(a.calls, len(a.status)-1)]
	a.calls++
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.body = string(b)
	}
	if status == 0 {
		return nil, errors.New("connection reset")
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("x")), ContentLength: 1, Request: r}, nil
}

// The store tries again what may pass, a few times, whole, and no other errors.
func TestStorageTriesAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status []int
		calls  int
		want   error
	}{
		{"at once", []int{200}, 1, nil},
		{"then it works", []int{503, 200}, 2, nil},
		{"a broken connection", []int{0, 429, 200}, 3, nil},
		{"never", []int{500}, attempts, blob.ErrTemporary},
		{"too many requests", []int{429}, attempts, blob.ErrTemporary},
		{"a timeout of the server", []int{408}, attempts, blob.ErrTemporary},
		{"a conflict", []int{409}, attempts, blob.ErrTemporary},
		{"no connection", []int{0}, attempts, blob.ErrTemporary},
		{"the answer to a create was lost", []int{0, 412}, 2, blob.ErrExists},
		{"denied", []int{403}, 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &answers{status: tt.status}
				s := newStorage(emulator("storage.example"))
				s.client = &http.Client{Transport: a}
				begin := time.Now()
				err := s.Put(t.Context(), "gs://b/k", "", []byte("body"))
				last := tt.status[len(tt.status)-1]
				if ok := last == 200; ok != (err == nil) || tt.want != nil && !errors.Is(err, tt.want) || a.calls != tt.calls || a.body != "body" {
					t.Errorf("got %v after %d calls, the last one with %q", err, a.calls, a.body)
				}
				if took := time.Since(begin); took > time.Second || (took > 0) != (tt.calls > 1) {
					t.Errorf("%d calls within %v", a.calls, took)
				}
			})
		})
	}
}

func TestStorageStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the deadline")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Nanosecond, cause)
		defer cancel()
		a := &answers{status: []int{503}}
		s := newStorage(emulator("storage.example"))
		s.client = &http.Client{Transport: a}
		if err := s.Put(ctx, "gs://b/k", "", nil); !errors.Is(err, cause) || a.calls != 1 {
			t.Errorf("got %v after %d calls", err, a.calls)
		}
	})
}

func TestStorageGenerations(t *testing.T) {
	t.Parallel()
	g, url := newFakeGCS(t)
	first := g.put("in/a.json", "application/json", `{"data":1}`)
	second := g.put("in/a.json", "application/json", `{"data":2}`)
	h, _ := newTest(t, map[string]string{"SCOREFN_OUTPUT": "gs://out/results"}, WithStore(newStorage(emulator(url))))
	results := map[string]string{}
	for _, generation := range []string{str(first), str(second), ""} {
		body := `{"bucket":"in","name":"a.json","generation":"` + generation + `"}`
		if generation == "" {
			body = `{"bucket":"in","name":"a.json"}`
		}
		a := accounts(t, serve(t, h, sent{header: ce(typeFinalized), body: body}).Body.String())[0]
		results[generation] = a.Stored + " " + g.object(strings.TrimPrefix(a.Stored, "gs://"))
	}
	if results[str(first)] != "gs://out/results/in/a.json@"+str(first)+".json 2" || results[str(second)] != "gs://out/results/in/a.json@"+str(second)+".json 4" || results[""] != results[str(second)] {
		t.Errorf("got %v", results)
	}
	a := accounts(t, serve(t, h, sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"a.json","generation":"1"}`}).Body.String())[0]
	if a.Status != dropped || a.Kind != "not found" {
		t.Errorf("a generation that is gone: got %+v", a)
	}
}

func str(generation int64) string { return strconv.FormatInt(generation, 10) }

// An object that is larger than a request may be is not fetched; the event is not sent again.
func TestStorageObjectsAreCapped(t *testing.T) {
	t.Parallel()
	g, url := newFakeGCS(t)
	g.put("in/large.json", "application/json", strings.Repeat(" ", 1001))
	h, _ := newTest(t, map[string]string{"SCOREFN_MAX_BODY": "1000"}, WithStore(newStorage(emulator(url))))
	w := serve(t, h, sent{header: ce(typeFinalized), body: `{"bucket":"in","name":"large.json"}`})
	if a := accounts(t, w.Body.String())[0]; w.Code != 200 || a.Kind != "too large" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// Cloud Storage keeps what was uploaded packed as it is, and says so.
func TestStorageUnpacksContentEncoding(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip is not accepted: Cloud Storage would unpack at its own cost")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "unpacked")
		_ = z.Close()
	}))
	t.Cleanup(server.Close)
	_, body, err := blob.Read(t.Context(), newStorage(emulator(server.URL)), "gs://b/k", 100)
	if err != nil || string(body) != "unpacked" {
		t.Errorf("got %q, %v", body, err)
	}
	if _, _, err := blob.Read(t.Context(), newStorage(emulator(server.URL)), "gs://b/k", 3); !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("over the limit: got %v", err)
	}
}
