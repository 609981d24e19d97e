package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Mem is a store in memory, empty, for any scheme. Its versions are hashes of the content.
func Mem() Store { return &mem{objects: map[name]memObject{}} }

type name struct{ scheme, bucket, key string }

type memObject struct {
	contentType, version string
	body                 []byte
}

type mem struct {
	mu      sync.RWMutex
	objects map[name]memObject
}

func (m *mem) Get(ctx context.Context, url string) (*Object, error) {
	n, err := named(ctx, url)
	if err != nil {
		return nil, err
	}
	m.mu.RLock()
	o, ok := m.objects[n]
	m.mu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, Redact(url))
	}
	body := io.NopCloser(bytes.NewReader(o.body))
	return &Object{URL: url, ContentType: o.contentType, Size: int64(len(o.body)), Version: o.version, Body: body}, nil
}

func (m *mem) Put(ctx context.Context, url, contentType string, body []byte) error {
	n, err := named(ctx, url)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(body)
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[n]; ok {
		return fmt.Errorf("%w: %s", ErrExists, Redact(url))
	}
	m.objects[n] = memObject{contentType, hex.EncodeToString(hash[:8]), slices.Clone(body)} // the caller's memory is the caller's
	return nil
}

// named is what both methods of both stores begin with.
func named(ctx context.Context, url string) (n name, err error) {
	if err := alive(ctx); err != nil {
		return n, err
	}
	n.scheme, n.bucket, n.key, err = Split(url)
	if err == nil && n.key == "" {
		err = fmt.Errorf("%w: %s names no object", ErrUnsupported, Redact(url))
	}
	return n, err
}
