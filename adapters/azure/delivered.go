package azure

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/scorefn/scorefn/function/blob"
)

// delivered is what an invocation says about blobs, by URL: the content of those that the host has fetched, and the ETags of
// those that it only names.
type delivered struct {
	blobs map[string]*content
	etags map[string]string
}

type content struct {
	body                 []byte
	contentType, version string
}

func newDelivered() *delivered {
	return &delivered{blobs: map[string]*content{}, etags: map[string]string{}}
}

// deliveredStore is a store that has some blobs here, and gets others as the event saw them.
type deliveredStore struct {
	blob.Store
	d *delivered
}

// matching is a store that can be asked for what an ETag stands for.
type matching interface {
	GetMatching(ctx context.Context, url, etag string) (*blob.Object, error)
}

// Get gets a blob. One that has changed since the event is taken as it is now: when it was replaced, the event of that finds the
// result there already, and when only its metadata were changed, no other event will come.
func (s deliveredStore) Get(ctx context.Context, url string) (*blob.Object, error) {
	if c := s.d.blobs[url]; c != nil {
		return &blob.Object{
			URL: url, ContentType: c.contentType, Size: int64(len(c.body)), Version: c.version,
			Body: io.NopCloser(bytes.NewReader(c.body)),
		}, nil
	}
	if m, ok := s.Store.(matching); ok && s.d.etags[url] != "" {
		if o, err := m.GetMatching(ctx, url, s.d.etags[url]); !errors.Is(err, errChanged) {
			return o, err
		}
	}
	return s.Store.Get(ctx, url)
}
