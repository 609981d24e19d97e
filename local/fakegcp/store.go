package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// store is Cloud Storage over a folder.
type store struct{ api http.Handler }

// openStore serves the folder; the buckets are made if they are missing. The objects in it are no events: they were there.
func openStore(dir, addr string, buckets []string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	options := fakestorage.Options{
		StorageRoot: dir, NoListener: true, Scheme: "http", ExternalURL: "http://" + addr, PublicHost: addr,
	}
	before, err := fakestorage.NewServerWithOptions(options) // without events
	if err != nil {
		return nil, err
	}
	for _, b := range buckets {
		if err := os.MkdirAll(filepath.Join(dir, b), 0o755); err != nil {
			return nil, err
		}
	}
	if err := adopt(before, dir); err != nil {
		return nil, err
	}
	options.EventOptions = fakestorage.EventManagerOptions{
		ProjectID: project, TopicName: objectTopic, NotifyOn: fakestorage.EventNotificationOptions{Finalize: true},
	}
	server, err := fakestorage.NewServerWithOptions(options)
	if err != nil {
		return nil, err
	}
	return &store{server.HTTPHandler()}, nil
}

// adopt gives the files that somebody put into the folder what makes them objects: a generation, checksums, a time.
func adopt(server *fakestorage.Server, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() || strings.HasSuffix(path, ".metadata") || strings.HasSuffix(path, ".bucketMetadata") {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		bucket, name, nested := strings.Cut(filepath.ToSlash(rel), "/")
		if !nested {
			return nil // a file beside the buckets
		}
		if _, err := server.GetObject(bucket, name); err == nil {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		server.CreateObject(fakestorage.Object{ObjectAttrs: fakestorage.ObjectAttrs{BucketName: bucket, Name: name}, Content: content})
		if _, err := server.GetObject(bucket, name); err != nil {
			return fmt.Errorf("%s cannot be made an object: %w", path, err)
		}
		return nil
	})
}

// ServeHTTP keeps out what has no place in a folder of the user's: web pages of other sites, names that lead out of the folder,
// and the stand-in's own routes, one of which deletes everything.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := admit(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	s.api.ServeHTTP(w, r)
}

func admit(r *http.Request) error {
	switch {
	case r.Header.Get("Origin") != "":
		return errors.New("no web page may use this")
	case strings.HasPrefix(r.URL.Path, "/_internal/"):
		return errors.New("the routes below /_internal/ are closed")
	}
	for _, name := range []string{r.URL.Path, r.URL.Query().Get("name")} {
		for part := range strings.SplitSeq(name, "/") {
			if part == ".." {
				return errors.New("a name must not lead out of the folder")
			}
		}
	}
	return nil
}
