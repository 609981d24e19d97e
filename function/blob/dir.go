package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Dir is a store in a folder: scheme://bucket/key, whatever the scheme, is the file root/bucket/key, and file:///key is
// root/key. Names and symbolic links that lead out of root are refused. The folder is made with the first object. Content
// types are not kept. A version is the time of the last change and the size.
func Dir(root string) Store { return dir(root) }

type dir string

// temporary begins the name of a file that is being written. No object has such a name.
const temporary = ".scorefn-"

func (d dir) Get(ctx context.Context, url string) (*Object, error) {
	file, err := fileName(ctx, url)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, failed(url, err)
	}
	defer root.Close()                         //nolint:errcheck // the file stays open
	if err = regular(root, file); err != nil { // before it is opened: a pipe would wait for its writer
		return nil, failed(url, err)
	}
	f, err := root.Open(file)
	if err != nil {
		return nil, failed(url, err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, failed(url, err)
	}
	version := strconv.FormatInt(info.ModTime().UnixNano(), 16) + "-" + strconv.FormatInt(info.Size(), 16)
	return &Object{URL: url, Size: info.Size(), Version: version, Body: f}, nil
}

// Put writes a file of another name and links it: a reader sees the whole object or none, and the link is not made where
// there is an object.
func (d dir) Put(ctx context.Context, url, _ string, body []byte) error {
	file, err := fileName(ctx, url)
	if err != nil {
		return err
	}
	if err = os.MkdirAll(string(d), 0o755); err != nil {
		return failed(url, err)
	}
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return failed(url, err)
	}
	defer root.Close() //nolint:errcheck // nothing is written to it
	temp := temporary + rand.Text()
	defer root.Remove(temp) //nolint:errcheck // it may not be there
	if err = root.MkdirAll(path.Dir(file), 0o755); err == nil {
		err = create(root, temp, body)
	}
	if err == nil {
		err = alive(ctx)
	}
	if err == nil {
		err = root.Link(temp, file)
	}
	switch {
	case errors.Is(err, fs.ErrExist) && regular(root, file) == nil:
		return fmt.Errorf("%w: %s", ErrExists, Redact(url))
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTDIR): // the name is a folder's, or a folder's is an object's
		return fmt.Errorf("%w: %s: %w", ErrUnsupported, Redact(url), err)
	}
	return failed(url, err)
}

func create(root *os.Root, file string, body []byte) error {
	f, err := root.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Close())
}

// regular is nil for a file that can be an object: no folder, pipe or device.
func regular(root *os.Root, file string) error {
	info, err := root.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file: %w", file, fs.ErrNotExist)
	}
	return err
}

// fileName is the file of an object, relative to the root. A name that the file system would take for another one, such as
// a//b for a/b, is refused: two objects must not be one file.
func fileName(ctx context.Context, url string) (string, error) {
	n, err := named(ctx, url)
	if err != nil {
		return "", err
	}
	file := n.key
	if n.bucket != "" {
		file = n.bucket + "/" + n.key
	}
	if !filepath.IsLocal(file) || path.Clean(file) != file || filepath.ToSlash(file) != file ||
		strings.Contains(file, "\x00") || strings.HasPrefix(file, temporary) {
		return "", fmt.Errorf("%w: %.200q is no name of a file in the folder", ErrUnsupported, file)
	}
	return file, nil
}

// failed is an error of the file system in the words of the package.
func failed(url string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %s: %w", ErrNotFound, Redact(url), err)
	case errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("%w: %s: %w", ErrUnsupported, Redact(url), err)
	}
	return fmt.Errorf("blob: %s: %w", Redact(url), err)
}
