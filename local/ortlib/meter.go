package ortlib

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// meter shows progress: lines that stay, and on a terminal one line that rewrites itself.
type meter struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	prefix   string
	every    time.Duration // between two updates
	last     time.Time
	width    int // of the line that is to be rewritten
}

const (
	terminalEvery = 100 * time.Millisecond
	plainEvery    = 15 * time.Second
)

func newMeter(w io.Writer, prefix string) *meter {
	if w == nil {
		w = io.Discard
	}
	m := &meter{w: w, prefix: prefix, every: plainEvery, last: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull {
			m.terminal, m.every = true, terminalEvery
		}
	}
	return m
}

// line is written once and stays.
func (m *meter) line(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear()
	m.write(m.prefix, text, "\n")
}

// update replaces the line before it on a terminal; elsewhere it is a plain line now and then. Most calls write nothing.
func (m *meter) update(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Sub(m.last) < m.every {
		return
	}
	m.last = now
	text = m.prefix + text
	if !m.terminal {
		m.write(text, "\n")
		return
	}
	width := utf8.RuneCountInString(text)
	m.write("\r", text, strings.Repeat(" ", max(m.width-width, 0)))
	m.width = width
}

// end leaves the cursor at the start of an empty line.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear()
}

func (m *meter) clear() {
	if m.width > 0 {
		m.write("\r", strings.Repeat(" ", m.width), "\r")
		m.width = 0
	}
}

// write is one write, so that lines of two processes do not mix. Progress that cannot be shown stops nothing.
func (m *meter) write(parts ...string) { _, _ = io.WriteString(m.w, strings.Join(parts, "")) }

// megabytes is a size for people; a million bytes, as npm counts.
func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
