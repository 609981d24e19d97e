package azureemu

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/scorefn/scorefn/local/process"
)

// log writes the host's lines and the handler's, each with its level.
type log struct{ out *process.Output }

func (l log) line(level, format string, args ...any) {
	l.out.Line(fmt.Appendf(nil, "%-5s "+format, append([]any{level}, args...)...))
}

func (l log) info(format string, args ...any)  { l.line("INFO", format, args...) }
func (l log) warn(format string, args ...any)  { l.line("WARN", format, args...) }
func (l log) error(format string, args ...any) { l.line("ERROR", format, args...) }

// traps warns of each.
func (l log) traps(function string, ts traps) {
	for _, t := range ts {
		l.warn("TRAP %s, %s", function, t)
	}
}

// stream is one of the handler's streams: every Write is a line.
type stream struct {
	log   log
	level func(line string) string
	last  *lastLines // of the standard error
}

func (s *stream) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(string(p), "\n")
	if s.last != nil {
		s.last.add(text)
	}
	s.log.line(s.level(text), "| %s", text)
	return len(p), nil
}

func stdoutLevel(string) string { return "INFO" }

// stderrLevel is the host's rule: a line of the standard error is an error, unless it says "warn".
func stderrLevel(line string) string {
	if strings.Contains(strings.ToLower(line), "warn") {
		return "WARN"
	}
	return "ERROR"
}

// lastLines keeps the last three lines: they are the message of a handler that exits.
type lastLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *lastLines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	l.lines = l.lines[max(0, len(l.lines)-3):]
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, " / ")
}

func newLog(w io.Writer) log { return log{process.NewOutput(w)} }
