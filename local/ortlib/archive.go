package ortlib

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
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

// archive returns the path of the npm package's archive, whose hash is checked; it comes from the cache, from an interrupted
// run, or through npm. library is named in advice.
func (s *source) archive(ctx context.Context, npm, cache, library string, alone bool, m *meter) (string, error) {
	path := filepath.Join(cache, s.name+"-"+s.version+".tgz")
	if _, err := os.Stat(path); err == nil {
		err := s.verify(ctx, path, m)
		if err == nil {
			return path, nil
		}
		if ctx.Err() != nil {
			return "", err
		}
		m.line(fmt.Sprintf("%v: it is downloaded again", err))
		if err := os.Remove(path); err != nil {
			return "", fmt.Errorf("ortlib: %w", err)
		}
	}
	if s.adopt(ctx, cache, path, alone, m) {
		return path, nil
	}
	// The download lies in the cache's folder, so that it gets its name in one step.
	dir, err := os.MkdirTemp(cache, packPrefix)
	if err != nil {
		return "", fmt.Errorf("ortlib: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // the next run tries again
	fresh, err := s.download(ctx, npm, dir, cache, library, m)
	if err != nil {
		return "", err
	}
	if err := s.verify(ctx, fresh, m); err != nil {
		return "", fmt.Errorf("ortlib: npm delivered another %s than the one that is pinned: %w", s.name, err)
	}
	if err := keep(fresh, path); err != nil && s.verify(ctx, path, m) != nil { // another run may have been first
		return "", fmt.Errorf("ortlib: %w", err)
	}
	return path, nil
}

// adopt takes over a download that an interrupted run finished but did not use, and removes what such runs left.
func (s *source) adopt(ctx context.Context, cache, path string, alone bool, m *meter) bool {
	adopted := false
	for _, dir := range glob(cache, packPrefix+"*") {
		if info, err := os.Stat(dir); !alone && (err != nil || time.Since(info.ModTime()) < time.Hour) {
			continue // without a lock it may belong to a run that is still going on
		}
		for _, file := range glob(dir, "*.tgz") {
			if !adopted && s.verify(ctx, file, m) == nil && keep(file, path) == nil {
				adopted = true
			}
		}
		if ctx.Err() == nil { // an interrupted check says nothing about the file
			_ = os.RemoveAll(dir) // best effort: it is in nobody's way
		}
	}
	return adopted
}

// keep makes a complete file durable under its final name.
func keep(file, path string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(file, path)
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

// unpack writes the one library to path, complete and checked or not at all.
func unpack(ctx context.Context, archive, path string, p Platform, m *meter) (err error) {
	in, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	zipped, err := gzip.NewReader(&reader{ctx: ctx, r: in})
	if err != nil {
		return err
	}
	files := tar.NewReader(zipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("it is not in the archive")
		}
		if err != nil {
			return err
		}
		if header.Name == p.Entry && header.Typeflag == tar.TypeReg {
			break
		}
		m.update("unpacking")
	}
	out, err := os.CreateTemp(filepath.Dir(path), tempPrefix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close() // a second time, mostly: the first error is the one that counts
			_ = os.Remove(out.Name())
		}
	}()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(&reader{ctx: ctx, r: files, tick: func(n int64) {
		m.update(fmt.Sprintf("unpacking %s of %s", megabytes(n), megabytes(p.Size)))
	}}, p.Size+1))
	if err != nil {
		return err
	}
	if n != p.Size {
		return fmt.Errorf("wrong size: expected %d bytes, found %d", p.Size, n)
	}
	if found := hex.EncodeToString(h.Sum(nil)); found != p.SHA256 {
		return fmt.Errorf("wrong hash: expected sha256-%s, found sha256-%s", p.SHA256, found)
	}
	if err := errors.Join(out.Chmod(0o755), out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), path); err != nil && p.check(path, true) != nil { // another run may have been first
		return err
	}
	return nil
}

// reader stops when ctx does, and tells how far it is.
type reader struct {
	ctx  context.Context //nolint:containedctx // it lives no longer than the call that made it
	r    io.Reader
	n    int64
	tick func(n int64) // may be nil
}

func (r *reader) Read(p []byte) (int, error) {
	if err := stopped(r.ctx); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.n += int64(n)
	if r.tick != nil {
		r.tick(r.n)
	}
	return n, err
}
