//go:build amd64 || arm64

package onnx

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The pages of a file are in memory soon after it was read ahead, though nobody has read it.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	path := filepath.Join(t.TempDir(), "weights")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	const dontNeed = 4
	if _, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); errno != 0 {
		t.Fatal(errno)
	}
	if n := resident(t, f, size); n > 0 {
		t.Skipf("%d bytes stay in memory: the file system has no other place for them", n)
	}
	readAhead(path)
	readAhead(path + ".none") // is nobody's concern
	for start := time.Now(); resident(t, f, size) < size; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d of %d bytes are in memory", resident(t, f, size), size)
		}
	}
}

// resident is how many bytes of a file are in memory, by whole pages.
func resident(t *testing.T, f *os.File, size int) (n int) {
	t.Helper()
	mapped, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(mapped) }()
	page := os.Getpagesize()
	in := make([]byte, size/page)
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(size), uintptr(unsafe.Pointer(&in[0])))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, b := range in {
		n += int(b&1) * page
	}
	return n
}
