package cloudfunctions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function/blob"
)

// metadataServer is the metadata server of Google Cloud. Its tokens are numbered.
func metadataServer(t *testing.T, status *atomic.Int64) (host string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata-Flavor") != "Google" {
			http.Error(w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
			return
		}
		w.Header().Set("Metadata-Flavor", "Google")
		if s := status.Load(); s != 0 {
			http.Error(w, "as asked for", int(s))
			return
		}
		switch r.URL.Path {
		case "/computeMetadata/v1/instance/service-accounts/default/token":
			fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":3599,"token_type":"Bearer"}`, asked.Add(1))
		case "/computeMetadata/v1/project/project-id":
			asked.Add(1)
			fmt.Fprint(w, "sample-project")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), asked
}

// onGoogle is the environment of Cloud Run, with its metadata server, and without what this machine may have of gcloud's.
func onGoogle(host string) func(string) string {
	return func(name string) string {
		return map[string]string{"K_SERVICE": "score", "GCE_METADATA_HOST": host, "CLOUDSDK_CONFIG": "/nowhere"}[name]
	}
}

func TestTokensOfTheMetadataServer(t *testing.T) {
	t.Parallel()
	host, asked := metadataServer(t, new(atomic.Int64))
	g, url := newFakeGCS(t)
	g.token = "token-1"
	s := newStorage(onGoogle(host))
	s.base = url
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if err := s.Put(t.Context(), fmt.Sprintf("gs://out/%d", i), "", nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if asked.Load() != 1 {
		t.Errorf("8 calls asked for %d tokens", asked.Load())
	}
	g.mu.Lock()
	g.token = "token-2" // the other one was revoked
	g.mu.Unlock()
	if err := s.Put(t.Context(), "gs://out/again", "", nil); err != nil || asked.Load() != 2 {
		t.Errorf("after a revocation: got %v, %d tokens", err, asked.Load())
	}
	g.mu.Lock()
	g.token = "nobody's"
	g.mu.Unlock()
	if err := s.Put(t.Context(), "gs://out/never", "", nil); err == nil || !strings.Contains(err.Error(), "401 Unauthorized: Invalid Credentials") || asked.Load() != 3 {
		t.Errorf("when no token is good: got %v, %d tokens", err, asked.Load())
	}
}

func TestTokensAreFetchedAnewBeforeTheyEnd(t *testing.T) {
	t.Parallel()
	host, asked := metadataServer(t, new(atomic.Int64))
	tokens := newTokens(onGoogle(host), http.DefaultClient)
	for range 2 {
		if token, err := tokens.get(t.Context()); token != "token-1" || err != nil {
			t.Errorf("got %q, %v", token, err)
		}
	}
	if left := time.Until(tokens.renew); left > time.Hour-tokenMargin || left < time.Hour-2*tokenMargin {
		t.Errorf("a token of an hour is kept for %v", left)
	}
	tokens.renew = time.Now()
	if token, err := tokens.get(t.Context()); token != "token-2" || err != nil || asked.Load() != 2 {
		t.Errorf("got %q, %v", token, err)
	}
}

// A token is good until its end, whatever the server that gives the next one says meanwhile.
func TestTokensOutliveTheirServer(t *testing.T) {
	t.Parallel()
	status := new(atomic.Int64)
	host, _ := metadataServer(t, status)
	tokens := newTokens(onGoogle(host), http.DefaultClient)
	for range 2 {
		if token, err := tokens.get(t.Context()); token != "token-1" || err != nil {
			t.Errorf("got %q, %v", token, err)
		}
		status.Store(500)
		tokens.renew = time.Now() // it is time for the next one
	}
	tokens.renew, tokens.end = time.Now(), time.Now()
	if token, err := tokens.get(t.Context()); token != "" || err == nil {
		t.Errorf("behind its end: got %q, %v", token, err)
	}
	status.Store(0)
	if token, err := tokens.get(t.Context()); token != "token-2" || err != nil {
		t.Errorf("the server is back: got %q, %v", token, err)
	}
}

func TestTokensThatCannotBeHad(t *testing.T) {
	t.Parallel()
	status := new(atomic.Int64)
	host, _ := metadataServer(t, status)
	for code, temporary := range map[int64]bool{404: false, 403: false, 500: true, 429: true} {
		status.Store(code)
		_, err := newTokens(onGoogle(host), http.DefaultClient).get(t.Context())
		if err == nil || errors.Is(err, blob.ErrTemporary) != temporary {
			t.Errorf("%d: got %v", code, err)
		}
	}
	if _, err := newTokens(onGoogle("127.0.0.1:1"), http.DefaultClient).get(t.Context()); !errors.Is(err, blob.ErrTemporary) || !strings.Contains(err.Error(), "gcloud auth application-default login") {
		t.Errorf("no server: got %v", err)
	}
}

// dead is a transport whose servers do not answer.
type dead struct{ calls atomic.Int64 }

func (d *dead) RoundTrip(*http.Request) (*http.Response, error) {
	d.calls.Add(1)
	time.Sleep(5 * time.Second)
	return nil, errors.New("no answer")
}

// Calls that wait for the same token do not each ask a server that does not answer, one after the other.
func TestTokensFailTogether(t *testing.T) {
	t.Parallel()
	_, file := inFile(t, credentials{Type: "authorized_user"})
	synctest.Test(t, func(t *testing.T) {
		d := &dead{}
		tokens := newTokens(func(string) string { return file }, &http.Client{Transport: d})
		begin := time.Now()
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if _, err := tokens.get(t.Context()); !errors.Is(err, blob.ErrTemporary) {
					t.Errorf("got %v", err)
				}
			})
		}
		group.Wait()
		if took := time.Since(begin); took != 5*time.Second || d.calls.Load() != 1 {
			t.Errorf("10 calls asked %d times, for %v", d.calls.Load(), took)
		}
		if _, err := tokens.get(t.Context()); err == nil || d.calls.Load() != 2 {
			t.Errorf("a later call: got %v, asked %d times", err, d.calls.Load())
		}
	})
}

// One whose caller gives up takes none of the others with it.
func TestTokensOfACallerWhoGivesUp(t *testing.T) {
	t.Parallel()
	_, file := inFile(t, credentials{Type: "authorized_user"})
	synctest.Test(t, func(t *testing.T) {
		d := &dead{}
		tokens := newTokens(func(string) string { return file }, &http.Client{Transport: d})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		gone := make(chan error)
		go func() {
			_, err := tokens.get(ctx)
			gone <- err
		}()
		synctest.Wait()
		if _, err := tokens.get(t.Context()); !strings.Contains(fmt.Sprint(err), "no answer") || d.calls.Load() != 2 {
			t.Errorf("got %v, asked %d times", err, d.calls.Load())
		}
		<-gone
	})
}

func TestProject(t *testing.T) {
	t.Parallel()
	status := new(atomic.Int64)
	host, asked := metadataServer(t, status)
	given := projectID(func(name string) string { return map[string]string{"GOOGLE_CLOUD_PROJECT": "given"}[name] })
	if id := given(t.Context()); id != "given" {
		t.Errorf("got %q", id)
	}
	if id := projectID(func(string) string { return "" })(t.Context()); id != "" {
		t.Errorf("off Google Cloud: got %q", id)
	}
	found := projectID(onGoogle(host))
	for range 2 {
		if id := found(t.Context()); id != "sample-project" || asked.Load() != 1 {
			t.Errorf("got %q after %d questions", id, asked.Load())
		}
	}
	status.Store(500)
	if id := projectID(onGoogle(host))(t.Context()); id != "" {
		t.Errorf("a server that fails: got %q", id)
	}
}
