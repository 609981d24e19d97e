package cloudfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/scorefn/scorefn/function/blob"
)

// tokens are the access tokens for Cloud Storage: Application Default Credentials without golang.org/x/oauth2/google, which
// costs every cold start 0.3 ms (its init compiles patterns for identity federation) and 1 MB.
type tokens struct {
	getenv func(string) string
	client *http.Client

	lock   chan struct{} // holds one: a mutex that a context can end the wait for
	value  string
	renew  time.Time // when the next one is fetched
	end    time.Time // of the value
	err    error     // why there was none, the last time
	failed time.Time
}

func newTokens(getenv func(string) string, client *http.Client) *tokens {
	return &tokens{getenv: getenv, client: client, lock: make(chan struct{}, 1)}
}

// A token is fetched anew this long before it ends, so that no call arrives with one that has. While that fails, it is tried
// again after the pause, and the old one is good until shortly before its end.
const (
	tokenMargin = 4 * time.Minute
	tokenPause  = 20 * time.Second
	tokenLast   = 10 * time.Second
)

// get is a token that is good for the next minutes. Calls that wait for one to be fetched share it, and the error as well.
func (t *tokens) get(ctx context.Context) (string, error) {
	asked := time.Now()
	select {
	case t.lock <- struct{}{}:
		defer func() { <-t.lock }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if t.value != "" && time.Now().Before(t.renew) {
		return t.value, nil
	}
	if t.failed.After(asked) {
		return "", t.err
	}
	granted, err := t.fetch(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil: // this caller gave up, which says nothing about the server
		return "", fmt.Errorf("no access token: %w", err)
	case t.value != "" && time.Until(t.end) > tokenLast:
		t.renew = time.Now().Add(tokenPause)
		return t.value, nil
	default:
		t.err, t.failed = fmt.Errorf("no access token: %w", err), time.Now()
		return "", t.err
	}
	life := time.Duration(min(granted.ExpiresIn, 24*60*60)) * time.Second
	t.value, t.renew, t.end = granted.AccessToken, time.Now().Add(max(life-tokenMargin, life/2)), time.Now().Add(life)
	return t.value, nil
}

// forget drops a token that was refused.
func (t *tokens) forget(bad string) {
	t.lock <- struct{}{}
	defer func() { <-t.lock }()
	if t.value == bad {
		t.value = ""
	}
}

// grant is a token as its server gives it (RFC 6749, section 5.1).
type grant struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"`
}

func readGrant(b []byte) (g grant, err error) {
	if err := json.Unmarshal(b, &g); err != nil {
		return g, fmt.Errorf("the answer is not JSON: %w", err)
	}
	if g.AccessToken == "" || g.ExpiresIn <= 0 {
		return g, errors.New("the answer holds no token")
	}
	return g, nil
}

// fetch gets a token for the credentials that are found first (Google Cloud documentation, "How Application Default
// Credentials works"): a file that is named, gcloud's file on a computer of one's own, the metadata server.
func (t *tokens) fetch(ctx context.Context) (grant, error) {
	file := t.getenv("GOOGLE_APPLICATION_CREDENTIALS")
	if file == "" {
		file = t.gcloudFile()
	}
	if file != "" {
		return t.fromFile(ctx, file)
	}
	b, err := metadata(ctx, t.getenv, "instance/service-accounts/default/token")
	switch {
	case errors.Is(err, errMetadata):
		return grant{}, fmt.Errorf("%w; is there a service account?", err)
	case err != nil:
		return grant{}, fmt.Errorf("%w: %w (outside of Google Cloud: run gcloud auth application-default login, "+
			"or set GOOGLE_APPLICATION_CREDENTIALS)", blob.ErrTemporary, err)
	}
	return readGrant(b)
}

// gcloudFile is where gcloud auth application-default login leaves its credentials; "" when there are none.
func (t *tokens) gcloudFile() string {
	dir := t.getenv("CLOUDSDK_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		dir = filepath.Join(home, ".config")
		if runtime.GOOS == "windows" {
			dir, err = os.UserConfigDir()
		}
		if err != nil {
			return ""
		}
		dir = filepath.Join(dir, "gcloud")
	}
	file := filepath.Join(dir, "application_default_credentials.json")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}
