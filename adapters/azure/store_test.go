package azure

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/blob/blobtest"
)

// fakeBlobs answers GET and PUT as Azure Blob Storage does. A name with "status-N" in it is answered N.
type fakeBlobs struct {
	auth string // what Authorization must begin with; "" for none at all

	mu       sync.Mutex
	blobs    map[string]fakeBlob // by escaped path
	requests []*http.Request
}

type fakeBlob struct {
	contentType, etag string
	body              []byte
}

func (f *fakeBlobs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	fail := func(status int, code string) {
		w.Header().Set("x-ms-error-code", code)
		w.WriteHeader(status)
	}
	path := r.URL.EscapedPath()
	auth := r.Header.Get("Authorization")
	b, there := f.blobs[path]
	status := 0
	if _, after, ok := strings.Cut(path, "status-"); ok {
		_, _ = fmt.Sscan(after, &status)
	}
	switch {
	case status == 302:
		w.Header().Set("Location", "/elsewhere")
		fail(302, "Moved")
	case status != 0:
		fail(status, "Code")
	case f.auth == "" && auth != "", f.auth != "" && !strings.HasPrefix(auth, f.auth):
		fail(http.StatusForbidden, "AuthenticationFailed")
	case r.Method == http.MethodPut && (r.Header.Get("If-None-Match") != "*" || r.Header.Get("x-ms-blob-type") != "BlockBlob"):
		fail(http.StatusBadRequest, "MissingRequiredHeader")
	case r.Method == http.MethodPut && there:
		fail(http.StatusConflict, "BlobAlreadyExists")
	case r.Method == http.MethodPut:
		f.blobs[path] = fakeBlob{r.Header.Get("x-ms-blob-content-type"), fmt.Sprintf(`"0x%d"`, len(f.blobs)), body}
		w.WriteHeader(http.StatusCreated)
	case !there:
		fail(http.StatusNotFound, "BlobNotFound")
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != b.etag:
		fail(http.StatusPreconditionFailed, "ConditionNotMet")
	default:
		w.Header().Set("Content-Type", b.contentType)
		w.Header().Set("ETag", b.etag)
		_, _ = w.Write(b.body) // the client may be gone
	}
}

// quick keeps the SDK from waiting between its tries.
func quick(o *blockblob.ClientOptions) {
	o.Retry = policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond}
}

// newFake is a server of blobs, and a store with the connection that its endpoint is put into.
func newFake(t *testing.T, auth, connection string) (*fakeBlobs, *blobStore, string) {
	t.Helper()
	f := &fakeBlobs{auth: auth, blobs: map[string]fakeBlob{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	endpoint := server.URL + "/" + devAccount
	s := newStore(func(name string) string {
		if name == "AzureWebJobsStorage" {
			return strings.ReplaceAll(connection, "ENDPOINT", endpoint)
		}
		return ""
	}).(*blobStore)
	s.configure = quick
	return f, s, endpoint + "/container"
}

const (
	byKey = "AccountName=" + devAccount + ";AccountKey=" + devKey + ";BlobEndpoint=ENDPOINT;"
	bySAS = "BlobEndpoint=ENDPOINT;SharedAccessSignature=sv=2022&sig=c2VjcmV0"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ auth, connection string }{
		"key": {"SharedKey " + devAccount + ":", byKey},
		"SAS": {"", bySAS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobtest.Run(t, func(t *testing.T) (blob.Store, string) {
				t.Helper()
				_, s, prefix := newFake(t, tt.auth, tt.connection)
				return s, prefix
			})
		})
	}
}

func TestStoreErrors(t *testing.T) {
	t.Parallel()
	f, s, prefix := newFake(t, "SharedKey ", byKey)
	for status, want := range map[int]error{
		404: blob.ErrNotFound, 500: blob.ErrTemporary, 503: blob.ErrTemporary, 429: blob.ErrTemporary, 408: blob.ErrTemporary,
		403: nil, 401: nil, 400: nil, 302: nil,
	} {
		_, err := s.Get(t.Context(), fmt.Sprintf("%s/status-%d?sig=c2VjcmV0", prefix, status))
		if err == nil || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, blob.ErrTemporary) || errors.Is(err, blob.ErrNotFound)) {
			t.Errorf("get %d: got %v, want %v", status, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "c2VjcmV0") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("get %d: a secret, or a page: %v", status, err)
		}
	}
	for _, r := range f.requests {
		if r.URL.Path == "/elsewhere" {
			t.Error("a redirect was followed")
		}
	}
	if err := s.Put(t.Context(), prefix+"/status-404", "", nil); !errors.Is(err, blob.ErrNotFound) || !strings.Contains(err.Error(), "the container must be there") {
		t.Errorf("put without a container: %v", err)
	}
	if err := s.Put(t.Context(), prefix+"/status-403", "", nil); err == nil || !strings.Contains(err.Error(), "Storage Blob Data Contributor") {
		t.Errorf("put without a role: %v", err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	s = newStore(func(string) string { return strings.ReplaceAll(byKey, "ENDPOINT", gone.URL) }).(*blobStore)
	s.configure = quick
	if _, err := s.Get(t.Context(), gone.URL+"/c/b"); !errors.Is(err, blob.ErrTemporary) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestStorePinsETags(t *testing.T) {
	t.Parallel()
	f, s, prefix := newFake(t, "SharedKey ", byKey)
	if err := s.Put(t.Context(), prefix+"/a", "", []byte("1")); err != nil {
		t.Fatal(err)
	}
	for _, etag := range []string{"0x0", `"0x0"`} {
		o, err := s.GetMatching(t.Context(), prefix+"/a", etag)
		if err != nil || o.Version != "0x0" {
			t.Fatalf("%s: got %v, %v", etag, o, err)
		}
		_ = o.Body.Close() // nothing was written
	}
	if _, err := s.GetMatching(t.Context(), prefix+"/a", "0x1"); !errors.Is(err, errChanged) {
		t.Errorf("got %v", err)
	}
	d := newDelivered()
	d.etags[prefix+"/a"] = "0x1"
	_, got, err := blob.Read(t.Context(), deliveredStore{s, d}, prefix+"/a", 10)
	if err != nil || string(got) != "1" {
		t.Errorf("what has changed is read as it is now: %q, %v", got, err)
	}
	if n := len(f.requests); n != 6 {
		t.Errorf("%d requests", n)
	}
}

// A URL comes with an event: no other host may see a key or a token, or be asked for anything.
func TestStoreRefusesHosts(t *testing.T) {
	t.Parallel()
	f, s, prefix := newFake(t, "SharedKey ", byKey)
	endpoint := strings.TrimSuffix(prefix, "/"+devAccount+"/container")
	for _, link := range []string{
		endpoint + "/other/container/blob", endpoint + "/container/blob", strings.Replace(prefix, "http:", "https:", 1) + "/a",
		"http://a.blob.core.windows.net/c/b", "https://a.blob.core.windows.net.evil.com/c/b", "https://blob.core.windows.net/c/b",
		"https://evil.com/a.blob.core.windows.net/c/b", "https://evil.com#.blob.core.windows.net/c/b", "https://a.blob.core.evil.com/c/b",
		"https://a.blob.core.windows.net:8443/c/b", "https://user@a.blob.core.windows.net/c/b", "https://evil.com%2f.blob.core.windows.net/c/b",
		"https://evil.com\\.blob.core.windows.net/c/b", "https://127.0.0.1/c/b", "https://169.254.169.254/metadata/identity", "https://[::1]/c/b",
		"file:///etc/passwd", "s3://b/k", "https://a.blob.core.windows.net", "https://a.blob.core.windows.net/", "", "x", "://", "https://",
	} {
		if _, err := s.Get(t.Context(), link); !errors.Is(err, blob.ErrUnsupported) {
			t.Errorf("get %s: got %v", link, err)
		}
		if err := s.Put(t.Context(), link, "", nil); !errors.Is(err, blob.ErrUnsupported) {
			t.Errorf("put %s: got %v", link, err)
		}
	}
	if len(f.requests) != 0 {
		t.Errorf("%d requests were sent", len(f.requests))
	}
	for _, link := range []string{
		"https://a.blob.core.windows.net/c/b", "https://A-1.Blob.Core.Windows.Net:443/c/b", "https://a.blob.core.chinacloudapi.cn/c/b",
		"https://a.z1.blob.storage.azure.net/c/b",
	} {
		u, err := parseBlob(link)
		if err != nil || !isAzure(u) {
			t.Errorf("%s is Azure's: %v", link, err)
		}
	}
	_, err := s.Get(t.Context(), "https://a.blob.core.windows.net/c/b")
	if err == nil || !strings.Contains(err.Error(), "there is no credential for https://a.blob.core.windows.net/c/b: give the function app a managed identity") {
		t.Errorf("another account without an identity: %v", err)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, endpoint, problem string }{
		{"Azurite", "UseDevelopmentStorage=true", devEndpoint, ""},
		{"account", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn", "https://a.blob.core.chinacloudapi.cn", ""},
		{"short", "AccountName=a;AccountKey=a2V5==;", "https://a.blob.core.windows.net", "AccountKey is not in base64"},
		{"defaults", "AccountName=a;AccountKey=a2V5", "https://a.blob.core.windows.net", ""},
		{"SAS", "BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=?sig=x", "https://a.blob.core.windows.net/", ""},
		{"no key", "AccountName=a", "", "it has neither AccountName with AccountKey nor SharedAccessSignature"},
		{"no account", "AccountKey=a2V5", "", "it has neither AccountName nor BlobEndpoint"},
		{"no string", "secret", "", "expected NAME=VALUE"},
		{"no URL", "BlobEndpoint=secret;SharedAccessSignature=x", "", "is no URL"},
	} {
		a, err := readAccount(func(name string) string {
			return map[string]string{"SCOREFN_CONNECTION": "Mine", "Mine": tt.text}[name]
		})
		switch {
		case tt.problem != "":
			if err == nil || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), "Mine") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got %v", tt.name, err)
			}
		case err != nil || a.endpoint.String() != tt.endpoint:
			t.Errorf("%s: got %v, %v", tt.name, a, err)
		}
	}
	env := map[string]string{"AzureWebJobsStorage__accountName": "a", "AzureWebJobsStorage__clientId": "id", "AZURE_CLIENT_ID": "other"}
	if a, err := readAccount(func(name string) string { return env[name] }); err != nil || a.endpoint.String() != "https://a.blob.core.windows.net" || a.clientID != "id" {
		t.Errorf("identity: got %v, %v", a, err)
	}
	env["AzureWebJobsStorage__blobServiceUri"] = "https://b.example.com"
	if a, err := readAccount(func(name string) string { return env[name] }); err != nil || a.endpoint.Host != "b.example.com" {
		t.Errorf("identity: got %v, %v", a, err)
	}
	if a, err := readAccount(func(string) string { return "" }); err != nil || a.owns(&url.URL{Scheme: "https", Host: ""}) {
		t.Errorf("none: got %v, %v", a, err)
	}
}
