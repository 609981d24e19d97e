package cloudfunctions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/blob"
)

// storage is Cloud Storage as a blob.Store, gs://bucket/key, by its JSON API (Cloud Storage documentation, "JSON API
// overview", "Objects: get" and "Objects: insert"). Google's own client takes a third of the time that ONNX Runtime takes to
// load, and 25 MB.
type storage struct {
	base   string
	token  func(context.Context) (string, error) // nil: none is sent
	renew  func(bad string)
	client *http.Client
}

func newStorage(getenv func(string) string) *storage {
	transport := http.DefaultTransport
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		t.ResponseHeaderTimeout = time.Minute
		t.MaxIdleConnsPerHost = 16
		// All calls share a connection. One that died while the instance was frozen would fail them for minutes.
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}
		transport = t
	}
	s := &storage{base: "https://storage.googleapis.com", client: &http.Client{Transport: transport}}
	if emulator := strings.TrimRight(getenv("STORAGE_EMULATOR_HOST"), "/"); emulator != "" {
		if !strings.Contains(emulator, "://") {
			emulator = "http://" + emulator
		}
		s.base = emulator
		return s
	}
	t := newTokens(getenv, s.client)
	s.token, s.renew = t.get, t.forget
	return s
}

// Get opens an object. Its body is read by the caller, from the network.
func (s *storage) Get(ctx context.Context, link string) (*blob.Object, error) {
	return s.GetVersion(ctx, link, "")
}

// GetVersion opens a generation of an object, "" for the latest: see [blob.Versioned].
func (s *storage) GetVersion(ctx context.Context, link, generation string) (*blob.Object, error) {
	bucket, key, err := objectName(link)
	if err != nil {
		return nil, err
	}
	target := s.base + "/storage/v1/b/" + url.PathEscape(bucket) + "/o/" + url.PathEscape(key) + "?alt=media"
	read := func(generation string, from int64) (*http.Response, error) {
		return s.do(ctx, "get "+link, func() (*http.Request, error) {
			at := target
			if generation != "" {
				at += "&generation=" + url.QueryEscape(generation)
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
			if err == nil && from > 0 {
				r.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
			}
			return r, err
		})
	}
	resp, err := read(generation, 0) //nolint:bodyclose // the body is the caller's
	if err != nil {
		return nil, err
	}
	o := &blob.Object{URL: link, ContentType: resp.Header.Get("Content-Type"), Size: resp.ContentLength, Body: resp.Body}
	exact := resp.Header.Get("X-Goog-Generation")
	o.Version = cmp.Or(exact, generation, strings.Trim(resp.Header.Get("Etag"), `"`))
	if exact != "" && o.Size > 0 { // what was unpacked on the way has no size
		o.Body = &resuming{ReadCloser: resp.Body, size: o.Size, tries: attempts - 1, again: func(from int64) (io.ReadCloser, error) {
			resp, err := read(exact, from)
			if err == nil && resp.StatusCode != http.StatusPartialContent {
				err = errors.Join(errors.New("the answer is no part of the object"), resp.Body.Close())
			}
			if err != nil {
				return nil, err
			}
			return resp.Body, nil
		}}
	}
	return o, nil
}

// Put makes an object. One of that name stays as it is, which is blob.ErrExists.
func (s *storage) Put(ctx context.Context, link, contentType string, body []byte) error {
	bucket, key, err := objectName(link)
	if err != nil {
		return err
	}
	query := url.Values{"uploadType": {"media"}, "name": {key}, "ifGenerationMatch": {"0"}}
	target := s.base + "/upload/storage/v1/b/" + url.PathEscape(bucket) + "/o?" + query.Encode()
	resp, err := s.do(ctx, "put "+link, func() (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", cmp.Or(contentType, "application/octet-stream"))
		}
		return r, err
	})
	// No object is missing but the bucket, which can be made: that is no blob.ErrNotFound, which would be for good.
	if e, ok := errors.AsType[*statusError](err); ok && e.code == http.StatusNotFound {
		return fmt.Errorf("cloudfunctions: put %s: there is no bucket %q: %s", link, bucket, e.text)
	}
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, longestError) // the object is there; the connection can be used again
	return resp.Body.Close()
}

// objectName takes an object's URL apart.
func objectName(link string) (bucket, key string, err error) {
	scheme, bucket, key, err := blob.Split(link)
	if err == nil && (scheme != "gs" || bucket == "" || key == "") {
		err = fmt.Errorf("cloudfunctions: %w: %q is not gs://bucket/key", blob.ErrUnsupported, link)
	}
	return bucket, key, err
}

// A call is tried this often, with pauses of up to 0.2 s, 0.4 s: a trigger that does not retry loses the event otherwise.
const (
	attempts   = 3
	firstPause = 200 * time.Millisecond
)

// do sends a request until it is answered 2xx, or with something that another try would not change. A create that succeeded
// although its answer was lost is then answered 412: its own object is there, which is what was wanted.
func (s *storage) do(ctx context.Context, what string, request func() (*http.Request, error)) (*http.Response, error) {
	pause, renewed := firstPause, false
	for try := 1; ; try++ {
		resp, token, err := s.once(ctx, request)
		if err == nil {
			return resp, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("cloudfunctions: %s: %w", what, context.Cause(ctx))
		}
		err = fmt.Errorf("cloudfunctions: %s: %w", what, err)
		if e, ok := errors.AsType[*statusError](err); ok && e.code == http.StatusUnauthorized && token != "" && !renewed {
			s.renew(token) // it was revoked, or the clock is wrong
			renewed = true
			continue
		}
		if try == attempts || !errors.Is(err, blob.ErrTemporary) {
			return nil, err
		}
		timer := time.NewTimer(time.Duration(rand.Int64N(int64(pause)) + 1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("cloudfunctions: %s: %w", what, context.Cause(ctx))
		}
		pause *= 2
	}
}

// once sends a request once.
func (s *storage) once(ctx context.Context, request func() (*http.Request, error)) (resp *http.Response, token string, err error) {
	r, err := request()
	if err != nil {
		return nil, "", err
	}
	if s.token != nil {
		if token, err = s.token(ctx); err != nil {
			return nil, "", err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err = s.client.Do(r)
	if err != nil {
		return nil, token, fmt.Errorf("%w: %w", blob.ErrTemporary, err)
	}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp, token, nil
	}
	e := &statusError{code: resp.StatusCode, text: errorText(resp.Body)}
	_ = resp.Body.Close() // nothing was written
	return nil, token, e
}

// statusError is an answer that is none of success.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string {
	s := "Cloud Storage answered " + strconv.Itoa(e.code) + " " + http.StatusText(e.code)
	if e.text != "" {
		s += ": " + e.text
	}
	if e.code == http.StatusForbidden || e.code == http.StatusUnauthorized {
		s += " (the service account needs roles/storage.objectViewer on the bucket that is read, " +
			"roles/storage.objectCreator on those that are written)"
	}
	return s
}

// Unwrap is the sentinel that callers branch on (Cloud Storage documentation, "HTTP status and error codes for JSON").
func (e *statusError) Unwrap() error {
	switch {
	case e.code == http.StatusNotFound:
		return blob.ErrNotFound
	case e.code == http.StatusPreconditionFailed:
		return blob.ErrExists
	case e.code == http.StatusRequestTimeout, e.code == http.StatusConflict, e.code == http.StatusTooManyRequests,
		e.code >= http.StatusInternalServerError:
		return blob.ErrTemporary
	}
	return nil
}

const longestError = 16 << 10

// errorText is the message of an error's body, {"error": {"message": …}} or plain text.
func errorText(body io.Reader) string {
	b, err := io.ReadAll(io.LimitReader(body, longestError))
	if err != nil {
		return ""
	}
	var e struct{ Error json.RawMessage }
	var detail struct{ Message string }
	if json.Unmarshal(b, &e) == nil && json.Unmarshal(e.Error, &detail) == nil && detail.Message != "" {
		b = []byte(detail.Message)
	}
	const longest = 300
	text := strings.Join(strings.Fields(string(b)), " ")
	return strings.ToValidUTF8(text[:min(len(text), longest)], "")
}
