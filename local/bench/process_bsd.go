//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package bench

import "syscall"

// group gives a process a group of its own, so that its children end with it.
func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
