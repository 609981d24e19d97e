package lambda

import (
	"context"

	"github.com/scorefn/scorefn/function/blob"
)

// versioned is a store that keeps the versions of its objects apart.
type versioned interface {
	GetVersion(ctx context.Context, url, version string) (*blob.Object, error)
}

// pinned is a store that gets the versions which the event names. URLs have no place for them.
type pinned struct {
	blob.Store
	versions map[string]string // by URL
}

func (p pinned) Get(ctx context.Context, url string) (*blob.Object, error) {
	if v, ok := p.Store.(versioned); ok && p.versions[url] != "" {
		return v.GetVersion(ctx, url, p.versions[url])
	}
	return p.Store.Get(ctx, url)
}

// pin is the store for a batch: an object that it names in two versions is taken as it is now.
func (h *handler) pin(records []record) blob.Store {
	p := pinned{h.store, map[string]string{}}
	for _, r := range records {
		for url, version := range r.versions {
			if before, twice := p.versions[url]; twice && before != version {
				version = ""
			}
			p.versions[url] = version
		}
	}
	return p
}
