package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Stray is the first file below dir that is not one of the deployment's, "" when there is none: a folder that is written
// over keeps what an earlier deployment left there. Hidden files and folders, and those of keep, may stay.
func (f Files) Stray(dir string, keep ...string) (string, error) {
	own := map[string]bool{}
	for _, file := range f {
		own[file.Name] = true
	}
	stray := ""
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch hidden := strings.HasPrefix(d.Name(), "."); {
		case hidden && d.IsDir():
			return filepath.SkipDir
		case hidden || d.IsDir() || own[rel] || slices.Contains(keep, rel):
			return nil
		}
		stray = p
		return filepath.SkipAll
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("pack: %w", err)
	}
	return stray, nil
}
