package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/local/process"
)

// server is a process that answers HTTP.
type server struct {
	cmd       *exec.Cmd
	addr      string
	path      string
	body      []byte
	log       *os.File
	refusals  time.Duration // how long it may answer 4xx
	ended     chan struct{} // closed when the process is gone
	listening time.Duration // from the start of the process until it took a connection
	answered  time.Duration // until it had answered the first request
	answer    []byte
}

// loadingRefuses is how long a peer may refuse requests while it loads the model: MLServer answers 400.
const loadingRefuses = 20 * time.Second

// longestStart is how long a server may take to its first answer: Python takes seconds.
const longestStart = 2 * time.Minute

// startServer starts a process and waits for its first answer. Command gets the address to listen on.
func startServer(ctx context.Context, e *entrant, command func(addr string) *exec.Cmd, log string) (s *server, err error) {
	port, err := process.FreePort()
	if err != nil {
		return nil, err
	}
	addr := "127.0.0.1:" + strconv.Itoa(port)
	s = &server{cmd: command(addr), addr: addr, path: e.path, body: e.body, ended: make(chan struct{})}
	if e.peer {
		s.refusals = loadingRefuses
	}
	if s.log, err = os.Create(log); err != nil {
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log // a file: nobody's processor time goes into carrying the log
	s.cmd.SysProcAttr = group()
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, s.log.Close())
	}
	go func() {
		_ = s.cmd.Wait() // its status says nothing: it is killed
		close(s.ended)
	}()
	if err := s.await(ctx, start); err != nil {
		err = fmt.Errorf("%s: %w\n%s", e.name, err, s.tail())
		s.stop()
		return nil, err
	}
	return s, nil
}

// await tries until the first answer. Tries are a part of the time that has passed apart: they cost a server little, and
// the measurement 2 %.
func (s *server) await(ctx context.Context, start time.Time) error {
	c := newClient(s.addr, s.path, s.body)
	defer c.close()
	for {
		err := c.dial(ctx)
		if err == nil && s.listening == 0 {
			s.listening = time.Since(start)
		}
		if err == nil {
			s.answer, err = c.do(ctx)
		}
		passed := time.Since(start)
		if err == nil {
			s.answered = passed
			return nil
		}
		if status, ok := errors.AsType[*statusError](err); ok && status.code < 500 && passed > s.refusals {
			return err // it will not get better
		}
		if passed > longestStart {
			return fmt.Errorf("no answer in %v: %w", longestStart, err)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the process ended: %s", s.cmd.ProcessState)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(200*time.Microsecond, passed/100)):
		}
	}
}

func (s *server) client(body []byte) *client { return newClient(s.addr, s.path, body) }

func (s *server) pid() int { return s.cmd.Process.Pid }

func (s *server) stop() {
	killGroup(s.cmd.Process)
	<-s.ended
	_ = s.log.Close() // read already, if at all
}

// loaded is the phases that scorefn logs of its start; none for other programs.
func (s *server) loaded() []Phase {
	b, err := io.ReadAll(io.NewSectionReader(s.log, 0, 64<<10))
	if err != nil {
		return nil
	}
	return loadPhases(b)
}

// loadPhases finds the line of a log that function writes when the model is loaded.
func loadPhases(log []byte) []Phase {
	for line := range bytes.Lines(log) {
		var l struct {
			Msg, Message     string // the latter as platforms want it
			LoadMS, WarmupMS float64
		}
		if json.Unmarshal(line, &l) == nil && l.Msg+l.Message == "model loaded" {
			return []Phase{{"library, environment, session", l.LoadMS}, {"warm-up", l.WarmupMS}}
		}
	}
	return nil
}

// tail is the end of what the process has printed.
func (s *server) tail() []byte {
	const most = 2000
	info, err := s.log.Stat()
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(io.NewSectionReader(s.log, max(0, info.Size()-most), most))
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(b)
}

// environment is this process's, without what configures scorefn, and with more.
func environment(more ...string) []string {
	ours := map[string]bool{"FUNCTIONS_CUSTOMHANDLER_PORT": true}
	for _, s := range settings.Table() {
		ours[s.Name] = true
	}
	var env []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !ours[name] && !strings.HasPrefix(name, "SCOREFN_") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}
