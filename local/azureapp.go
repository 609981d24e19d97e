package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// app is the folder to run: --root, or a copy of the bundled app with the handler in it, as a deployment has it.
func (a *azureCall) app() (root string, remove func(), err error) {
	if a.root != "" {
		return a.root, func() {}, nil
	}
	handler, err := filepath.Abs(a.handler)
	if err != nil {
		return "", nil, err
	}
	if info, err := os.Stat(handler); err != nil || info.IsDir() {
		return "", nil, fmt.Errorf("there is no executable %s: \"make build\" makes bin/handler, or name yours with --handler, or your app with --root", a.handler)
	}
	source, err := bundledApp()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "scorefn-azure-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // of this call alone; what stays is the system's to clear
	if err = os.CopyFS(dir, os.DirFS(source)); err == nil {
		err = os.Symlink(handler, filepath.Join(dir, "handler")) // the model and the library are found beside the real one
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// bundledApp is adapters/azure/app of the source that the working directory or this program lies in.
func bundledApp() (string, error) {
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			starts = append(starts, filepath.Dir(real))
		}
	}
	for _, dir := range starts {
		for {
			app := filepath.Join(dir, azureApp)
			if _, err := os.Stat(filepath.Join(app, "host.json")); err == nil {
				return app, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir || !strings.HasPrefix(dir, parent) {
				break
			}
			dir = parent
		}
	}
	return "", errors.New("the bundled app, adapters/azure/app, is in scorefn's source: run this there, or name your app with --root")
}
