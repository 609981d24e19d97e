package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// programs are the executables that take part, by name.
type programs map[string]string

// sources is what is built, with the flags that it is shipped with.
var sources = []struct{ name, pkg, flags string }{
	{"scorefn", "./local", ""},
	{"bootstrap", "./adapters/lambda/bootstrap", "-tags=lambda.norpc"},
	{"server", "./adapters/cloudfunctions/server", ""},
	{"handler", "./adapters/azure/handler", ""},
	{"core", "./local/bench/core", ""},
	{"floor", "./local/bench/floor", ""},
	{"naive", "./local/bench/naive", ""},
	{"models", "./local/bench/models", ""},
}

// build builds the programs of the source in root into dir; names restricts them.
func build(ctx context.Context, root, dir string, progress func(string, ...any), names ...string) (programs, error) {
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	made := programs{}
	for _, s := range sources {
		if len(wanted) > 0 && !wanted[s.name] {
			continue
		}
		progress("building %s", s.name)
		bin := filepath.Join(dir, "bin", s.name)
		args := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", bin}
		if s.flags != "" {
			args = append(args, s.flags)
		}
		if _, err := output(ctx, root, "go", append(args, s.pkg)...); err != nil {
			return nil, fmt.Errorf("%w\nbench builds what it measures: it needs Go and a C compiler", err)
		}
		made[s.name] = bin
	}
	if len(wanted) > 0 && !wanted["limit"] {
		return made, nil
	}
	progress("building the C limit")
	headers, err := output(ctx, root, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go")
	if err != nil {
		return nil, err
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	made["limit"] = filepath.Join(dir, "bin", "limit")
	if _, err := output(ctx, root, cc, "-O2", "-I", headers, "-o", made["limit"], "local/bench/limit.c", "-ldl"); err != nil {
		return nil, fmt.Errorf("%w\nthe C limit needs a C compiler: apt-get install gcc, or set CC", err)
	}
	return made, nil
}

// output runs a command in dir and returns what it printed; an error tells what it said.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return outputOf(cmd)
}

// longestEnd is how long a command may take to end after it was interrupted.
const longestEnd = 10 * time.Second

// outputOf runs a command. When its context ends it is interrupted with all that it has started, not killed: what it made on
// the way it removes.
func outputOf(cmd *exec.Cmd) (string, error) {
	cmd.SysProcAttr, cmd.WaitDelay = group(), longestEnd
	cmd.Cancel = func() error { return interruptGroup(cmd.Process) }
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, said.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
