package ortlib

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// library is one that is to be unpacked, and where to.
type library struct {
	Platform

	path string
}

// unpack writes the libraries, each complete and checked or not at all. The first is the one that was asked for: without it
// unpack fails. Of the others m is told.
func unpack(ctx context.Context, archive string, list []library, m *meter) error {
	in, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	done := make([]bool, len(list))
	err = entries(&reader{ctx: ctx, r: in}, func(name string, r io.Reader) (more bool, err error) {
		for i, l := range list {
			if l.Entry != name {
				continue
			}
			if err = l.write(ctx, r, m); err == nil {
				done[i] = true
				m.line(fmt.Sprintf("%s is ready (%s)", l.path, megabytes(l.Size)))
			} else if i > 0 && ctx.Err() == nil {
				m.line(fmt.Sprintf("%s was not unpacked: %v", l.path, err))
				done[i], err = true, nil
			}
			break
		}
		if err == nil {
			m.update("unpacking")
		}
		return slices.Contains(done, false), err
	})
	switch {
	case err == nil && !done[0]:
		return errors.New("it is not in the archive")
	case done[0] && ctx.Err() == nil:
		return nil // what is wrong behind it is no harm to it
	}
	return err
}

// entries calls do with each file of a packed archive, until it wants no more.
func entries(packed io.Reader, do func(name string, r io.Reader) (more bool, err error)) error {
	zipped, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	files := tar.NewReader(zipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if more, err := do(header.Name, files); err != nil || !more {
			return err
		}
	}
}

// write makes the library of what r has.
func (l *library) write(ctx context.Context, r io.Reader, m *meter) (err error) {
	out, err := os.CreateTemp(filepath.Dir(l.path), tempPrefix)
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
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(&reader{ctx: ctx, r: r, tick: func(n int64) {
		m.update(fmt.Sprintf("unpacking %s of %s", megabytes(n), megabytes(l.Size)))
	}}, l.Size+1))
	if err != nil {
		return err
	}
	if n != l.Size {
		return fmt.Errorf("wrong size: expected %d bytes, found %d", l.Size, n)
	}
	if found := hex.EncodeToString(h.Sum(nil)); found != l.SHA256 {
		return fmt.Errorf("wrong hash: expected sha256-%s, found sha256-%s", l.SHA256, found)
	}
	if err := errors.Join(out.Chmod(0o755), out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), l.path); err != nil && l.check(l.path, true) != nil { // another run may have been first
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
