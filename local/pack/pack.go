// Package pack puts the files of a deployment together: real files only, with the modes that they need, in an archive whose
// bytes depend on nothing but its content.
package pack

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// File is one file of a deployment.
type File struct {
	Name   string // in the deployment, with slashes
	Source string // on this machine; "" when Text is the content
	Text   string
	Exec   bool
}

// Files is a deployment.
type Files []File

// Tree adds the regular files below dir under the name prefix. Hidden files and folders are passed over, and those of skip by
// name; a symbolic link is followed when it leads to a file inside dir and refused otherwise: no platform keeps links.
func (f *Files) Tree(dir, prefix string, skip ...string) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		if rel != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(skip, d.Name())) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		inside, err := filepath.Rel(root, real)
		if err != nil || !filepath.IsLocal(inside) {
			return fmt.Errorf("pack: %s is a symbolic link that leaves %s", p, dir)
		}
		info, err := os.Stat(real)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("pack: %s is not a regular file", p)
		}
		*f = append(*f, File{Name: path.Join(prefix, filepath.ToSlash(rel)), Source: real})
		return nil
	})
}

// Size is the bytes of all files.
func (f Files) Size() (int64, error) {
	var total int64
	for _, file := range f {
		if file.Source == "" {
			total += int64(len(file.Text))
			continue
		}
		info, err := os.Stat(file.Source)
		if err != nil {
			return 0, fmt.Errorf("pack: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

// epoch is the time of every file in an archive: the earliest that the format knows.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip writes an archive to the file at to, whole or not at all. The same files give the same bytes.
func (f Files) Zip(to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), ".pack-*")
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	z := zip.NewWriter(tmp)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, file := range f.sorted() {
		h := &zip.FileHeader{Name: file.Name, Method: zip.Deflate, Modified: epoch}
		h.SetMode(file.mode())
		w, err := z.CreateHeader(h)
		if err == nil {
			err = file.copy(w)
		}
		if err != nil {
			return fmt.Errorf("pack: %s: %w", file.Name, err)
		}
	}
	if err := errors.Join(z.Close(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.Rename(tmp.Name(), to); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}

// Dir writes the files below a folder.
func (f Files) Dir(to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	for _, file := range f.sorted() {
		name := filepath.Join(to, filepath.FromSlash(file.Name))
		if err := makeDir(filepath.Dir(name)); err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, file.mode())
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		if err := errors.Join(file.copy(out), out.Chmod(file.mode()), out.Close()); err != nil {
			return fmt.Errorf("pack: %s: %w", file.Name, err)
		}
	}
	return nil
}

// makeDir makes a folder, and those above it, for everybody to read, whatever this user's umask is: the program will run as
// another user.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

func (f Files) sorted() Files {
	s := slices.Clone(f)
	slices.SortFunc(s, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

func (f *File) mode() fs.FileMode {
	if f.Exec {
		return 0o755
	}
	return 0o644
}

func (f *File) copy(to io.Writer) error {
	if f.Source == "" {
		_, err := io.WriteString(to, f.Text)
		return err
	}
	in, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, in)
	return errors.Join(err, in.Close())
}
