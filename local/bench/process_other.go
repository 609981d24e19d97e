//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package bench

import (
	"os"
	"syscall"
)

func group() *syscall.SysProcAttr { return nil }

func interruptGroup(p *os.Process) error { return p.Kill() }

func killGroup(p *os.Process) { _ = p.Kill() } // it may have ended by itself
