package blob_test

import (
	"context"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

// told is a store whose objects hold the version that was asked for.
type told struct{ blob.Store }

func (told) GetVersion(ctx context.Context, url, version string) (*blob.Object, error) {
	s := blob.Mem()
	if err := s.Put(ctx, url, "", []byte(version)); err != nil {
		return nil, err
	}
	return s.Get(ctx, url)
}

func TestAt(t *testing.T) {
	t.Parallel()
	plain, versions := blob.Mem(), told{blob.Mem()}
	for _, s := range []blob.Store{plain, versions.Store} {
		if err := s.Put(t.Context(), "x://b/k", "", []byte("now")); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name          string
		store         blob.Store
		version, want string
	}{
		{"a store with versions", versions, "v1", "v1"},
		{"no version", versions, "", "now"},
		{"a store without versions", plain, "v1", "now"},
		{"a store with versions of one scheme", blob.Mux{"x": versions}, "v1", "v1"},
		{"a store without versions of one scheme", blob.Mux{"x": plain}, "v1", "now"},
	} {
		_, body, err := blob.Read(t.Context(), blob.At(tt.store, tt.version), "x://b/k", 10)
		if err != nil || string(body) != tt.want {
			t.Errorf("%s: got %q %v, want %q", tt.name, body, err, tt.want)
		}
	}
	if _, err := blob.At(blob.Mux{"x": versions}, "v1").Get(t.Context(), "y://b/k"); err == nil {
		t.Error("a scheme without a store: no error")
	}
}
