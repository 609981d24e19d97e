//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package process

import (
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }

func terminate(p *os.Process) { _ = p.Kill() }

func kill(p *os.Process) { _ = p.Kill() }

func memoryKB(int) int { return 0 }

func endedMemoryKB(*os.ProcessState) int { return 0 }
