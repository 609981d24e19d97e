//go:build unix

package process_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// asChild makes this test binary the process of a test.
const asChild = "SCOREFN_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(asChild) {
	case "":
		os.Exit(m.Run())
	case "polite": // ends in peace when it is asked to
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready")
		<-c
		fmt.Print("bye, without a line end")
	case "stubborn", "parent":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		if os.Getenv(asChild) == "parent" {
			child := exec.Command(os.Args[0])
			child.Env = []string{asChild + "=stubborn"}
			child.Stdout = os.Stdout
			if err := child.Start(); err != nil {
				panic(err)
			}
		}
		fmt.Println("ready")
		for range c { // and goes on
		}
	case "environ":
		fmt.Println(os.Environ())
	case "both":
		fmt.Println("plain")
		fmt.Fprint(os.Stderr, "wrong, without a line end")
	case "exit":
		fmt.Fprintln(os.Stderr, "cannot go on")
		os.Exit(7)
	}
}

// lines is what a process wrote, whole lines.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) get() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// start starts this test binary as that child, and returns when it has written n lines.
func start(t *testing.T, child string, n int) (*process.Process, *lines) {
	t.Helper()
	r, w := io.Pipe()
	l, seen := &lines{}, make(chan struct{})
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			l.mu.Lock()
			l.all = append(l.all, s.Text())
			if len(l.all) == n {
				close(seen)
			}
			l.mu.Unlock()
		}
	}()
	p, err := process.Start(process.Spec{Command: []string{os.Args[0]}, Env: []string{asChild + "=" + child}, Output: process.NewOutput(w)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop(0)
		_ = w.Close()
	})
	if n > 0 {
		select {
		case <-seen:
		case <-t.Context().Done():
			t.Fatalf("it wrote %q", l.get())
		}
	}
	return p, l
}

// long is a grace that no test waits for.
const long = time.Minute

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	p, l := start(t, "polite", 1)
	p.Stop(long)
	if got := p.State(); !got.Success() {
		t.Errorf("it ended with %v", got)
	}
	if got := strings.Join(l.get(), "|"); got != "ready|bye, without a line end" {
		t.Errorf("it wrote %q", got)
	}
	p.Stop(long) // once more is harmless
}

func TestStopEndsTheStubbornAndTheirChildren(t *testing.T) {
	t.Parallel()
	p, _ := start(t, "parent", 2)
	p.Stop(10 * time.Millisecond)
	if got := p.State().String(); got != "signal: killed" {
		t.Errorf("it ended with %q", got)
	}
	// The child wrote to the same pipe: Ended is closed when the pipe is, or a second later. The group is gone.
	for end := time.Now().Add(long); syscall.Kill(-p.Pid(), 0) == nil; time.Sleep(time.Millisecond) { // nothing tells when the system reaped it
		if time.Now().After(end) {
			t.Fatal("a child has survived")
		}
	}
}

func TestEndsByItself(t *testing.T) {
	t.Parallel()
	p, l := start(t, "exit", 1)
	<-p.Ended()
	if p.State().ExitCode() != 7 || l.get()[0] != "cannot go on" {
		t.Errorf("%v %q", p.State(), l.get())
	}
	p.Stop(long) // does not wait
}

func TestEnvironmentIsWhatWasGiven(t *testing.T) {
	t.Parallel()
	p, l := start(t, "environ", 1)
	<-p.Ended()
	if got := l.get()[0]; got != "["+asChild+"=environ]" {
		t.Errorf("environment %s", got)
	}
}

func TestAttachSeesTheLinesOfItsTime(t *testing.T) {
	t.Parallel()
	p, _ := start(t, "polite", 1)
	var got []string
	p.Attach(func(b []byte) { got = append(got, string(b)) })
	p.Sync()
	p.Stop(long)
	if !slices.Equal(got, []string{"bye, without a line end"}) { // not the line from before
		t.Errorf("got %q", got)
	}
	if runs := p.MemoryMB(); runs <= 0 {
		t.Errorf("it used %d MB", runs)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{nil, {"/none/such"}} {
		if p, err := process.Start(process.Spec{Command: command}); err == nil {
			p.Stop(0)
			t.Errorf("%q has started", command)
		}
	}
}

func TestErrorsMayHaveAStreamOfTheirOwn(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder // read when the process has ended
	p, err := process.Start(process.Spec{
		Command: []string{os.Args[0]}, Env: []string{asChild + "=both"}, Output: process.NewOutput(&out), Errors: process.NewOutput(&errs),
	})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Ended()
	if out.String() != "plain\n" || errs.String() != "wrong, without a line end\n" {
		t.Errorf("%q and %q", out.String(), errs.String())
	}
	if _, err := process.Start(process.Spec{Command: []string{"/nowhere"}, Errors: process.NewOutput(nil)}); err == nil {
		t.Error("no error")
	}
}
