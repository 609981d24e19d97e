package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/scorefn/scorefn/local/azureemu"
)

// outFolder is --out: blob/CONTAINER/NAME for blobs, TYPE/NAME/000001 for messages.
type outFolder struct {
	root *os.Root

	mu   sync.Mutex
	next map[string]int // by folder
}

// openSink makes the folder; nil without a name.
func openSink(dir string) (*outFolder, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &outFolder{root: root, next: map[string]int{}}, nil
}

func (o *outFolder) Close() error { return o.root.Close() }

// write stores one output. Names that lead out of the folder are refused.
func (o *outFolder) write(_ context.Context, out azureemu.Output) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.EqualFold(out.Type, "blob") {
		name := path.Join("blob", path.Clean("/"+out.Target))
		if err := o.root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		return o.root.WriteFile(name, out.Body, 0o644)
	}
	dir := path.Join(out.Type, path.Clean("/"+out.Target))
	if err := o.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for {
		o.next[dir]++
		f, err := o.root.OpenFile(fmt.Sprintf("%s/%06d", dir, o.next[dir]), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.Write(out.Body)
		return errors.Join(err, f.Close())
	}
}
