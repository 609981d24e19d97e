package blob

import "context"

// Versioned is a [Store] that keeps the versions of an object apart, such as Amazon S3 (version id) and Google Cloud Storage
// (generation). It is found by type assertion.
type Versioned interface {
	// GetVersion is Get of one version, of the store's own naming. One that is not there is ErrNotFound.
	GetVersion(ctx context.Context, url, version string) (*Object, error)
}

// At is s with Get of that version, for what an event tells about one: URLs have no place for it. Without a version, and of a
// store that is not [Versioned], it is the object as it is now.
func At(s Store, version string) Store {
	if v, ok := s.(Versioned); ok && version != "" {
		return at{s, v, version}
	}
	return s
}

type at struct {
	Store
	versions Versioned
	version  string
}

func (a at) Get(ctx context.Context, url string) (*Object, error) {
	return a.versions.GetVersion(ctx, url, a.version)
}

// GetVersion gets from the store of the URL's scheme.
func (m Mux) GetVersion(ctx context.Context, url, version string) (*Object, error) {
	s, err := m.store(url)
	if err != nil {
		return nil, err
	}
	return At(s, version).Get(ctx, url)
}
