package ortlib

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTerminalGetsOneLineThatRewritesItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		m := newMeter(&b, "x: ")
		m.terminal, m.every = true, terminalEvery
		for i := range 1000 { // 10 s of fake time, far more calls than may be shown
			m.update(megabytes(int64(1000-i) * 100_000))
			time.Sleep(10 * time.Millisecond)
		}
		if n := strings.Count(b.String(), "\r"); n < 50 || n > 100 {
			t.Errorf("rewritten %d times in 10 s, want at most 10 Hz", n)
		}
		if !strings.Contains(b.String(), "\rx: 9.0 MB ") {
			t.Error("a shorter line does not cover the one before it")
		}
		b.Reset()
		m.line("done")
		if got := b.String(); !strings.HasPrefix(got, "\r ") || !strings.HasSuffix(got, "\rx: done\n") {
			t.Errorf("got %q", got)
		}
		b.Reset()
		m.end()
		if b.Len() != 0 {
			t.Errorf("got %q", b.String())
		}
	})
}

func TestAnythingElseGetsFewPlainLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		m := newMeter(&b, "")
		for range 600 { // one minute of fake time
			m.update("at work")
			time.Sleep(100 * time.Millisecond)
		}
		m.end()
		if got := b.String(); got != strings.Repeat("at work\n", strings.Count(got, "\n")) || strings.Count(got, "\n") > 4 {
			t.Errorf("got %q", got)
		}
	})
}

func TestFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	defer f.Close()
	if newMeter(f, "").terminal {
		t.Error("a file counts as a terminal")
	}
	newMeter(nil, "").line("silence")
}

func TestProgressOfOneRun(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	r.source.size = 101_000_000 // shown, not checked
	var b strings.Builder
	path, err := r.ensure(t.Context(), "amd64", func(o *Options) { o.Progress = &b })
	must(t, err)
	want := "ONNX Runtime 1.2.3: npm downloads fake-node 1.2.3 (101.0 MB)\nONNX Runtime 1.2.3: " + path + " is ready (0.0 MB)\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	_, err = r.ensure(t.Context(), "amd64", func(o *Options) { o.Progress = &b })
	must(t, err)
	if b.Len() != 0 {
		t.Errorf("nothing to do, yet it says %q", b.String())
	}
}
