package azureemu

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// warnOfInputs tells of bindings that the handler will look for in vain.
func (e *Emulator) warnOfInputs() {
	for _, f := range e.app.Functions {
		for i := range f.Bindings {
			switch b := &f.Bindings[i]; {
			case b == f.Trigger || b.out():
			case !b.is("blob"):
				e.log.warn("%s: the input binding %q of type %s is not emulated: Data has no %s", f.Name, b.Name, b.Type, b.Name)
			case e.cfg.Storage == nil:
				e.log.warn("%s: the input binding %q reads a blob, and there is no storage (--azurite): Data has no %s", f.Name, b.Name, b.Name)
			}
		}
	}
}

// inputs adds what the function's input bindings bring beside the trigger: blobs of the storage. Text is quoted twice, as the
// one rule has it, bytes are base64, and a blob that is not there is null.
func (e *Emulator) inputs(ctx context.Context, f *Function, r *request) error {
	for i := range f.Bindings {
		b := &f.Bindings[i]
		if b == f.Trigger || b.out() || !b.is("blob") || e.cfg.Storage == nil {
			continue
		}
		target, err := b.target(r.metadata)
		if err != nil {
			return err
		}
		container, name, err := blobName(e.cfg.Storage, target)
		if err != nil {
			return fmt.Errorf("binding %s: %w", b.Name, err)
		}
		var v any
		blob, err := e.cfg.Storage.GetBlob(ctx, container, name)
		switch {
		case storage.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("binding %s: %w", b.Name, err)
		case b.binary():
			v = blob.Body
		default:
			v = validText(blob.Body)
		}
		if r.data[b.Name], err = encodeValue(v); err != nil {
			return err
		}
	}
	return nil
}

// blobName is the blob that a path means, which may be a URL.
func blobName(a *storage.Account, path string) (container, name string, err error) {
	if strings.Contains(path, "://") {
		rest, ok := strings.CutPrefix(path, a.Blobs+"/")
		if !ok {
			return "", "", fmt.Errorf("%s is no blob of the storage, %s", path, a.Blobs)
		}
		if path, err = url.PathUnescape(rest); err != nil {
			return "", "", err
		}
	}
	container, name, ok := strings.Cut(path, "/")
	if !ok || container == "" || name == "" {
		return "", "", fmt.Errorf("%q is no CONTAINER/BLOB", path)
	}
	return container, name, nil
}
