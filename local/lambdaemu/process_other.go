//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package lambdaemu

import (
	"os"
	"syscall"
)

func processAttributes() *syscall.SysProcAttr { return nil }

func terminate(p *os.Process) { _ = p.Kill() }

func kill(p *os.Process) { _ = p.Kill() }

func memoryKB(int) int { return 0 }

func endedMemoryKB(*os.ProcessState) int { return 0 }
