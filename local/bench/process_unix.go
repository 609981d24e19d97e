//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package bench

import (
	"os"
	"syscall"
)

func interruptGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGINT) }

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) } // it may have ended by itself
