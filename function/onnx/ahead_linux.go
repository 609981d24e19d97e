//go:build amd64 || arm64

package onnx

import (
	"os"
	"syscall"
)

// readAhead has the system read a file into memory while something else is done. What is there already costs next to nothing.
func readAhead(path string) {
	go func() {
		f, err := os.Open(path)
		if err != nil {
			return // whoever needs the file will say so
		}
		defer func() { _ = f.Close() }() // only read
		if info, err := f.Stat(); err == nil {
			_, _, _ = syscall.Syscall(syscall.SYS_READAHEAD, f.Fd(), 0, uintptr(info.Size())) // a wish, no more
		}
	}()
}
