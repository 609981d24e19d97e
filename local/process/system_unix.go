//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package process

import (
	"os"
	"syscall"
)

func terminate(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) } // it may have ended by itself

func kill(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

func endedMemoryKB(s *os.ProcessState) int {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return maxRSSKB(u)
	}
	return 0
}
