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
	"slices"
	"strings"

	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/local/ortlib"
	"github.com/scorefn/scorefn/local/pack"
)

// packaging is the flags of "scorefn package".
type packaging struct {
	bake                   bool
	tmp                    string // folder for what is made on the way
	google                 cloudFunctions
	az                     azureFlags
	arch, model, out, part string
	program                string // built already; "" builds it
	given                  *flag.FlagSet
}

// platform is what "scorefn package" knows of one.
type platform struct {
	name string
	pack func(p *packaging, ctx context.Context, c *call) error
}

func platforms() []platform {
	return []platform{
		{"lambda", (*packaging).lambda},
		{"azure", (*packaging).azure},
		{"cloudfunctions", (*packaging).cloudfunctions},
	}
}

func platformNames() []string {
	var names []string
	for _, to := range platforms() {
		names = append(names, to.name)
	}
	return names
}

func packageCommand() command {
	p := new(packaging)
	return command{
		"package", "[" + strings.Join(platformNames(), "|") + "]", "make what a platform deploys",
		func(ctx context.Context, c *call) error {
			for _, to := range platforms() {
				if len(c.args) != 1 || c.args[0] != to.name {
					continue
				}
				if err := p.onlyFor(to.name); err != nil {
					return &exit{exitUsage, err}
				}
				return p.with(func() error { return to.pack(p, ctx, c) })
			}
			return &exit{exitUsage, errors.New("which platform? There is: " + strings.Join(platformNames(), ", "))}
		},
		func(f *flag.FlagSet, _ *call) {
			p.given = f
			p.google.flags(f)
			f.StringVar(&p.arch, "arch", "amd64", "`architecture` as Go names it: amd64 (x86_64) or arm64")
			f.StringVar(&p.model, "model", "", "`folder` with the model (default: the bundled one)")
			f.BoolVar(&p.bake, "bake", false, "bake the model first, so that it starts faster: see \"scorefn bake\"")
			f.StringVar(&p.out, "out", "", "`file` to write, or a folder when it ends in / (default dist/PLATFORM-ARCH.zip, dist/cloudfunctions)")
			f.StringVar(&p.part, "part", "all", "lambda: all; function without the library, or layer, the library alone")
			f.StringVar(&p.program, "bootstrap", "", "lambda: `file` that was built already (default: it is built from the source here)")
			p.az.flags(f)
		},
	}
}

// with gives do a folder for what is made on the way.
func (p *packaging) with(do func() error) (err error) {
	if p.tmp, err = os.MkdirTemp("", "scorefn-package-*"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.tmp)) }()
	return do()
}

// onlyFor refuses a flag of another platform: its description starts with the name of the one that it is for.
func (p *packaging) onlyFor(platform string) (err error) {
	p.given.Visit(func(f *flag.Flag) {
		owner, _, _ := strings.Cut(f.Usage, ": ")
		if owner != platform && slices.Contains(platformNames(), owner) {
			err = errors.Join(err, fmt.Errorf("--%s is for %s alone", f.Name, owner))
		}
	})
	return err
}

// crossCompilers is what builds cgo code for Linux on another architecture.
var crossCompilers = map[string]struct{ cc, pkg string }{
	"arm64": {"aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"},
	"amd64": {"x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"},
}

// build makes the Linux program of a package of this module.
func (p *packaging) build(ctx context.Context, c *call, root, to, from string, flags ...string) error {
	cc := c.getenv("CC")
	if cc == "" && (runtime.GOOS != "linux" || runtime.GOARCH != p.arch) {
		cross := crossCompilers[p.arch]
		if _, err := exec.LookPath(cross.cc); err != nil {
			return fmt.Errorf("building for linux/%s on %s/%s needs the C compiler %s: apt-get install %s (or set CC)", p.arch, runtime.GOOS, runtime.GOARCH, cross.cc, cross.pkg)
		}
		cc = cross.cc
	}
	fmt.Fprintf(c.err, "package: building %s for linux/%s\n", filepath.Base(to), p.arch)
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", to}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, from)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux", "GOARCH="+p.arch)
	if cc != "" {
		cmd.Env = append(cmd.Env, "CC="+cc)
	}
	cmd.Stdout, cmd.Stderr = c.err, c.err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// addModel adds the folder of the model as it is, without what trained it, or baked.
func (p *packaging) addModel(ctx context.Context, c *call, files *pack.Files) error {
	repo, err := modeldir.Open(modeldir.Config{AzureMLModelDir: p.model})
	if err != nil {
		return err
	}
	models := repo.Models()
	if len(models) != 1 {
		if p.bake {
			return &exit{exitUsage, fmt.Errorf("--bake takes one model, and %s holds %d: name its folder with --model", repo.Root(), len(models))}
		}
		return files.Tree(repo.Root(), "model", "train")
	}
	m := models[0] // wherever it lay, it is found again under its name
	dir := m.Dir
	if p.bake {
		// By the release that is packaged: an older one does not take what a newer one has baked.
		lib, err := library(ctx, c, runtime.GOOS, runtime.GOARCH)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "package: baking %s\n", m.File)
		dir = filepath.Join(p.tmp, "model")
		if _, err := bakeModel(ctx, m, dir, onnx.BakeOptions{Options: onnx.Options{Library: lib}}); err != nil {
			return err
		}
	}
	return files.Tree(dir, strings.Join([]string{"model", m.Name, cmp.Or(m.Version, "1")}, "/"), "train")
}

// library is the ONNX Runtime that is packaged, for the given system.
func library(ctx context.Context, c *call, goos, goarch string) (string, error) {
	root, err := sourceRoot()
	if err != nil {
		root = "."
	}
	return ortlib.Ensure(ctx, ortlib.Options{
		Dir: filepath.Join(root, libraries), GOOS: goos, GOARCH: goarch, Linux: true, Progress: c.err,
	})
}

func (p *packaging) addLibrary(ctx context.Context, c *call, files *pack.Files) error {
	lib, err := library(ctx, c, "linux", p.arch)
	if err != nil {
		return err
	}
	*files = append(*files, pack.File{Name: "lib/libonnxruntime.so", Source: lib, Exec: true},
		pack.File{Name: "lib/NOTICE.txt", Text: pack.Notice})
	return nil
}

// sourceRoot is the folder of the source: the nearest go.mod upwards.
func sourceRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("there is no go.mod in %s or above: run this in the source, or give --bootstrap", dir)
		}
	}
}
