//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ortlib

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestCancelTakesNPMAndItsChildrenDown(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	pipe := filepath.Join(filepath.Dir(r.dir), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	// The child writes a line and holds the pipe open, so that its end can be seen from here.
	r.behave(t, `sh -c 'echo up; exec sleep 600' > '`+pipe+`' & wait`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := r.ensure(ctx, "amd64")
		failed <- err
	}()
	f, err := os.OpenFile(pipe, os.O_RDONLY, 0) // waits for the child
	must(t, err)
	defer f.Close()
	_, err = io.ReadFull(f, make([]byte, len("up\n")))
	must(t, err)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := io.ReadAll(f); err != nil { // ends when nobody holds the pipe any more
		t.Error(err)
	}
	r.clean(t)
}

func TestWaitingForAnotherRunCanBeCancelled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, alone, err := lock(t.Context(), path, newMeter(nil, ""))
	must(t, err)
	if !alone {
		t.Skip("no locks here")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := lock(ctx, path, newMeter(nil, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	unlock()
	again, _, err := lock(t.Context(), path, newMeter(nil, ""))
	must(t, err)
	again()
}
