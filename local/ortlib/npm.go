package ortlib

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// download has npm put the archive into dir and returns its path. The registry, the proxy and the certificates are those that
// npm is configured with, also by a .npmrc in the working directory.
func (s *source) download(ctx context.Context, npm, dir, cache, library string, m *meter) (string, error) {
	if err := stopped(ctx); err != nil {
		return "", fmt.Errorf("ortlib: download of %s: %w", s.name, err)
	}
	program, err := exec.LookPath(cmp.Or(npm, "npm"))
	if err != nil {
		return "", s.noNPM(err, cache, library)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var out tail
	cmd := exec.CommandContext(ctx, program, "pack", s.name+"@"+s.version, "--ignore-scripts", "--pack-destination", dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second // for a grandchild that outlives npm and holds the pipe
	killGroup(cmd)
	m.line(fmt.Sprintf("npm downloads %s %s (%s)", s.name, s.version, megabytes(s.size)))
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("ortlib: %s: %w", program, err)
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(ctx, dir, m)
	}()
	err = cmd.Wait()
	halted := stopped(ctx)
	stop()
	<-watched
	switch {
	case halted != nil:
		return "", fmt.Errorf("ortlib: download of %s: %w", s.name, halted)
	case err != nil:
		return "", fmt.Errorf("ortlib: npm pack %s@%s failed: %w\n%s\n(offline? put %s-%s.tgz into %s, or set ONNXRUNTIME_LIB to a library that you have)",
			s.name, s.version, err, out.lines(), s.name, s.version, cache)
	}
	files := glob(dir, "*.tgz")
	if len(files) != 1 {
		return "", fmt.Errorf("ortlib: npm pack %s@%s wrote %d archives, expected 1\n%s", s.name, s.version, len(files), out.lines())
	}
	return files[0], nil
}

// stopped is nil while ctx goes on; else it wraps ctx.Err() and tells the cause.
func stopped(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(cause, err):
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// noNPM says what to do for whoever has no npm.
func (s *source) noNPM(err error, cache, library string) error {
	return fmt.Errorf(`ortlib: no npm, which fetches ONNX Runtime %s: %w
do one of these:
  install Node.js, which brings npm, and run this again
  set ONNXRUNTIME_LIB to the path of an ONNX Runtime library, %s or later
  put the library of %s %s at %s
  put its archive, %s-%s.tgz, into %s and run this again`,
		s.version, err, s.version, s.name, s.version, library, s.name, s.version, cache)
}

// watch shows that npm is at work: how big the archive has grown, or, while npm holds it elsewhere, the seconds.
func watch(ctx context.Context, dir string, m *meter) {
	start := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			var size int64
			for _, file := range glob(dir, "*.tgz") {
				if info, err := os.Stat(file); err == nil {
					size += info.Size()
				}
			}
			text := fmt.Sprintf("npm downloads: %d s", int(time.Since(start).Seconds()))
			if size > 0 {
				text += ", " + megabytes(size)
			}
			m.update(text)
		}
	}
}

// tail keeps the end of what npm prints.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const (
	tailBytes = 8 << 10
	tailLines = 12
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if more := len(t.text) - tailBytes; more > 0 {
		t.text = append(t.text[:0], t.text[more:]...)
	}
	return len(p), nil
}

// lines is the last lines that are not empty, indented.
func (t *tail) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range bytes.Lines(t.text) {
		if text := strings.TrimSpace(strings.ToValidUTF8(string(line), "?")); text != "" {
			lines = append(lines, "  "+text)
		}
	}
	if len(lines) == 0 {
		return "  (npm printed nothing)"
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

var errNoLock = errors.New("no locks here")

// lock makes this run the only one that fetches into the cache. Where there are no locks alone is false: the runs then
// download twice, and the last one's rename wins. The lock goes with its process, however that ends.
func lock(ctx context.Context, path string, m *meter) (unlock func(), alone bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, false, fmt.Errorf("ortlib: %w", err)
	}
	unlock = func() { _ = f.Close() } // which unlocks; the file stays for the next run
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for waited := false; ; waited = true {
		locked, err := tryLock(f)
		switch {
		case errors.Is(err, errNoLock):
			return unlock, false, nil
		case err != nil:
			unlock()
			return nil, false, fmt.Errorf("ortlib: lock %s: %w", path, err)
		case locked:
			return unlock, true, nil
		}
		if !waited {
			m.line("waiting for another run that is fetching")
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, false, fmt.Errorf("ortlib: waiting for another run: %w", stopped(ctx))
		case <-tick.C:
		}
	}
}
