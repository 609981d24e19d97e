package cloudfunctions

import (
	"cmp"
	"context"
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
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/blob"
)

// credentials is a file of credentials, of a user or of a service account.
type credentials struct {
	Type         string `json:"type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
	ClientEmail  string `json:"client_email"`
	PrivateKey   string `json:"private_key"`
	KeyID        string `json:"private_key_id"`
	TokenURI     string `json:"token_uri"`
}

func (t *tokens) fromFile(ctx context.Context, file string) (grant, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return grant{}, err
	}
	var c credentials
	if err := json.Unmarshal(b, &c); err != nil {
		return grant{}, fmt.Errorf("%s: %w", file, err)
	}
	form := url.Values{}
	switch c.Type {
	case "authorized_user": // RFC 6749, section 6
		form.Set("grant_type", "refresh_token")
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
		form.Set("refresh_token", c.RefreshToken)
	case "service_account": // RFC 7523, section 2.1
		assertion, err := c.assertion(time.Now())
		if err != nil {
			return grant{}, fmt.Errorf("%s: %w", file, err)
		}
		form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
		form.Set("assertion", assertion)
	default:
		return grant{}, fmt.Errorf("%s: credentials of type %.50q are not understood: expected authorized_user or service_account",
			file, c.Type)
	}
	return t.exchange(ctx, c.tokenURI(), form)
}

func (c *credentials) tokenURI() string {
	return cmp.Or(c.TokenURI, "https://oauth2.googleapis.com/token")
}

// assertion is what a service account signs to get a token (Google Identity documentation, "Using OAuth 2.0 for server to
// server applications").
func (c *credentials) assertion(now time.Time) (string, error) {
	block, _ := pem.Decode([]byte(c.PrivateKey))
	if block == nil {
		return "", errors.New("private_key is not in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("private_key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return "", errors.New("private_key is not an RSA key")
	}
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": c.KeyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": c.ClientEmail, "aud": c.tokenURI(), "scope": "https://www.googleapis.com/auth/devstorage.read_write",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + encode(signature), nil
}

// exchange asks a token server.
func (t *tokens) exchange(ctx context.Context, server string, form url.Values) (grant, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server, strings.NewReader(form.Encode()))
	if err != nil {
		return grant{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := t.client.Do(r)
	if err != nil {
		return grant{}, fmt.Errorf("%w: %w", blob.ErrTemporary, err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	b, err := io.ReadAll(io.LimitReader(resp.Body, longestError))
	switch {
	case err != nil || resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		return grant{}, fmt.Errorf("%w: %s answered %s", blob.ErrTemporary, server, resp.Status)
	case resp.StatusCode != http.StatusOK:
		return grant{}, fmt.Errorf("%s answered %s: %.200s", server, resp.Status, b)
	}
	return readGrant(b)
}
