// Package blob is objects behind URLs: what an event names and what a result becomes. It owns the two-method [Store], its
// errors, and the stores that need no cloud: [Dir] and [Mem]. The stores of the clouds live in the adapters; package blobtest
// is what all of them must pass.
//
// # URLs
//
// An object is scheme://bucket/key. The key stands there as it is, with nothing escaped, as the command-line tools of the
// clouds write it: s3://photos/a b+c%.png names the object "a b+c%.png". Only http and https URLs are escaped, and have a
// query, as the web has it. [Split] and [Join] know the difference.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The errors that callers tell apart. Stores wrap them; what else goes wrong is an error of the store itself.
var (
	ErrNotFound    = errors.New("blob: object not found")
	ErrExists      = errors.New("blob: object exists")
	ErrTemporary   = errors.New("blob: temporary failure") // worth a retry
	ErrUnsupported = errors.New("blob: unsupported URL")   // no store for the scheme, or a key that the store has no place for
	ErrTooLarge    = errors.New("blob: object too large")
)

// Object is one object of a store. Its owner closes Body.
type Object struct {
	URL         string
	ContentType string // as the store has it, "" when it keeps none
	Size        int64  // bytes of Body; -1 when unknown
	Version     string // changes with the content, such as an ETag or a generation; "" when the store has none
	Body        io.ReadCloser
}

// Store is a place for objects. It is safe for concurrent use.
type Store interface {
	// Get opens an object. One that is not there is ErrNotFound. ctx holds for the reads of the body as well.
	Get(ctx context.Context, url string) (*Object, error)

	// Put creates an object, whole or not at all. One that is there already is ErrExists and stays as it is: of two
	// callers exactly one wins.
	Put(ctx context.Context, url, contentType string, body []byte) error
}

// Read gets an object whole. One of more than limit bytes is ErrTooLarge, as soon as that is known: no more than limit bytes
// are kept, whatever size the store announced. The Body of the Object is closed.
func Read(ctx context.Context, s Store, url string, limit int64) (*Object, []byte, error) {
	if err := alive(ctx); err != nil {
		return nil, nil, err
	}
	o, err := s.Get(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	defer o.Body.Close() //nolint:errcheck // nothing was written
	if o.Size > limit {
		return nil, nil, tooLarge(url, limit)
	}
	body, err := readAll(ctx, o.Body, o.Size, limit)
	switch {
	case errors.Is(err, ErrTooLarge):
		return nil, nil, tooLarge(url, limit)
	case err == nil && o.Size >= 0 && int64(len(body)) != o.Size:
		err = fmt.Errorf("%w: %s: %d bytes of %d: %w", ErrTemporary, Redact(url), len(body), o.Size, io.ErrUnexpectedEOF)
		return nil, nil, err
	case err == nil:
		return o, body, nil
	case ctx.Err() != nil:
		return nil, nil, context.Cause(ctx)
	}
	return nil, nil, fmt.Errorf("%w: %s: %w", ErrTemporary, Redact(url), err) // the connection broke: the object is there
}

// readAll is io.ReadAll with a limit, room for the announced size, which is within the limit, and a look at ctx between the
// reads.
func readAll(ctx context.Context, from io.Reader, size, limit int64) ([]byte, error) {
	buf := make([]byte, 0, max(size, 511)+1) // one byte more: the read that finds the end needs room
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf))
		}
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, ErrTooLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		}
		if err := alive(ctx); err != nil {
			return nil, err
		}
	}
}

func tooLarge(url string, limit int64) error {
	return fmt.Errorf("%w: %s has more than %d bytes, the limit", ErrTooLarge, Redact(url), limit)
}

// alive is the cause of a context that is done.
func alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Mux is a store for each URL scheme: "s3", "gs", "https", "file", "mem". A scheme without one is ErrUnsupported.
type Mux map[string]Store

// Get gets from the store of the URL's scheme.
func (m Mux) Get(ctx context.Context, url string) (*Object, error) {
	s, err := m.store(url)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, url)
}

// Put puts into the store of the URL's scheme.
func (m Mux) Put(ctx context.Context, url, contentType string, body []byte) error {
	s, err := m.store(url)
	if err != nil {
		return err
	}
	return s.Put(ctx, url, contentType, body)
}

func (m Mux) store(url string) (Store, error) {
	scheme, _, _, err := Split(url)
	if err != nil {
		return nil, err
	}
	if s := m[scheme]; s != nil {
		return s, nil
	}
	have := "there are none"
	if len(m) > 0 {
		have = "there are stores for " + strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	}
	return nil, fmt.Errorf("%w: no store for %q URLs (%s): %s", ErrUnsupported, scheme, have, Redact(url))
}
