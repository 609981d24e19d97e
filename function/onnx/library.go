package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// libraryNames is how the library's file is called, the preferred name first.
func libraryNames(goos string) []string {
	switch goos {
	case "windows":
		return []string{"onnxruntime.dll"}
	case "darwin":
		return []string{"libonnxruntime.dylib", "libonnxruntime.1.27.0.dylib"}
	}
	return []string{"libonnxruntime.so", "libonnxruntime.so.1"}
}

// FindLibrary says which ONNX Runtime library a [Session] would load. A configured path is taken as it is, and it is an
// error when there is no such file. Otherwise the places of the search are looked at in turn: beside the executable,
// /opt/lib (a layer of AWS Lambda), the deployed source of Cloud Functions, lib/ of the source tree that the working
// directory or this package lies in, and last the name alone, which the system's loader resolves. Tried lists what was
// looked at, for messages. The path is absolute except in the last case.
func FindLibrary(configured string) (path string, tried []string, err error) {
	if configured != "" {
		if err := regularFile(configured); err != nil {
			return "", []string{configured}, fmt.Errorf("onnx: library %q, named by the setting ONNXRUNTIME_LIB: %w", configured, err)
		}
		abs, err := filepath.Abs(configured)
		if err != nil {
			return "", []string{configured}, fmt.Errorf("onnx: library %q: %w", configured, err)
		}
		return abs, []string{abs}, nil
	}
	names := libraryNames(runtime.GOOS)
	for _, dir := range libraryDirs() {
		for _, name := range names {
			path := filepath.Join(dir, name)
			tried = append(tried, path)
			if regularFile(path) == nil {
				return path, tried, nil
			}
		}
	}
	for _, name := range names {
		tried = append(tried, name)
		if l, err := openLibrary(name); err == nil {
			l.close() // whoever asked may only want to know
			return name, tried, nil
		}
	}
	return "", tried, fmt.Errorf("onnx: no ONNX Runtime library found: run \"make setup\", or set ONNXRUNTIME_LIB to the path of %s; tried:\n\t%s",
		names[0], strings.Join(tried, "\n\t"))
}

// libraryDirs is where the search looks, best first, without repetition.
func libraryDirs() []string {
	platform := filepath.Join("lib", runtime.GOOS+"-"+runtime.GOARCH)
	var dirs []string
	add := func(parts ...string) {
		if dir := filepath.Join(parts...); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	exe := executableDir()
	cwd, err := os.Getwd()
	if err != nil {
		cwd = ""
	}
	if exe != "" {
		add(exe, "lib")
		add(exe, platform)
		add(exe, "..", platform)
		add(exe)
	}
	if runtime.GOOS == "linux" {
		add("/opt/lib")
	}
	for _, base := range []string{cwd, exe} {
		if base == "" {
			continue
		}
		for _, dir := range []string{base, filepath.Dir(base)} { // Cloud Functions keeps the uploaded tree in a folder of this name
			add(dir, "serverless_function_source_code", "lib")
			add(dir, "serverless_function_source_code", platform)
		}
	}
	if root := moduleRoot(cwd); root != "" { // go test ./…, go run; lib/ alone in a tree that was packaged
		add(root, platform)
		add(root, "lib")
	}
	if _, file, _, ok := runtime.Caller(0); ok { // this module's own tree; empty in a binary built with -trimpath
		if root := moduleRoot(filepath.Dir(file)); root != "" {
			add(root, platform)
		}
	}
	return dirs
}

// executableDir is the real folder of the executable: a symbolic link in a bin folder is followed.
func executableDir() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Dir(exe)
}

// moduleRoot is the nearest folder from dir upwards that holds a go.mod, "" when there is none.
func moduleRoot(dir string) string {
	for filepath.IsAbs(dir) {
		if regularFile(filepath.Join(dir, "go.mod")) == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return ""
}

var errFolder = errors.New("is a folder, not a file")

// noFileError is fs.ErrNotExist without the system's words for it.
type noFileError struct{}

func (noFileError) Error() string { return "no such file" }
func (noFileError) Unwrap() error { return fs.ErrNotExist }

// regularFile is nil when path can be opened as a file.
func regularFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noFileError{}
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	}
	return nil
}
