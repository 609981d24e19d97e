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
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

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
