// Package process runs the executable of a function as a platform does: in a process group of its own, with its output
// passed on line by line, ended by SIGTERM and then SIGKILL. It knows no platform; the emulators decide when.
package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Spec says what is started.
type Spec struct {
	Command []string // the executable, best as an absolute path, and its arguments
	Dir     string   // working directory
	Env     []string // the whole environment; nil is an empty one
	Output  *Output  // where its standard output goes
	Errors  *Output  // where its standard error goes; with nil both are one stream
}

// Process is a process that was started. Ended or not, it has been waited for by the time that Ended is closed.
type Process struct {
	cmd     *exec.Cmd
	console *console // of both, or of the standard output
	errors  *console // of the standard error; console if both are one
	ended   chan struct{}
	stop    sync.Once
}

// Start starts a process and does not wait for anything it does.
func Start(s Spec) (*Process, error) {
	if len(s.Command) == 0 {
		return nil, errors.New("process: no command")
	}
	if s.Output == nil {
		s.Output = NewOutput(nil)
	}
	c, err := newConsole(s.Output)
	if err != nil {
		return nil, err
	}
	p := &Process{console: c, errors: c, ended: make(chan struct{})}
	if s.Errors != nil {
		if p.errors, err = newConsole(s.Errors); err != nil {
			c.close()
			return nil, err
		}
	}
	p.cmd = exec.CommandContext(context.Background(), s.Command[0], s.Command[1:]...) // Stop ends it
	p.cmd.Dir, p.cmd.Env = s.Dir, s.Env
	if p.cmd.Env == nil {
		p.cmd.Env = []string{} // nil would be this program's
	}
	p.cmd.Stdout, p.cmd.Stderr = c.w, p.errors.w
	p.cmd.SysProcAttr = attributes()
	if err := p.cmd.Start(); err != nil {
		p.closeConsoles()
		return nil, err
	}
	go p.wait()
	return p, nil
}

// wait reaps the process, whenever it ends and whoever ended it, and its children.
func (p *Process) wait() {
	_ = p.cmd.Wait() // State tells
	kill(p.cmd.Process)
	p.closeConsoles()
	close(p.ended)
}

func (p *Process) closeConsoles() {
	p.console.close()
	if p.errors != p.console {
		p.errors.close()
	}
}

// Ended is closed when the process has ended and all that it wrote has been passed on.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// isEnded tells whether Ended is closed.
func (p *Process) isEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Pid is its process id, and that of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// State is how the process ended; nil before Ended is closed.
func (p *Process) State() *os.ProcessState {
	if !p.isEnded() {
		return nil
	}
	return p.cmd.ProcessState
}

// Stop ends the process and its children and returns when it has been waited for: SIGTERM, and after the grace SIGKILL; with
// no grace SIGKILL at once. It may be called more than once; the first call decides.
func (p *Process) Stop(grace time.Duration) {
	p.stop.Do(func() {
		if grace > 0 && !p.isEnded() { // its id may be another process's once it has ended
			terminate(p.cmd.Process)
			p.Wait(grace, nil)
		}
		if !p.isEnded() {
			kill(p.cmd.Process)
		}
	})
	<-p.ended
}

// Wait returns when the process has ended, at the latest after that time or when the channel is closed; a nil one never is.
func (p *Process) Wait(most time.Duration, or <-chan struct{}) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-p.ended:
	case <-or:
	case <-t.C:
	}
}

// Attach sends the lines of Output that come from now on to sink as well, until the next call; nil for none.
func (p *Process) Attach(sink func(line []byte)) { p.console.attach(sink) }

// Sync returns when everything that the process had written has been passed on. An unfinished line counts as one.
func (p *Process) Sync() {
	p.console.sync()
	if p.errors != p.console {
		p.errors.sync()
	}
}

// MemoryMB is the most memory that the process has used, 0 when unknown.
func (p *Process) MemoryMB() int {
	var kb int
	if p.isEnded() {
		kb = endedMemoryKB(p.cmd.ProcessState)
	} else {
		kb = memoryKB(p.Pid())
	}
	return (kb + 1023) / 1024
}
