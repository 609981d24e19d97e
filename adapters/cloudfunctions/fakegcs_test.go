package cloudfunctions

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeGCS answers the calls of the JSON API that the store makes, as Cloud Storage does: generations, preconditions, errors
// as JSON. An object whose name has "status-N" in it is answered N.
type fakeGCS struct {
	mu       sync.Mutex
	objects  map[string][]gcsObject // by bucket/key; the last one is the latest
	next     int64
	token    string // that is asked for; "" for none
	creates  map[string]int
	requests []string
}

type gcsObject struct {
	generation  int64
	contentType string
	body        []byte
}

func newFakeGCS(tb testing.TB) (*fakeGCS, string) {
	tb.Helper()
	g := &fakeGCS{objects: map[string][]gcsObject{}, next: 1587627537231057, creates: map[string]int{}}
	server := httptest.NewServer(g)
	tb.Cleanup(server.Close)
	return g, server.URL
}

// put is an upload by somebody else, over what there is.
func (g *fakeGCS) put(name, contentType, body string) (generation int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next++
	g.objects[name] = append(g.objects[name], gcsObject{g.next, contentType, []byte(body)})
	return g.next
}

// object is the latest text of an object, "" when there is none.
func (g *fakeGCS) object(name string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.objects[name]; len(o) > 0 {
		return string(o[len(o)-1].body)
	}
	return ""
}

func (g *fakeGCS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, r.Method+" "+r.URL.RequestURI())
	q := r.URL.Query()
	if g.token != "" && r.Header.Get("Authorization") != "Bearer "+g.token {
		fail(w, http.StatusUnauthorized, "Invalid Credentials")
		return
	}
	if _, after, ok := strings.Cut(r.URL.RequestURI(), "status-"); ok {
		status, err := strconv.Atoi(after[:3])
		if err != nil {
			status = http.StatusTeapot
		}
		fail(w, status, "as asked for")
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/upload/storage/v1/b/"); ok && r.Method == http.MethodPost {
		bucket, _ := url.PathUnescape(strings.TrimSuffix(rest, "/o"))
		g.create(w, bucket+"/"+q.Get("name"), q, r.Header.Get("Content-Type"), body)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/storage/v1/b/")
	bucket, key, found := strings.Cut(rest, "/o/")
	if !ok || !found || strings.Contains(key, "/") || q.Get("alt") != "media" || r.Method != http.MethodGet {
		fail(w, http.StatusBadRequest, "the fake does not know "+r.URL.RequestURI())
		return
	}
	name, _ := url.PathUnescape(bucket + "/" + key)
	for _, o := range slices.Backward(g.objects[name]) {
		if want := q.Get("generation"); want != "" && want != strconv.FormatInt(o.generation, 10) {
			continue
		}
		w.Header().Set("Content-Type", o.contentType)
		w.Header().Set("X-Goog-Generation", strconv.FormatInt(o.generation, 10))
		_, _ = w.Write(o.body)
		return
	}
	fail(w, http.StatusNotFound, "No such object: "+name)
}

func (g *fakeGCS) create(w http.ResponseWriter, name string, q url.Values, contentType string, body []byte) {
	switch {
	case q.Get("uploadType") != "media" || q.Get("ifGenerationMatch") != "0":
		fail(w, http.StatusBadRequest, "expected a create-only upload")
	case len(g.objects[name]) > 0:
		fail(w, http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold.")
	default:
		g.next++
		g.objects[name] = []gcsObject{{g.next, contentType, body}}
		g.creates[name]++
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"kind":"storage#object","generation":"%d"}`, g.next)
	}
}

func fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":%q}}`, status, text)
}
