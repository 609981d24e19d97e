package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/scorefn/scorefn/local/pack"
)

// cloudFunctions is what "scorefn package cloudfunctions" alone is told.
type cloudFunctions struct {
	script string // the package with the user's Init
	docker bool
}

func (o *cloudFunctions) flags(f *flag.FlagSet) {
	f.BoolVar(&o.docker, "docker", false, "cloudfunctions: add a Dockerfile, for Cloud Run and any other host of containers")
	f.StringVar(&o.script, "script", "", "cloudfunctions: the Go `package` with your Init (default: function/score of the source here)")
}

// What the packages of a function are, besides the script; and where they lie for those who import scorefn.
const (
	scorefnModule = "github.com/scorefn/scorefn"
	framework     = "github.com/GoogleCloudPlatform/functions-framework-go"
)

// cloudfunctions makes a source folder that Google's Go buildpack builds without network: function.go, vendor/, lib/, model/.
func (p *packaging) cloudfunctions(ctx context.Context, c *call) error {
	if p.arch != "amd64" {
		return &exit{exitUsage, fmt.Errorf("--arch %s: Google Cloud Functions and Cloud Run have amd64 alone", p.arch)}
	}
	root, err := sourceRoot()
	if err != nil {
		return errors.New("there is no go.mod here or above: run this in a clone of scorefn, or in your own module that imports it")
	}
	out := filepath.Clean(cmp.Or(p.out, filepath.Join("dist", "cloudfunctions")))
	if err := pack.Replaceable(out, functionGo, generated); err != nil {
		return err
	}
	var files, model pack.Files
	if err := p.addModel(ctx, c, &model); err != nil {
		return err
	}
	modelSize, err := model.Size()
	if err != nil {
		return err
	}
	needs, err := needsOf(modelSize)
	if err != nil {
		return err
	}
	source, err := p.addGoSource(ctx, c, root, &files)
	if err != nil {
		return err
	}
	if err := p.addLibrary(ctx, c, &files); err != nil { // last: it may be a download
		return err
	}
	files = append(files, model...)
	size, err := files.Size()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "package: writing %d files, %.1f MB\n", len(files), float64(size)/1e6)
	if err := files.Folder(out, functionGo, func(dir string) error { return compiles(ctx, c, dir) }); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s  %d files, %.1f MB: ONNX Runtime and the source of %d Go packages %.1f, model %.1f\n", out, len(files),
		float64(size)/1e6, source.Packages(), float64(size-modelSize)/1e6, float64(modelSize)/1e6)
	p.deployGoogle(c, out, source.Language, needs, model)
	return nil
}

// addGoSource adds the generated files at the root of the folder, and everything that they import.
func (p *packaging) addGoSource(ctx context.Context, c *call, root string, files *pack.Files) (source *pack.GoSource, err error) {
	fmt.Fprintln(c.err, "package: collecting Go source")
	target := &pack.GoTarget{GOOS: "linux", GOARCH: p.arch, Dir: ".", Progress: c.err}
	script, function, adapter := p.google.script, filepath.Join(root, "function"), filepath.Join(root, "adapters", "cloudfunctions")
	_, missing := os.Stat(adapter)
	switch {
	case missing == nil: // a clone, whatever its module is called
		script = cmp.Or(script, filepath.Join(function, "score"))
	case script == "":
		return nil, &exit{exitUsage, fmt.Errorf("%s is no clone of scorefn: name the package of your Init, --script ./score", root)}
	default: // everybody else imports scorefn, but need not have imported what Google's part of it imports
		function, adapter = scorefnModule+"/function", scorefnModule+"/adapters/cloudfunctions"
		closeCopy, failed := target.Detach(ctx, root)
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, closeCopy()) }()
	}
	names, err := goNames(ctx, target, script, function, adapter)
	if err != nil {
		return nil, err
	}
	source, err = pack.ListGo(ctx, target, names.script, names.function, names.adapter, framework+"/functions", framework+"/funcframework")
	if err != nil {
		return nil, err
	}
	if err := source.Vendor(files); err != nil {
		return nil, err
	}
	*files = append(*files,
		pack.File{Name: functionGo, Text: names.fill(functionText)},
		pack.File{Name: "go.mod", Text: source.GoMod(strings.TrimPrefix(generated, "// "), "scorefn.local/cloudfunctions")},
		pack.File{Name: ".gcloudignore", Text: gcloudignore})
	if p.google.docker {
		*files = append(*files,
			pack.File{Name: "server/main.go", Text: names.fill(serverText)},
			pack.File{Name: "Dockerfile", Text: strings.ReplaceAll(dockerfile, "LANGUAGE", source.Language)})
	}
	return source, nil
}

// goPaths is the import paths of what the generated files use.
type goPaths struct{ script, function, adapter string }

func goNames(ctx context.Context, target *pack.GoTarget, script, function, adapter string) (goPaths, error) {
	found, err := pack.GoPackages(ctx, target, script, function, adapter)
	if err != nil {
		return goPaths{}, err
	}
	if found[0].Name == "main" {
		return goPaths{}, &exit{exitUsage, fmt.Errorf("--script %s: it is package main, which Go cannot import: move Init to a package of its own", script)}
	}
	if strings.Contains("/"+found[0].Path+"/", "/internal/") {
		return goPaths{}, &exit{exitUsage, fmt.Errorf("--script %s: Go lets no other module import what lies below internal/: move the package out of it", script)}
	}
	return goPaths{found[0].Path, found[1].Path, found[2].Path}, nil
}

// fill puts the import paths into a generated file.
func (n goPaths) fill(text string) string {
	return strings.NewReplacer("FRAMEWORK", framework, "SCRIPT", n.script, "FUNCTION", n.function, "ADAPTER", n.adapter).Replace(text)
}

// compiles makes sure, where this machine can, that the folder holds all that it needs: a mistake found by Google's builder
// costs minutes.
func compiles(ctx context.Context, c *call, dir string) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		fmt.Fprintf(c.err, "package: it is not compiled here: that takes linux/amd64, and this is %s/%s\n", runtime.GOOS, runtime.GOARCH)
		return nil
	}
	fmt.Fprintln(c.err, "package: compiling it as Google will, without network (a minute for the first time)")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1", "GOFLAGS=-mod=vendor", "GOPROXY=off", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = c.err, c.err
	if err := cmd.Run(); ctx.Err() != nil {
		return fmt.Errorf("interrupted, so nothing was written: %w", ctx.Err())
	} else if err != nil {
		return fmt.Errorf("it does not compile, so nothing was written: go build: %w", err)
	}
	return nil
}
