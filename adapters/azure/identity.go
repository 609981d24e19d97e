package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// identity is the managed identity of a function app: tokens from the endpoint that Azure sets up beside it (Azure App Service
// documentation, "How to use managed identities for App Service and Azure Functions", REST endpoint reference). Package
// azidentity does the same and more, for 0.4 MB and a third of a millisecond of every cold start.
type identity struct {
	endpoint, header, clientID string
	client                     *http.Client
	now                        func() time.Time

	slot   chan struct{} // held by who fetches
	tokens map[string]azcore.AccessToken
}

func newIdentity(getenv func(string) string, clientID string) *identity {
	return &identity{
		endpoint: strings.TrimSpace(getenv("IDENTITY_ENDPOINT")),
		header:   strings.TrimSpace(getenv("IDENTITY_HEADER")),
		clientID: clientID,
		client:   &http.Client{Transport: &http.Transport{}}, // no proxy: the endpoint is on this machine
		now:      time.Now,
		slot:     make(chan struct{}, 1),
		tokens:   map[string]azcore.AccessToken{},
	}
}

func (i *identity) there() bool { return i.endpoint != "" && i.header != "" }

// Bounds on a token: how long its answer may take and be, and how long it must be good for.
const (
	tokenTimeout = 10 * time.Second
	maxToken     = 1 << 20
	tokenReserve = 5 * time.Minute
)

// tokenError is an endpoint that gives no token: the set-up is wrong, and trying again does not help.
type tokenError struct{ text string }

func (e *tokenError) Error() string { return e.text }

// NonRetriable keeps the SDK from asking again.
func (e *tokenError) NonRetriable() {}

// GetToken is a token for the first scope, as azcore asks for it.
func (i *identity) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) == 0 {
		return azcore.AccessToken{}, errors.New("azure: a token of no scope")
	}
	resource := strings.TrimSuffix(o.Scopes[0], "/.default")
	select {
	case i.slot <- struct{}{}:
		defer func() { <-i.slot }()
	case <-ctx.Done():
		return azcore.AccessToken{}, context.Cause(ctx)
	}
	if t, ok := i.tokens[resource]; ok && t.ExpiresOn.After(i.now().Add(tokenReserve)) {
		return t, nil
	}
	t, err := i.fetch(ctx, resource)
	if err == nil {
		i.tokens[resource] = t
	}
	return t, err
}

func (i *identity) fetch(ctx context.Context, resource string) (t azcore.AccessToken, err error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	query := url.Values{"api-version": {"2019-08-01"}, "resource": {resource}}
	if i.clientID != "" {
		query.Set("client_id", i.clientID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.endpoint+"?"+query.Encode(), nil)
	if err != nil {
		return t, &tokenError{"IDENTITY_ENDPOINT is no URL"}
	}
	r.Header.Set("X-IDENTITY-HEADER", i.header)
	resp, err := i.client.Do(r)
	if err != nil {
		return t, fmt.Errorf("azure: the endpoint of the managed identity did not answer: %w", plain(err))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return t, fmt.Errorf("azure: the token of the managed identity could not be read: %w", err)
	}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return t, fmt.Errorf("azure: the endpoint of the managed identity answered %s", resp.Status)
	}
	if resp.StatusCode != http.StatusOK {
		return t, &tokenError{fmt.Sprintf("the managed identity has no token for %s: %s: %.500s", resource, resp.Status, oneLine(string(body)))}
	}
	return parseToken(body)
}

// parseToken reads {"access_token":"…","expires_on":"1586984735"}, the time in seconds, as a number or a string.
func parseToken(body []byte) (t azcore.AccessToken, err error) {
	var in struct {
		Token   string          `json:"access_token"`
		Expires json.RawMessage `json:"expires_on"`
	}
	if err = json.Unmarshal(body, &in); err != nil {
		return t, &tokenError{"the endpoint of the managed identity did not answer JSON"}
	}
	seconds, err := strconv.ParseInt(strings.Trim(string(in.Expires), `"`), 10, 64)
	if in.Token == "" || err != nil {
		return t, &tokenError{"the endpoint of the managed identity answered no token, or none with a time of expiry"}
	}
	return azcore.AccessToken{Token: in.Token, ExpiresOn: time.Unix(seconds, 0)}, nil
}
