package pack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/pack"
)

// modest is older than any C library that a program of today meets.
const modest = "2.17"

// threaded calls what the shim wraps: threads from Go, dlopen, and code before main and after it.
const threaded = `package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static int early;
__attribute__((constructor)) static void before(void) { early = 41; }
__attribute__((destructor)) static void after(void) { puts("after main"); }
static int value(void) { return early + 1; }
static int opened(void) {
	void *lib = dlopen("libm.so.6", RTLD_NOW);
	double (*root)(double) = lib ? dlsym(lib, "sqrt") : 0;
	int n = root ? (int)root(49) : -1;
	if (lib) dlclose(lib);
	return dlopen("no such library", RTLD_NOW) || !dlerror() ? -1 : n;
}
static void leave(void) { exit(0); }
*/
import "C"

import "fmt"

func main() {
	done := make(chan int)
	for range 8 {
		go func() { done <- int(C.value()) }()
	}
	sum := 0
	for range 8 {
		sum += <-done
	}
	fmt.Println(sum, C.opened())
	C.leave()
}
`

// build builds the program with the shim in a folder whose name has a space.
func build(t *testing.T, flags func(dir string) ([]string, error)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a folder")
	write(t, dir, map[string]string{"main.go": threaded, "go.mod": "module threaded\n\ngo 1.26\n"})
	more, err := flags(filepath.Join(t.TempDir(), "the shim"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", "program"}, more...), ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "program")
}

func TestOldGLIBC(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("hosts run on Linux, on amd64 or arm64")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("there is no gcc")
	}
	program := build(t, pack.OldGLIBC)
	v, err := pack.NewestGLIBC(program)
	if err != nil || v == "" || pack.NewerThan(v, modest) {
		t.Errorf("asks for GLIBC %q, %v", v, err)
	}
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if got, want := string(out), "336 7\nafter main\n"; err != nil || got != want {
		t.Errorf("%v, printed %q, want %q", err, got, want)
	}
	// The same without, so that the shim is known to be what does it.
	plain := build(t, func(string) ([]string, error) { return nil, nil })
	if v, err := pack.NewestGLIBC(plain); err != nil || !pack.NewerThan(v, modest) {
		t.Skipf("this system's C library is old enough by itself: %q, %v", v, err)
	}
}

func TestOldGLIBCNeedsAFolderWithoutQuotes(t *testing.T) {
	t.Parallel()
	if _, err := pack.OldGLIBC(filepath.Join(t.TempDir(), "it's")); err == nil || !strings.Contains(err.Error(), "quote") {
		t.Errorf("got %v", err)
	}
}
