package bench

import "syscall"

// group gives a process a group of its own, so that its children end with it, and ends it when bench itself is killed.
func group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
