package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// attributes gives a process a group of its own, so that Ctrl-C at a terminal does not reach it and its children can
// be ended with it, and ends it when this program is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// memoryKB is the most memory the process has used so far; 0 when it cannot be told.
func memoryKB(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, b, _ = bytes.Cut(b, []byte("\nVmHWM:"))
	b, _, _ = bytes.Cut(b, []byte(" kB"))
	kb, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil {
		return 0
	}
	return kb
}

func maxRSSKB(u *syscall.Rusage) int { return int(u.Maxrss) }
