package azure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	store "github.com/scorefn/scorefn/function/blob"
)

// blobStore is Azure Blob Storage as a blob.Store of https URLs, and of the http URLs of the configured account, which is an
// emulator then. It is set up on first use: most functions never need it.
//
// A URL comes with an event, so that it is not trusted: only the configured account and the hosts of Azure's own storage are
// asked for anything, and get a key or a token to see.
type blobStore struct {
	getenv    func(string) string
	configure func(*blockblob.ClientOptions) // by tests

	mu      sync.Mutex
	account *account
	tokens  *identity
	client  *http.Client
}

func newStore(getenv func(string) string) store.Store {
	return &blobStore{getenv: getenv}
}

// open reads the connection. A failure is not kept.
func (s *blobStore) open() (*account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != nil {
		return s.account, nil
	}
	a, err := readAccount(s.getenv)
	if err != nil {
		return nil, err
	}
	s.tokens = newIdentity(s.getenv, a.clientID)
	transport := http.DefaultTransport
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		t.MaxIdleConnsPerHost = 32 // blobs of a batch are of one account
		transport = t
	}
	s.client = &http.Client{ // Azure's storage redirects nowhere, and nobody else is to send a token anywhere
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.account = a
	return a, nil
}

// check tells, before the first message, whether results can go below a prefix: a message must not pay for a wrong setting.
func (s *blobStore) check(prefix string) error {
	a, err := readAccount(s.getenv)
	if err != nil {
		return err
	}
	u, err := parseBlob(prefix)
	if err == nil {
		_, err = a.credential(u, newIdentity(s.getenv, a.clientID).there())
	}
	if err != nil {
		return fmt.Errorf("settings: SCOREFN_OUTPUT: %w", err)
	}
	return nil
}

// credential is what the host of a blob is to see.
type credential uint8

const (
	inURL credential = iota // a signature that stands there already
	accountSAS
	accountKey
	managedIdentity
)

// credential chooses the one for a blob, or refuses its host.
func (a *account) credential(u *url.URL, identity bool) (credential, error) {
	own := a.owns(u)
	switch {
	case !own && !isAzure(u):
		return 0, fmt.Errorf("azure: %w: %s is neither a blob of the configured account nor of Azure's storage", store.ErrUnsupported, store.Redact(u.String()))
	case u.Query().Get("sig") != "":
		return inURL, nil
	case own && a.sas != "":
		return accountSAS, nil
	case own && a.key != nil:
		return accountKey, nil
	case identity:
		return managedIdentity, nil
	}
	return 0, fmt.Errorf("azure: there is no credential for %s: give the function app a managed identity with the role Storage Blob Data Contributor, or set %s to the account's connection string", store.Redact(u.String()), a.name)
}

// blob is a client for one blob.
func (s *blobStore) blob(link string) (*blockblob.Client, error) {
	u, err := parseBlob(link)
	if err != nil {
		return nil, err
	}
	a, err := s.open()
	if err != nil {
		return nil, err
	}
	c, err := a.credential(u, s.tokens.there())
	if err != nil {
		return nil, err
	}
	o := &blockblob.ClientOptions{ClientOptions: policy.ClientOptions{Transport: s.client, Telemetry: policy.TelemetryOptions{ApplicationID: "scorefn"}}}
	if s.configure != nil {
		s.configure(o)
	}
	switch c {
	case accountSAS:
		u.RawQuery = a.sas
		return blockblob.NewClientWithNoCredential(u.String(), o)
	case accountKey:
		return blockblob.NewClientWithSharedKeyCredential(u.String(), a.key, o)
	case managedIdentity:
		return blockblob.NewClient(u.String(), s.tokens, o) // it refuses to send a token over http
	default:
		return blockblob.NewClientWithNoCredential(u.String(), o)
	}
}

// Get opens a blob. Its body is read by the caller, from the network.
func (s *blobStore) Get(ctx context.Context, link string) (*store.Object, error) {
	return s.GetMatching(ctx, link, "")
}

// GetMatching opens a blob as long as its ETag is this one; any for "". Another is errChanged.
func (s *blobStore) GetMatching(ctx context.Context, link, etag string) (*store.Object, error) {
	client, err := s.blob(link)
	if err != nil {
		return nil, err
	}
	var o blob.DownloadStreamOptions
	if etag != "" {
		if !strings.HasPrefix(etag, `"`) {
			etag = `"` + etag + `"`
		}
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: new(azcore.ETag(etag))}}
	}
	out, err := client.DownloadStream(ctx, &o)
	if err != nil {
		return nil, storeError(ctx, "get", link, err)
	}
	object := &store.Object{URL: link, Size: -1, Body: out.Body}
	if out.ContentType != nil {
		object.ContentType = *out.ContentType
	}
	if out.ContentLength != nil {
		object.Size = *out.ContentLength
	}
	if out.ETag != nil {
		object.Version = strings.Trim(string(*out.ETag), `"`)
	}
	return object, nil
}

// Put makes a blob. One of that name stays as it is, which is blob.ErrExists.
func (s *blobStore) Put(ctx context.Context, link, contentType string, body []byte) error {
	client, err := s.blob(link)
	if err != nil {
		return err
	}
	o := &blockblob.UploadOptions{
		AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: new(azcore.ETagAny)}},
	}
	if contentType != "" {
		o.HTTPHeaders = &blob.HTTPHeaders{BlobContentType: &contentType}
	}
	if _, err = client.Upload(ctx, streaming.NopCloser(bytes.NewReader(body)), o); err != nil {
		return storeError(ctx, "put", link, err)
	}
	return nil
}

// parseBlob checks a blob's URL.
func parseBlob(link string) (*url.URL, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return nil, fmt.Errorf("azure: %w: %q is no URL of a blob", store.ErrUnsupported, store.Redact(link))
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// errChanged is a blob that is another than the event tells of.
var errChanged = errors.New("azure: the blob has changed since the event")

// storeError gives an error of the SDK the sentinel that callers branch on (Azure Storage REST reference, "Blob Storage error
// codes").
func storeError(ctx context.Context, verb, link string, err error) error {
	link = store.Redact(link)
	if ctx.Err() != nil {
		return fmt.Errorf("azure: %s %s: %w", verb, link, context.Cause(ctx))
	}
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		if _, ok := errors.AsType[*tokenError](err); ok {
			return fmt.Errorf("azure: %s %s: %w", verb, link, err)
		}
		return fmt.Errorf("azure: %s %s: %w: %w", verb, link, store.ErrTemporary, plain(err))
	}
	answer := fmt.Sprintf("HTTP status %d %s", r.StatusCode, r.ErrorCode) // the SDK's own text is a page, with the URL's signature
	var kind error
	switch status := r.StatusCode; {
	case status == http.StatusNotFound:
		if kind = store.ErrNotFound; verb == "put" {
			answer += ": the container must be there before"
		}
	case status == http.StatusPreconditionFailed && verb == "get":
		kind = errChanged
	case r.ErrorCode == "BlobAlreadyExists", status == http.StatusPreconditionFailed && r.ErrorCode == "ConditionNotMet":
		kind = store.ErrExists
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		kind = store.ErrTemporary
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return fmt.Errorf("azure: %s %s: %s: the identity needs the role Storage Blob Data Contributor there, and the network must let it through", verb, link, answer)
	default:
		return fmt.Errorf("azure: %s %s: %s", verb, link, answer)
	}
	return fmt.Errorf("azure: %s %s: %w: %s", verb, link, kind, answer)
}

// plain is an error of net/http without the URL, in which a signature may stand.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
