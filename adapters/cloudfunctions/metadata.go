package cloudfunctions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// metadataClient asks the metadata server, which is on the same machine: no proxy, little patience.
var metadataClient = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
	DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext, IdleConnTimeout: time.Minute, DisableCompression: true,
}}

// errMetadata is an answer of the metadata server that says no.
var errMetadata = errors.New("the metadata server refused")

// metadata asks the metadata server of Compute Engine, Cloud Run and Cloud Functions (Compute Engine documentation, "Query VM
// metadata").
func metadata(ctx context.Context, getenv func(string) string, path string) ([]byte, error) {
	host := cmp.Or(getenv("GCE_METADATA_HOST"), "metadata.google.internal")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/computeMetadata/v1/"+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Metadata-Flavor", "Google")
	resp, err := metadataClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	const longest = 64 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("the metadata server answered %s", resp.Status)
	case resp.StatusCode != http.StatusOK || resp.Header.Get("Metadata-Flavor") != "Google":
		return nil, fmt.Errorf("%w: %s: %.200s", errMetadata, resp.Status, body)
	}
	return body, nil
}

// projectID finds the project's id: GOOGLE_CLOUD_PROJECT, or on Google Cloud what the metadata server says when it is first
// needed. "" is an answer: a trace is then logged without its project.
func projectID(getenv func(string) string) func(context.Context) string {
	if id := getenv("GOOGLE_CLOUD_PROJECT"); id != "" || getenv("K_SERVICE") == "" {
		return func(context.Context) string { return id }
	}
	var mu sync.Mutex
	var id string
	var next time.Time
	const patience, pause = time.Second, time.Minute
	return func(ctx context.Context) string {
		mu.Lock()
		defer mu.Unlock()
		if id != "" || time.Now().Before(next) {
			return id
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if b, err := metadata(ctx, getenv, "project/project-id"); err == nil {
			id = strings.TrimSpace(string(b))
		}
		next = time.Now().Add(pause) // a log line must not wait for a server that does not answer
		return id
	}
}
