//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package process

import (
	"runtime"
	"syscall"
)

// attributes gives a process a group of its own, so that Ctrl-C at a terminal does not reach it and its children can
// be ended with it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// memoryKB is unknown here while the process lives.
func memoryKB(int) int { return 0 }

func maxRSSKB(u *syscall.Rusage) int {
	if runtime.GOOS == "darwin" { // bytes there
		return int(u.Maxrss / 1024)
	}
	return int(u.Maxrss)
}
