//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package ortlib

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
)

// killGroup makes a cancelled command take its children with it, where the system has a way.
func killGroup(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		if runtime.GOOS == "windows" { // npm is npm.cmd, which starts node
			pid := strconv.Itoa(cmd.Process.Pid)
			if exec.Command("taskkill", "/T", "/F", "/PID", pid).Run() == nil { //nolint:noctx // it is the end of a context
				return nil
			}
		}
		return cmd.Process.Kill()
	}
}

func tryLock(*os.File) (bool, error) { return false, errNoLock }
