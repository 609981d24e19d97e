package proc

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

func linux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
}

func TestThisProcess(t *testing.T) {
	t.Parallel()
	linux(t)
	before, ok := CPU(os.Getpid())
	if !ok || before <= 0 {
		t.Fatalf("CPU = %v, %v", before, ok)
	}
	spent := before
	for n := 0; spent == before; n++ { // working moves the clock
		spent, _ = CPU(os.Getpid())
	}
	if spent < before {
		t.Errorf("CPU went from %v to %v", before, spent)
	}
	if n, ok := RSS(os.Getpid()); !ok || n < 1<<20 {
		t.Errorf("RSS = %d, %v: less than a megabyte", n, ok)
	}
}

func TestChildrenCount(t *testing.T) {
	t.Parallel()
	linux(t)
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	all := Tree(os.Getpid())
	if all[0] != os.Getpid() || !slices.Contains(all, cmd.Process.Pid) {
		t.Errorf("%v lacks %d or begins with another than %d", all, cmd.Process.Pid, os.Getpid())
	}
	sleep, err := filepath.EvalSymlinks(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := Running(os.Getpid(), sleep); !slices.Contains(got, cmd.Process.Pid) {
		t.Errorf("%v run %s, %d does too", got, sleep, cmd.Process.Pid)
	}
	_, own := Of(cmd.Process.Pid)
	_, both := Of(os.Getpid())
	if own <= 0 || both <= own {
		t.Errorf("memory of the child %d, of both %d", own, both)
	}
}

func TestNoProcess(t *testing.T) {
	t.Parallel()
	const none = 1 << 23 // above the kernel's largest process id
	if d, ok := CPU(none); ok || d != 0 {
		t.Errorf("CPU = %v, %v", d, ok)
	}
	if n, ok := RSS(none); ok || n != 0 {
		t.Errorf("RSS = %v, %v", n, ok)
	}
	if d, n := Of(none); d != time.Duration(0) || n != 0 {
		t.Errorf("Of = %v, %v", d, n)
	}
}
