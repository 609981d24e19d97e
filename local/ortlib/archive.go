package ortlib

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	tempPrefix = ".unpacking-"
	packPrefix = "npm-"
)

// archive returns the path of the npm package's archive, whose hash is checked: one that somebody put into the cache, the
// download of an interrupted run, or a new one through npm. release removes a download; what somebody put there is left.
// library is named in advice.
func (s *source) archive(ctx context.Context, npm, cache, library string, alone bool, m *meter) (path string, release func(), err error) {
	path = filepath.Join(cache, s.name+"-"+s.version+".tgz")
	if _, err := os.Stat(path); err == nil {
		err := s.verify(ctx, path, m)
		if err == nil {
			return path, func() {}, nil
		}
		if ctx.Err() != nil {
			return "", nil, err
		}
		m.line(fmt.Sprintf("%v: it is downloaded again", err))
		if err := os.Remove(path); err != nil {
			return "", nil, fmt.Errorf("ortlib: %w", err)
		}
	}
	if file := s.adopt(ctx, cache, alone, m); file != "" {
		return file, func() { _ = os.RemoveAll(filepath.Dir(file)) }, nil // the next run tries again
	}
	dir, err := os.MkdirTemp(cache, packPrefix)
	if err != nil {
		return "", nil, fmt.Errorf("ortlib: %w", err)
	}
	release = func() { _ = os.RemoveAll(dir) } // the next run tries again
	path, err = s.download(ctx, npm, dir, cache, library, m)
	if err == nil {
		if err = s.verify(ctx, path, m); err != nil {
			err = fmt.Errorf("ortlib: npm delivered another %s than the one that is pinned: %w", s.name, err)
		}
	}
	if err != nil {
		release()
		return "", nil, err
	}
	return path, release, nil
}

// adopt finds a download that an interrupted run finished but did not use, and removes what else such runs left. It returns
// "" when there is none.
func (s *source) adopt(ctx context.Context, cache string, alone bool, m *meter) (found string) {
	for _, dir := range glob(cache, packPrefix+"*") {
		if info, err := os.Stat(dir); !alone && (err != nil || time.Since(info.ModTime()) < time.Hour) {
			continue // without a lock it may belong to a run that is still going on
		}
		for _, file := range glob(dir, "*.tgz") {
			if found == "" && s.verify(ctx, file, m) == nil {
				found = file
			}
		}
		if ctx.Err() == nil && (found == "" || filepath.Dir(found) != dir) { // an interrupted check says nothing about the file
			_ = os.RemoveAll(dir) // best effort: it is in nobody's way
		}
	}
	return found
}

// verify compares the archive's SHA-512.
func (s *source) verify(ctx context.Context, path string, m *meter) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha512.New()
	n, err := io.Copy(h, &reader{ctx: ctx, r: f, tick: func(n int64) {
		m.update(fmt.Sprintf("checking %s of %s", megabytes(n), megabytes(s.size)))
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if found := base64.StdEncoding.EncodeToString(h.Sum(nil)); found != s.sha512 {
		return fmt.Errorf("%s: wrong hash: expected sha512-%s, found sha512-%s (%d bytes)", path, s.sha512, found, n)
	}
	return nil
}
