package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// brokenRules is what Google's Go buildpack (GoogleCloudPlatform/buildpacks, cmd/go/functions_framework and cmd/go/build) or
// gcloud's upload would not take of a function's source folder.
func brokenRules(t *testing.T, dir fs.FS) []string {
	t.Helper()
	r := &rules{t: t, dir: dir}
	r.rootPackage()
	r.module()
	r.vendored()
	r.uploaded()
	return r.broken
}

type rules struct {
	t      *testing.T
	dir    fs.FS
	broken []string
}

func (r *rules) fail(format string, a ...any) { r.broken = append(r.broken, fmt.Sprintf(format, a...)) }

func (r *rules) read(name string) string {
	b, err := fs.ReadFile(r.dir, name)
	if err != nil {
		r.fail("%v", err)
	}
	return string(b)
}

// imports parses a file as far as its imports.
func (r *rules) imports(name string) (pkg string, paths []string) {
	f, err := parser.ParseFile(token.NewFileSet(), name, r.read(name), parser.ImportsOnly)
	if err != nil {
		r.fail("%v", err)
		return "", nil
	}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			r.t.Fatal(err)
		}
		paths = append(paths, p)
	}
	return f.Name.Name, paths
}

const functionsFramework = "github.com/GoogleCloudPlatform/functions-framework-go/"

// The builder parses every .go file at the root, tests and ignored ones included, and chooses its main by their imports.
func (r *rules) rootPackage() {
	names, err := fs.Glob(r.dir, "*.go")
	if err != nil {
		r.t.Fatal(err)
	}
	packages, imported := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		pkg, paths := r.imports(name)
		packages[pkg] = true
		for _, p := range paths {
			imported[p] = true
		}
		if strings.HasSuffix(name, "_test.go") {
			r.fail("a test at the root: %s", name)
		}
		if strings.Contains(r.read(name), "//go:build") {
			r.fail("a build constraint at the root: %s", name)
		}
	}
	if len(packages) != 1 {
		r.fail("%d packages at the root", len(packages))
	}
	if packages["main"] {
		r.fail("package main at the root")
	}
	for _, p := range []string{"functions", "funcframework"} {
		if !imported[functionsFramework+p] {
			r.fail("the root does not import %s", p)
		}
	}
}

var goModLine = regexp.MustCompile(`^\s*(?:require )?(\S+) (v\S+)`)

func (r *rules) module() {
	info, err := fs.Stat(r.dir, "go.mod")
	if err != nil {
		r.fail("%v", err)
		return
	}
	if info.Mode()&0o200 == 0 {
		r.fail("go.mod cannot be written")
	}
	modules := r.read("vendor/modules.txt")
	for line := range strings.Lines(r.read("go.mod")) {
		if p, ok := strings.CutPrefix(line, "module "); ok && !strings.Contains(strings.Split(p, "/")[0], ".") {
			r.fail("no dot in the module path %s", p)
		}
		if v, ok := strings.CutPrefix(line, "go "); ok && !regexp.MustCompile(`^1\.[0-9]+\n$`).MatchString(v) {
			r.fail("the go directive has a patch level: %s", v)
		}
		for _, word := range []string{"replace", "toolchain"} {
			if strings.HasPrefix(line, word+" ") {
				r.fail("go.mod has a directive %s", word)
			}
		}
		if m := goModLine.FindStringSubmatch(line); m != nil && !strings.Contains(modules, "# "+m[1]+" "+m[2]+"\n## explicit") {
			r.fail("go.mod and vendor/modules.txt disagree about %s", m[1])
		}
	}
}

// With vendor/ the builder downloads nothing: whatever is imported has to be there.
func (r *rules) vendored() {
	modules := r.read("vendor/modules.txt")
	r.walk(func(name string, _ fs.DirEntry) {
		if path.Ext(name) != ".go" {
			return
		}
		pkg, paths := r.imports(name)
		if strings.HasPrefix(name, "vendor/") {
			if strings.HasSuffix(name, "_test.go") || pkg == "main" {
				r.fail("vendored for nothing: %s", name)
			}
			if at := strings.TrimPrefix(path.Dir(name), "vendor/"); !strings.Contains(modules, "\n"+at+"\n") {
				r.fail("vendor/modules.txt does not list %s", at)
			}
		}
		for _, p := range paths {
			if !strings.Contains(strings.Split(p, "/")[0], ".") {
				continue // the standard library
			}
			if found, _ := fs.Glob(r.dir, "vendor/"+p+"/*.go"); len(found) == 0 {
				r.fail("%s imports %s, which is not vendored", name, p)
			}
		}
	})
}

// gcloud follows no links, and leaves out what .gcloudignore says; without that file, what .gitignore says.
func (r *rules) uploaded() {
	var libraries, models int
	ignored := r.ignored()
	r.walk(func(name string, d fs.DirEntry) {
		switch {
		case !d.Type().IsRegular():
			r.fail("not a regular file: %s", name)
		case path.Base(name) == ".gitignore" || name != ".gcloudignore" && path.Base(name) == ".gcloudignore":
			r.fail("ignores files: %s", name)
		case name != ".gcloudignore" && ignored(name):
			r.fail("not uploaded: %s", name)
		case name == "lib/libonnxruntime.so":
			libraries++
		case strings.HasPrefix(name, "model/") && path.Ext(name) == ".onnx":
			models++
		}
	})
	if libraries != 1 || models == 0 {
		r.fail("%d libraries, %d models", libraries, models)
	}
}

// ignored knows patterns of .gcloudignore as far as they are names with wildcards, of files or folders.
func (r *rules) ignored() func(name string) bool {
	var patterns []string
	for line := range strings.Lines(r.read(".gcloudignore")) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#!include") {
			r.fail(".gcloudignore includes another file")
		} else if line != "" && line[0] != '#' {
			patterns = append(patterns, strings.Trim(line, "/"))
		}
	}
	return func(name string) bool {
		for p := name; p != "."; p = path.Dir(p) {
			for _, pattern := range patterns {
				whole, err := path.Match(pattern, p)
				base, _ := path.Match(pattern, path.Base(p))
				if err != nil || whole || base {
					return true
				}
			}
		}
		return false
	}
}

func (r *rules) walk(see func(name string, d fs.DirEntry)) {
	if err := fs.WalkDir(r.dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			see(name, d)
		}
		return err
	}); err != nil {
		r.fail("%v", err)
	}
}
