package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// builtFunction is the program that "scorefn cloudfunctions" runs, and how it comes about.
type builtFunction struct {
	source, program string
	server          bool

	title     string // for the user
	dir       string // working directory
	temporary string // to remove afterwards
}

func (b *builtFunction) flags(f *flag.FlagSet) {
	f.StringVar(&b.source, "source", "", "`folder` of \"scorefn package cloudfunctions\", to be built as Google's builder does (default: the source here)")
	f.StringVar(&b.program, "program", "", "executable `file` that was built already; with --server bin/server by default")
	f.BoolVar(&b.server, "server", false, "run bin/server, the container of Cloud Run, instead of a function")
}

// build makes the program, unless there is one.
func (b *builtFunction) build(ctx context.Context, c *call) error {
	switch {
	case b.source != "" && (b.program != "" || b.server):
		return &exit{exitUsage, errors.New("--source is built; it goes with neither --program nor --server")}
	case b.source != "":
		return b.buildSource(ctx, c)
	case b.server && b.program == "":
		b.program = "bin/server"
		fallthrough
	case b.program != "":
		if info, err := os.Stat(b.program); err != nil || info.IsDir() {
			return fmt.Errorf("there is no executable %s: \"make build\" makes bin/server, or name yours with --program", b.program)
		}
		b.title, b.dir = b.program, "."
		return nil
	}
	root, err := sourceRoot()
	if err != nil {
		return errors.New("there is no source here: run this in a clone of scorefn, or name a folder with --source or an executable with --program")
	}
	const main = "./adapters/cloudfunctions/framework"
	if _, err := os.Stat(filepath.Join(root, main)); err != nil {
		return fmt.Errorf("%s is no clone of scorefn: \"scorefn package cloudfunctions\" makes a folder of your module, and --source runs it", root)
	}
	b.program, b.dir = filepath.Join(root, "bin", "function"), "."
	b.title = "the function Score of this source"
	return goBuild(ctx, c, root, "the function on the Functions Framework", b.program, []string{"-trimpath"}, main)
}

// goBuild runs go build and says so, since the first time takes long.
func goBuild(ctx context.Context, c *call, dir, what, to string, flags []string, from string) error {
	fmt.Fprintf(c.err, "building %s (the first time takes a while)\n", what)
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-o", to}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, from)...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = c.err, c.err
	if err := cmd.Run(); ctx.Err() != nil {
		return errors.New("interrupted")
	} else if err != nil {
		return fmt.Errorf("%s could not be built: go build: %w", what, err)
	}
	return nil
}

// sourceDir is where Google's builder puts the source, below the working directory of the function.
const sourceDir = "serverless_function_source_code"

// frameworkMain is the main that the builder adds to a folder whose root package registers its functions
// (GoogleCloudPlatform/buildpacks, cmd/go/functions_framework).
const frameworkMain = `package main

import (
	"log"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ %q
)

func main() { log.Fatal(funcframework.Start(os.Getenv("PORT"))) }
`

// buildSource builds a folder with the builder's main, without touching it, and lays it out as it will be on the platform: the
// program elsewhere, the working directory one above the source.
func (b *builtFunction) buildSource(ctx context.Context, c *call) error {
	source, err := filepath.Abs(b.source)
	if err != nil {
		return err
	}
	module, err := moduleOf(ctx, source)
	if err != nil {
		return fmt.Errorf("--source %s: %w; \"scorefn package cloudfunctions\" makes such a folder", b.source, err)
	}
	if b.temporary, err = os.MkdirTemp("", "scorefn-cloudfunctions-"); err != nil {
		return err
	}
	err = b.layOut(ctx, c, source, module)
	if err != nil {
		b.remove()
	}
	return err
}

func (b *builtFunction) layOut(ctx context.Context, c *call, source, module string) error {
	b.dir = filepath.Join(b.temporary, "workspace")
	b.program = filepath.Join(b.temporary, "layers", "google.go.build", "bin", "main")
	b.title = b.source
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return err
	}
	if err := os.Symlink(source, filepath.Join(b.dir, sourceDir)); err != nil {
		return err
	}
	file := filepath.Join(b.temporary, "main.go")
	if err := os.WriteFile(file, fmt.Appendf(nil, frameworkMain, module), 0o600); err != nil {
		return err
	}
	app := filepath.Join("functions.local", "app")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(source, app, "main.go"): file}})
	if err != nil {
		return err
	}
	overlayFile := filepath.Join(b.temporary, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return err
	}
	return goBuild(ctx, c, source, b.source+" as Google's builder does", b.program, []string{"-trimpath", "-overlay", overlayFile}, "./"+filepath.ToSlash(app))
}

// moduleOf is the path of the module in a folder, as the builder finds it. What it demands of one, it says only in the log of a
// deployment that failed.
func moduleOf(ctx context.Context, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", errors.New("it has no go.mod")
	}
	if found, err := filepath.Glob(filepath.Join(dir, "*.go")); err != nil || len(found) == 0 {
		return "", errors.New("it has no Go file at its root, where the builder looks for the function")
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-m")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(strings.TrimSpace(string(e.Stderr)))
		}
		return "", err
	}
	module := strings.TrimSpace(string(out))
	if first, _, _ := strings.Cut(module, "/"); !strings.Contains(first, ".") {
		return "", fmt.Errorf("its module path %s must have a dot before the first slash, or Google's builder refuses it", module)
	}
	return module, nil
}

func (b *builtFunction) remove() {
	if b.temporary != "" {
		_ = os.RemoveAll(b.temporary) // a folder of the system's temporary ones
	}
}
