package pack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Folder writes the files into a folder of their own, whole or not at all. check sees the finished folder before it gets its
// name; an error of it leaves everything as it was. A folder that is there already is replaced when its file mark starts with
// the same line as these files' own, see [Replaceable].
func (f Files) Folder(to, mark string, check func(dir string) error) (err error) {
	to, err = filepath.Abs(to)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	i := slices.IndexFunc(f, func(file File) bool { return file.Name == mark })
	if i < 0 {
		return fmt.Errorf("pack: %s is not among the files", mark)
	}
	first, _, _ := strings.Cut(f[i].Text, "\n")
	if err := Replaceable(to, mark, first); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(to), ".pack-*")
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	made, old := filepath.Join(tmp, "new"), filepath.Join(tmp, "old")
	if err := f.Dir(made); err != nil {
		return err
	}
	if err := check(made); err != nil {
		return err
	}
	if err := os.Rename(to, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.Rename(made, to); err != nil {
		if back := os.Rename(old, to); back != nil && !errors.Is(back, fs.ErrNotExist) {
			err = errors.Join(err, back)
		}
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}

// Replaceable is nil when the folder to may be overwritten: there is none, it is empty, or its file mark starts with the line
// first.
func Replaceable(to, mark, first string) error {
	entries, err := os.ReadDir(to)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if info, err := os.Lstat(to); err != nil || !info.IsDir() {
		return fmt.Errorf("pack: %s is a link, expected a folder", to)
	}
	if firstLine(filepath.Join(to, mark)) != first {
		return fmt.Errorf("pack: %s holds files that this command did not write: remove it, or choose another folder", to)
	}
	return nil
}

// firstLine is "" when the file has none that is of a sensible length.
func firstLine(file string) string {
	in, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = in.Close() }() // only read
	line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(line, "\n")
}
