package azure

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/scorefn/scorefn/function/blob"
)

// newTokens is an endpoint of a managed identity that answers so, and counts.
func newTokens(t *testing.T, status int, body string) (*identity, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		q := r.URL.Query()
		if r.Header.Get("X-IDENTITY-HEADER") != "header" || q.Get("resource") != "https://storage.azure.com" || q.Get("api-version") != "2019-08-01" || q.Get("client_id") != "client" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the client may be gone
	}))
	t.Cleanup(server.Close)
	env := map[string]string{"IDENTITY_ENDPOINT": server.URL + "/msi/token", "IDENTITY_HEADER": "header"}
	i := newIdentity(func(name string) string { return env[name] }, "client")
	i.now = func() time.Time { return time.Unix(1000, 0) }
	return i, &asked
}

var storageScope = policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}}

func TestTokensAreKeptUntilTheyExpire(t *testing.T) {
	t.Parallel()
	i, asked := newTokens(t, 200, `{"access_token":"token","expires_on":"5000","resource":"https://storage.azure.com","token_type":"Bearer"}`)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if got, err := i.GetToken(t.Context(), storageScope); err != nil || got.Token != "token" || got.ExpiresOn.Unix() != 5000 {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	group.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	i.now = func() time.Time { return time.Unix(4900, 0) }
	if _, err := i.GetToken(t.Context(), storageScope); err != nil || asked.Load() != 2 {
		t.Errorf("near its end: asked %d times, %v", asked.Load(), err)
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status  int
		body    string
		lasting bool
		want    string
	}{
		{400, `{"error":"no identity"}`, true, "no identity"},
		{500, ``, false, "500"},
		{429, ``, false, "429"},
		{200, `x`, true, "JSON"},
		{200, `{}`, true, "no token"},
		{200, `{"access_token":"token"}`, true, "expiry"},
		{200, `{"access_token":"token","expires_on":"tomorrow"}`, true, "expiry"},
	} {
		i, _ := newTokens(t, tt.status, tt.body)
		_, err := i.GetToken(t.Context(), storageScope)
		if _, lasting := errors.AsType[*tokenError](err); err == nil || lasting != tt.lasting || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), `"token"`) {
			t.Errorf("%d %s: got %v", tt.status, tt.body, err)
		}
	}
	if _, err := newIdentity(func(string) string { return "" }, "").GetToken(t.Context(), policy.TokenRequestOptions{}); err == nil {
		t.Error("a token of no scope")
	}
	if got, err := parseToken([]byte(`{"access_token":"t","expires_on":5}`)); err != nil || got.ExpiresOn.Unix() != 5 {
		t.Errorf("a number: %v, %v", got, err)
	}
}

// tlsOnly is what the store asks over TLS: the SDK sends no token without.
func TestStoreWithAManagedIdentity(t *testing.T) {
	t.Parallel()
	f := &fakeBlobs{auth: "Bearer token", blobs: map[string]fakeBlob{}}
	server := httptest.NewTLSServer(f)
	t.Cleanup(server.Close)
	tokens, asked := newTokens(t, 200, `{"access_token":"token","expires_on":"5000"}`)
	env := map[string]string{"AzureWebJobsStorage__blobServiceUri": server.URL, "IDENTITY_ENDPOINT": tokens.endpoint, "IDENTITY_HEADER": "header", "AZURE_CLIENT_ID": "client"}
	s := newStore(func(name string) string { return env[name] }).(*blobStore)
	s.configure = func(o *blockblob.ClientOptions) {
		quick(o)
		o.Transport = server.Client()
		s.tokens.now = tokens.now
	}
	link := server.URL + "/c/b"
	if err := s.Put(t.Context(), link, "text/csv", []byte("1")); err != nil {
		t.Fatal(err)
	}
	o, got, err := blob.Read(t.Context(), s, link, 10)
	if err != nil || string(got) != "1" || o.ContentType != "text/csv" || asked.Load() != 1 {
		t.Errorf("got %q %v %v, asked %d times", got, o, err, asked.Load())
	}
}

func TestNothingIsSetUpBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	s := newStore(func(name string) string {
		t.Errorf("%s is read", name)
		return ""
	}).(*blobStore)
	if s.account != nil || s.client != nil {
		t.Error("the store is set up")
	}
}
