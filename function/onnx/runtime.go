package onnx

/*
#cgo CFLAGS: -O2 -Wall
#cgo !windows LDFLAGS: -ldl
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/scorefn/scorefn/function/settings"
)

// minVersion is the oldest ONNX Runtime that has API 24: its minor version.
const minVersion = C.ORT_API

// process is what a process has once: the library and ONNX Runtime's environment. Neither is ever unloaded, for sessions
// and threads of the library would not survive it. A failed load leaves nothing behind and may be tried again.
var process struct {
	mu      sync.Mutex
	path    string
	version string
}

// Load loads the ONNX Runtime library and makes its environment, unless the process has them already. [Open] does so
// itself; calling it earlier, beside other work, shortens a cold start. The argument is a path; "" is ONNXRUNTIME_LIB, else
// the search of [FindLibrary]. It is an error to name another library than the one that the process has.
func Load(library string) error {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.path != "" && library == "" {
		return nil
	}
	env, err := settings.FromEnv()
	if err != nil {
		return err
	}
	path, _, err := FindLibrary(cmp.Or(library, env.Library))
	if err != nil {
		return err
	}
	if process.path != "" {
		if !sameFile(path, process.path) {
			return fmt.Errorf("onnx: library %q: this process has loaded %q already", path, process.path)
		}
		return nil
	}
	l, err := openLibrary(path)
	if err != nil {
		return err
	}
	if err := l.bind(); err != nil {
		l.close()
		return err
	}
	ort.SetSharedLibraryPath(path) // the same path, so the wrapper's dlopen gives the same library
	if err := ort.InitializeEnvironment(); err != nil {
		l.close()
		return fmt.Errorf("onnx: library %q: %w", path, err)
	}
	process.path, process.version = path, l.version
	return nil
}

// LibraryVersion is the version of the ONNX Runtime that this process has loaded, "1.27.0"; "" before the first [Load] or [Open].
func LibraryVersion() string {
	process.mu.Lock()
	defer process.mu.Unlock()
	return process.version
}

// LibraryPath is the ONNX Runtime library that this process has loaded; "" before the first [Load] or [Open].
func LibraryPath() string {
	process.mu.Lock()
	defer process.mu.Unlock()
	return process.path
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// library is a file that the system has loaded and that is an ONNX Runtime new enough for us.
type library struct {
	handle  unsafe.Pointer
	base    *C.OrtApiBase
	path    string
	version string
}

// openLibrary loads path and looks at its version before anything of it is used: asked for an API that it does not have,
// an old ONNX Runtime prints a complaint of its own.
func openLibrary(path string) (*library, error) {
	cPath := C.CString(path)
	defer C.free(unsafe.Pointer(cPath))
	var text *C.char
	handle := C.sfn_dlopen(cPath, &text)
	if handle == nil {
		defer C.free(unsafe.Pointer(text))
		return nil, fmt.Errorf("onnx: library %q cannot be loaded: %s", path, C.GoString(text))
	}
	l := &library{handle: handle, base: C.sfn_base(handle), path: path}
	if l.base == nil {
		l.close()
		return nil, fmt.Errorf("onnx: library %q is not ONNX Runtime: it has no function OrtGetApiBase", path)
	}
	l.version = C.GoString(C.sfn_version(l.base))
	if !newEnough(l.version) {
		l.close()
		return nil, fmt.Errorf("onnx: library %q is ONNX Runtime %s: 1.%d or newer is needed", path, l.version, minVersion)
	}
	return l, nil
}

func (l *library) bind() error {
	var found C.int
	if err := take(C.sfn_bind(l.base, &found)); err != nil {
		return fmt.Errorf("onnx: library %q: %w", l.path, err)
	}
	if found == 0 {
		return fmt.Errorf("onnx: library %q is ONNX Runtime %s without API %d", l.path, l.version, minVersion)
	}
	return nil
}

func (l *library) close() { C.sfn_dlclose(l.handle) }

// newEnough reads "1.27.0". A text of another form passes: the library is asked for its API anyway.
func newEnough(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	x, errX := strconv.Atoi(major)
	y, errY := strconv.Atoi(minor)
	return errX != nil || errY != nil || x > 1 || x == 1 && y >= minVersion
}
