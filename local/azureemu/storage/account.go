// Package storage is a client of Azure's queues and blobs for the emulator: the few calls that the Functions host makes of them,
// against Azurite or an account, signed with the account's key. Nothing here is part of what is deployed.
//
// The contract: learn.microsoft.com/rest/api/storageservices, "Authorize with Shared Key", "Queue service REST API" and "Blob
// service REST API".
package storage

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Azurite's account; its name and key are public, in its documentation.
const (
	devName = "devstoreaccount1"
	devKey  = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

const apiVersion = "2021-12-02"

// maxBody bounds what is read of an answer.
const maxBody = 100 << 20

// Account is a storage account.
type Account struct {
	Name    string
	Blobs   string // URL of the service, without a slash at its end
	Queues  string
	key     []byte
	keyText string
	client  *http.Client
}

// Open takes a connection string, "UseDevelopmentStorage=true", or the URL of Azurite's blobs, whose queues are at the next
// port then.
func Open(text string) (*Account, error) {
	a := &Account{Name: devName, keyText: devKey, client: &http.Client{Timeout: time.Minute}}
	fields, err := connectionFields(text)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(fields["usedevelopmentstorage"], "true") {
		fields = map[string]string{"blobendpoint": "http://127.0.0.1:10000/" + devName, "queueendpoint": "http://127.0.0.1:10001/" + devName}
	} else if fields["accountname"] != "" {
		a.Name, a.keyText = fields["accountname"], fields["accountkey"]
	}
	if a.key, err = base64.StdEncoding.DecodeString(a.keyText); err != nil || len(a.key) == 0 {
		return nil, errors.New("storage: AccountKey is missing or no base64; managed identities are for a deployment")
	}
	scheme := fields["defaultendpointsprotocol"]
	if scheme == "" {
		scheme = "https"
	}
	suffix := fields["endpointsuffix"]
	if suffix == "" {
		suffix = "core.windows.net"
	}
	endpoint := func(service string) string {
		if e := fields[service+"endpoint"]; e != "" {
			return strings.TrimSuffix(e, "/")
		}
		return scheme + "://" + a.Name + "." + service + "." + suffix
	}
	a.Blobs, a.Queues = endpoint("blob"), endpoint("queue")
	for _, e := range []string{a.Blobs, a.Queues} {
		if u, err := url.Parse(e); err != nil || u.Host == "" {
			return nil, fmt.Errorf("storage: endpoint %q is no URL", e)
		}
	}
	return a, nil
}

// connectionFields reads NAME=VALUE;… with names in lower case, or a URL of Azurite.
func connectionFields(text string) (map[string]string, error) {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		host, port, err := net.SplitHostPort(u.Host)
		n, portErr := strconv.Atoi(port)
		if err != nil || portErr != nil {
			return nil, fmt.Errorf("storage: %q: expected http://HOST:PORT, where Azurite serves its blobs", text)
		}
		return map[string]string{
			"blobendpoint":  u.Scheme + "://" + u.Host + "/" + devName,
			"queueendpoint": u.Scheme + "://" + net.JoinHostPort(host, strconv.Itoa(n+1)) + "/" + devName,
		}, nil
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		if part != "" && !ok {
			return nil, errors.New(`storage: expected a connection string, "UseDevelopmentStorage=true" or http://127.0.0.1:10000`)
		}
		fields[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return fields, nil
}

// ConnectionString is the account as other clients want it.
func (a *Account) ConnectionString() string {
	return fmt.Sprintf("DefaultEndpointsProtocol=%s;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;QueueEndpoint=%s;",
		a.Blobs[:strings.Index(a.Blobs, ":")], a.Name, a.keyText, a.Blobs, a.Queues)
}

// Error is what the service answered instead of what was asked for.
type Error struct {
	Op     string
	Status int
	Code   string // QueueNotFound
}

func (e *Error) Error() string { return fmt.Sprintf("storage: %s: %d %s", e.Op, e.Status, e.Code) }

// IsNotFound tells that a queue, a container, a blob or a message is not there.
func IsNotFound(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusNotFound
}

// do sends one request; the statuses in ok, and any below 300, are answers.
func (a *Account) do(ctx context.Context, method, link string, header http.Header, body []byte, ok ...int) (http.Header, []byte, error) {
	q, err := http.NewRequestWithContext(ctx, method, link, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(q.Header, header)
	q.Header.Set("X-Ms-Version", apiVersion)
	q.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
	a.sign(q)
	r, err := a.client.Do(q)
	if err != nil {
		return nil, nil, fmt.Errorf("storage: %w", err)
	}
	defer func() { _ = r.Body.Close() }() // nothing was written
	answer, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("storage: %w", err)
	case len(answer) > maxBody:
		return nil, nil, fmt.Errorf("storage: %s %s: more than %d bytes", method, q.URL.Path, maxBody)
	case r.StatusCode < 300 || slices.Contains(ok, r.StatusCode):
		return r.Header, answer, nil
	}
	e := &Error{Op: method + " " + q.URL.Path, Status: r.StatusCode, Code: r.Header.Get("X-Ms-Error-Code")}
	var text struct{ Code, Message string }
	if e.Code == "" && xml.Unmarshal(answer, &text) == nil {
		e.Code = text.Code
	}
	return nil, nil, e
}

// sign adds the Authorization header: HMAC-SHA256 over the request as the service sees it.
func (a *Account) sign(q *http.Request) {
	var own []string
	for name, values := range q.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			own = append(own, lower+":"+strings.Join(values, ",")+"\n")
		}
	}
	slices.Sort(own)
	length := ""
	if q.ContentLength > 0 {
		length = strconv.FormatInt(q.ContentLength, 10)
	}
	var resource strings.Builder
	resource.WriteString("/" + a.Name + q.URL.EscapedPath())
	query := q.URL.Query()
	var names []string
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(query[name])
		slices.Sort(values)
		resource.WriteString("\n" + strings.ToLower(name) + ":" + strings.Join(values, ","))
	}
	text := strings.Join([]string{
		q.Method, "", "", length, "", q.Header.Get("Content-Type"), "", "", q.Header.Get("If-Match"), q.Header.Get("If-None-Match"), "", "",
		strings.Join(own, "") + resource.String(),
	}, "\n")
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(text))
	q.Header.Set("Authorization", "SharedKey "+a.Name+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
