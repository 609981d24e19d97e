package onnx_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

func TestConfiguredLibraryIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := filepath.Join(dir, "my.so")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, tried, err := onnx.FindLibrary(there); err != nil || path != there || len(tried) != 1 {
		t.Errorf("got %q, %q, %v", path, tried, err)
	}
	for _, gone := range []string{filepath.Join(dir, "other.so"), dir} {
		path, tried, err := onnx.FindLibrary(gone)
		if err == nil || !strings.Contains(err.Error(), "ONNXRUNTIME_LIB") || path != "" || len(tried) != 1 {
			t.Errorf("%s: got %q, %q, %v", gone, path, tried, err)
		}
	}
	if _, _, err := onnx.FindLibrary(filepath.Join(dir, "other.so")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestLibrarySearch changes the working directory, so it does not run beside others.
func TestLibrarySearch(t *testing.T) {
	names := map[string]string{"darwin": "libonnxruntime.dylib", "windows": "onnxruntime.dll"}
	name := names[runtime.GOOS]
	if name == "" {
		name = "libonnxruntime.so"
	}
	platform := filepath.Join("lib", runtime.GOOS+"-"+runtime.GOARCH)
	for _, test := range []struct{ reason, cwd, at string }{
		{"the source tree, from a folder deep inside", "a/b", filepath.Join(platform, name)},
		{"Cloud Functions", ".", filepath.Join("serverless_function_source_code", "lib", name)},
		{"Cloud Functions, a tree that was not packaged", ".", filepath.Join("serverless_function_source_code", platform, name)},
		{"a packaged tree, run where it was written", "server", filepath.Join("lib", name)},
	} {
		root, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(root, test.at)
		for _, dir := range []string{filepath.Dir(want), filepath.Join(root, test.cwd)} {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{want, filepath.Join(root, "go.mod")} {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Chdir(filepath.Join(root, test.cwd))
		path, tried, err := onnx.FindLibrary("")
		if err != nil || path != want {
			t.Errorf("%s: got %q, %v; tried %q", test.reason, path, err, tried)
		}
	}
}

func TestFilesThatAreNoLibrary(t *testing.T) {
	t.Parallel()
	garbage := filepath.Join(t.TempDir(), "garbage.so")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a library ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		garbage:          "cannot be loaded",
		"no-such-lib.so": "cannot be loaded",
		compileLibrary(t, `int something_else(void) { return 0; }`): "is not ONNX Runtime",
		compileLibrary(t, `
			static const void *api(unsigned v) { return 0; }
			static const char *version(void) { return "1.17.3"; }
			static const void *base[2] = {(const void *)api, (const void *)version};
			const void *OrtGetApiBase(void) { return base; }`): "is ONNX Runtime 1.17.3: 1.24 or newer is needed",
	} {
		err := onnx.OpenLibrary(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// compileLibrary makes a shared library of C source, with the compiler that cgo needs anyway.
func compileLibrary(t *testing.T, source string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a C compiler with the options of Unix")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "lib.c"), filepath.Join(dir, "lib.so")
	if err := os.WriteFile(in, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if text, err := exec.Command(cc, "-shared", "-fPIC", "-o", out, in).CombinedOutput(); err != nil {
		t.Skipf("no C compiler: %v %s", err, text)
	}
	return out
}

func TestOneLibraryAProcess(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	if v := onnx.LibraryVersion(); !strings.HasPrefix(v, "1.") {
		t.Errorf("version %q", v)
	}
	if err := onnx.Load(""); err != nil {
		t.Error(err)
	}
	other := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Load(other); err == nil || !strings.Contains(err.Error(), "has loaded") {
		t.Errorf("got %v", err)
	}
}
