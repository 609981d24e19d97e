package storage

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Entry is a blob as a listing has it.
type Entry struct {
	Name string
	ETag string `xml:"Properties>Etag"`
}

// Blob is a blob with its content.
type Blob struct {
	Name, URL, ContentType, ETag string
	Modified                     Time
	Metadata                     map[string]string
	Body                         []byte
}

func (a *Account) container(name string) string { return a.Blobs + "/" + url.PathEscape(name) }

// BlobURL is a blob's URL.
func (a *Account) BlobURL(container, name string) string {
	return a.container(container) + "/" + (&url.URL{Path: name}).EscapedPath()
}

// CreateContainer makes a container; one that is there already is fine.
func (a *Account) CreateContainer(ctx context.Context, name string) error {
	_, _, err := a.do(ctx, http.MethodPut, a.container(name)+"?restype=container", nil, nil, http.StatusConflict)
	return err
}

// PutBlob writes a block blob.
func (a *Account) PutBlob(ctx context.Context, container, name, contentType string, body []byte) error {
	h := http.Header{"X-Ms-Blob-Type": {"BlockBlob"}, "Content-Type": {contentType}}
	_, _, err := a.do(ctx, http.MethodPut, a.BlobURL(container, name), h, body)
	return err
}

// GetBlob reads a blob.
func (a *Account) GetBlob(ctx context.Context, container, name string) (*Blob, error) {
	h, body, err := a.do(ctx, http.MethodGet, a.BlobURL(container, name), nil, nil)
	if err != nil {
		return nil, err
	}
	b := &Blob{
		Name: name, URL: a.BlobURL(container, name), ContentType: h.Get("Content-Type"), ETag: h.Get("Etag"), Metadata: map[string]string{}, Body: body,
	}
	for header, values := range h {
		if key, ok := strings.CutPrefix(strings.ToLower(header), "x-ms-meta-"); ok {
			b.Metadata[key] = strings.Join(values, ",")
		}
	}
	return b, b.Modified.UnmarshalText([]byte(h.Get("Last-Modified")))
}

// maxPages bounds a listing: 5,000 blobs a page.
const maxPages = 200

// List returns the blobs whose names begin with prefix.
func (a *Account) List(ctx context.Context, container, prefix string) ([]Entry, error) {
	var all []Entry
	marker := ""
	for range maxPages {
		q := url.Values{"restype": {"container"}, "comp": {"list"}}
		if prefix != "" {
			q.Set("prefix", prefix)
		}
		if marker != "" {
			q.Set("marker", marker)
		}
		_, answer, err := a.do(ctx, http.MethodGet, a.container(container)+"?"+q.Encode(), nil, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Blobs      []Entry `xml:"Blobs>Blob"`
			NextMarker string
		}
		if err := xml.Unmarshal(answer, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Blobs...)
		if marker = page.NextMarker; marker == "" {
			return all, nil
		}
	}
	return nil, errors.New("storage: too many blobs in " + container + " to watch them")
}
