package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/local/pack"
)

// On a system that is newer than provided.al2023 the program is linked for an older C library. Every C library is newer than
// this one since it took in the threads, in 2.34.
func TestPackageLambdaOnANewerSystem(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	if runtime.GOOS != "linux" {
		t.Skip("the program would not run here")
	}
	const older = "2.30"
	var log bytes.Buffer
	var files pack.Files
	p := &packaging{arch: runtime.GOARCH, tmp: t.TempDir()}
	if err := p.addBootstrap(t.Context(), &call{streams: streams{err: &log}, getenv: os.Getenv}, older, &files); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	glibc, err := pack.NewestGLIBC(files[0].Source)
	if err != nil || pack.NewerThan(glibc, older) {
		t.Errorf("it asks for GLIBC %s, %v", glibc, err)
	}
	if !strings.Contains(log.String(), "provided.al2023 has 2.30: once more, linked for an older one") {
		t.Logf("the plain build asks for no newer one here: %s", &log)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("scores", func(t *testing.T) {
		t.Parallel()
		testOnce(t, []string{"--bootstrap", files[0].Source, "--task-root", root, "--timeout", "30s", "--env", "ONNXRUNTIME_LIB=" + onnx.LibraryPath()})
	})
}

func TestPackageLambdaRefusesAProgramThatCannotStart(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	arch, err := pack.Arch(exe)
	if err != nil {
		t.Skip("not Linux: ", err)
	}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[arch]
	for want, p := range map[string]*packaging{
		"is built for \"" + arch + "\", not for " + other:     {arch: other, program: exe},
		"but provided.al2023 has 2.0: let this command build": {arch: arch, program: exe},
		"no such file": {arch: arch, program: exe + ".none"},
	} {
		var files pack.Files
		if err := p.addBootstrap(t.Context(), &call{}, "2.0", &files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if len(files) > 0 {
			t.Errorf("%s: it is packed all the same", want)
		}
	}
}
