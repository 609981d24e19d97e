package cloudfunctions

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
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
	if left := time.Until(tokens.expiry); left > time.Hour-tokenMargin || left < time.Hour-2*tokenMargin {
		t.Errorf("a token of an hour is kept for %v", left)
	}
	tokens.expiry = time.Now()
	if token, err := tokens.get(t.Context()); token != "token-2" || err != nil || asked.Load() != 2 {
		t.Errorf("got %q, %v", token, err)
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

// tokenServer gives a token to whom allow lets.
func tokenServer(t *testing.T, allow func(*http.Request) error) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := allow(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"access_token":"granted","expires_in":3600}`)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/token"
}

// inFile writes credentials into a folder, as gcloud does.
func inFile(t *testing.T, c credentials) (dir, file string) {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	file = filepath.Join(dir, "application_default_credentials.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func TestTokensOfAUser(t *testing.T) {
	t.Parallel()
	server := tokenServer(t, func(r *http.Request) error {
		if r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != "refresh" || r.FormValue("client_id") != "id" || r.FormValue("client_secret") != "secret" {
			return fmt.Errorf("got %v", r.Form)
		}
		return nil
	})
	dir, file := inFile(t, credentials{Type: "authorized_user", ClientID: "id", ClientSecret: "secret", RefreshToken: "refresh", TokenURI: server})
	for _, env := range []map[string]string{
		{"GOOGLE_APPLICATION_CREDENTIALS": file},
		{"CLOUDSDK_CONFIG": dir},
		{"CLOUDSDK_CONFIG": dir, "K_SERVICE": "function"}, // under "scorefn cloudfunctions"
	} {
		tokens := newTokens(func(name string) string { return env[name] }, http.DefaultClient)
		if token, err := tokens.get(t.Context()); token != "granted" || err != nil {
			t.Errorf("%v: got %q, %v", env, token, err)
		}
	}
	_, wrong := inFile(t, credentials{Type: "authorized_user", TokenURI: server})
	tokens := newTokens(func(string) string { return wrong }, http.DefaultClient)
	if _, err := tokens.get(t.Context()); err == nil || !strings.Contains(err.Error(), "400 Bad Request") || errors.Is(err, blob.ErrTemporary) {
		t.Errorf("refused: got %v", err)
	}
}

func TestTokensOfAServiceAccount(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	server := tokenServer(t, func(r *http.Request) error {
		part := strings.Split(r.FormValue("assertion"), ".")
		if len(part) != 3 || r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
			return fmt.Errorf("got %v", r.Form)
		}
		signature, err := base64.RawURLEncoding.DecodeString(part[2])
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
			return err
		}
		var claims struct {
			Iss, Aud, Scope string
			Iat, Exp        int64
		}
		b, err := base64.RawURLEncoding.DecodeString(part[1])
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &claims); err != nil {
			return err
		}
		if claims.Iss != "score@sample.iam.gserviceaccount.com" || !strings.HasSuffix(claims.Aud, "/token") || claims.Exp != claims.Iat+3600 || claims.Scope == "" {
			return fmt.Errorf("got %+v", claims)
		}
		return nil
	})
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, tt := range []struct {
		name string
		c    credentials
		want string // in the error; "" for none
	}{
		{"a key", credentials{Type: "service_account", ClientEmail: "score@sample.iam.gserviceaccount.com", PrivateKey: private, TokenURI: server}, ""},
		{"no key", credentials{Type: "service_account", TokenURI: server}, "private_key"},
		{"junk", credentials{Type: "service_account", PrivateKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "private_key"},
		{"another kind", credentials{Type: "external_account"}, "external_account"},
	} {
		_, file := inFile(t, tt.c)
		token, err := newTokens(func(string) string { return file }, http.DefaultClient).get(t.Context())
		if tt.want == "" && (token != "granted" || err != nil) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %q, %v", tt.name, token, err)
		}
	}
	missing := newTokens(func(string) string { return "/nowhere/key.json" }, http.DefaultClient)
	if _, err := missing.get(t.Context()); err == nil || !strings.Contains(err.Error(), "/nowhere/key.json") {
		t.Errorf("no file: got %v", err)
	}
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
