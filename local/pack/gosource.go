package pack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// GoTarget is where Go source is going to be built.
type GoTarget struct {
	GOOS, GOARCH string
	Dir          string    // the patterns are seen from here
	Progress     io.Writer // what the go command says: downloads, errors
	flags        []string
}

// Detach lets the go command add what the module at root does not require yet, in a copy of its go.mod: the module itself
// stays as it is. closeCopy removes the copy. A Go workspace is left alone: it takes no other go.mod.
func (t *GoTarget) Detach(ctx context.Context, root string) (closeCopy func() error, err error) {
	work, err := t.output(ctx, "env", "GOWORK")
	if file := strings.TrimSpace(string(work)); err != nil || file != "" && file != "off" {
		return func() error { return nil }, err
	}
	dir, err := os.MkdirTemp("", "go-mod-*")
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	closeCopy = func() error { return os.RemoveAll(dir) }
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(root, name))
		if name == "go.sum" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("pack: %w", err), closeCopy())
		}
	}
	t.flags = []string{"-mod=mod", "-modfile=" + filepath.Join(dir, "go.mod")}
	return closeCopy, nil
}

// GoSource is packages with all that they import outside the standard library, as one platform builds them with cgo.
type GoSource struct {
	Language string // the newest go directive among the modules, without a patch level: "1.26"
	packages []goPackage
	build    build.Context
}

// goPackage is what "go list -json" says of one; "go help list" describes the fields.
type goPackage struct {
	Dir, ImportPath, Name string
	Standard, DepOnly     bool
	Module                *goModule

	GoFiles, CgoFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles, SwigFiles, SwigCXXFiles, SysoFiles, EmbedFiles []string
	IgnoredGoFiles                                                                                                      []string
}

type goModule struct{ Path, Version, GoVersion string }

// GoPackage is a package by its import path and the name in its package clause.
type GoPackage struct{ Path, Name string }

// GoPackages resolves patterns that name one package each: an import path or a folder.
func GoPackages(ctx context.Context, t *GoTarget, patterns ...string) ([]GoPackage, error) {
	var found []GoPackage
	for _, pattern := range patterns { // one by one: the order of several is not promised
		packages, err := t.list(ctx, "-find", pattern)
		if err != nil {
			return nil, err
		}
		if len(packages) != 1 {
			return nil, fmt.Errorf("pack: %s names %d packages, expected one", pattern, len(packages))
		}
		found = append(found, GoPackage{packages[0].ImportPath, packages[0].Name})
	}
	return found, nil
}

// ListGo finds the source of packages and of all that they import. The go command downloads what is not there yet.
func ListGo(ctx context.Context, t *GoTarget, packages ...string) (*GoSource, error) {
	all, err := t.list(ctx, append([]string{"-deps"}, packages...)...)
	if err != nil {
		return nil, err
	}
	s := &GoSource{build: build.Default}
	minor := 0
	for _, p := range all {
		if p.Standard {
			continue
		}
		if p.Module == nil {
			return nil, fmt.Errorf("pack: package %s belongs to no module: run this where there is a go.mod", p.ImportPath)
		}
		_, n := language(p.Module.GoVersion)
		minor = max(minor, n)
		s.packages = append(s.packages, p)
	}
	slices.SortFunc(s.packages, func(a, b goPackage) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	s.Language = "1." + strconv.Itoa(minor)
	s.build.GOOS, s.build.GOARCH, s.build.CgoEnabled, s.build.BuildTags = t.GOOS, t.GOARCH, true, nil
	s.build.ReleaseTags = nil
	for n := 1; n <= minor; n++ {
		s.build.ReleaseTags = append(s.build.ReleaseTags, "go1."+strconv.Itoa(n))
	}
	return s, nil
}

func (t *GoTarget) list(ctx context.Context, args ...string) ([]goPackage, error) {
	out, err := t.output(ctx, slices.Concat([]string{"list", "-json"}, t.flags, args)...)
	if err != nil {
		return nil, err
	}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("pack: what go list says: %w", err)
		}
		packages = append(packages, p)
	}
}

// output runs the go command.
func (t *GoTarget) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.Dir
	cmd.Env = append(os.Environ(), "GOOS="+t.GOOS, "GOARCH="+t.GOARCH, "CGO_ENABLED=1")
	cmd.Stderr = t.Progress
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("pack: interrupted: %w", ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("pack: go %s %s: %w", args[0], args[len(args)-1], err)
	}
	return out, nil
}

var goDirective = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^1\.([0-9]+)`) })

// language is a go directive without its patch level, and its second number; modules without a directive are at 1.16
// (the Go Modules Reference, "go directive").
func language(directive string) (text string, minor int) {
	if found := goDirective().FindStringSubmatch(directive); found != nil {
		if n, err := strconv.Atoi(found[1]); err == nil {
			return found[0], n
		}
	}
	return "", 16
}

// files is the names of what is built of a package, and besides what the platform's own Go may build where it is older than
// the go command here: the file for Go before 1.27 beside the one for 1.27.
func (s *GoSource) files(p *goPackage) ([]string, error) {
	names := slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles, p.SFiles, p.SwigFiles,
		p.SwigCXXFiles, p.SysoFiles, p.EmbedFiles)
	for _, name := range p.IgnoredGoFiles {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		match, err := s.build.MatchFile(p.Dir, name)
		if err != nil {
			return nil, fmt.Errorf("pack: %s: %w", filepath.Join(p.Dir, name), err)
		}
		if match {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
