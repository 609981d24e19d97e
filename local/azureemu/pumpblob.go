package azureemu

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// HostContainer is where the host keeps what it has to know about blobs.
const HostContainer = "azure-webjobs-hosts"

// receiptPrefix begins the names of the receipts, a blob for every blob that a function has had.
const receiptPrefix = "blobreceipts/scorefn/"

// blobWatch is the trigger of one function.
type blobWatch struct {
	e                          *Emulator
	f                          *Function
	pattern, container, prefix string
	receipts                   string // prefix of this function's

	mu   sync.Mutex
	seen map[string]bool // by the name of the receipt
}

// first tells whether a blob has not been seen, and sees it.
func (w *blobWatch) first(receipt string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen[receipt]
	w.seen[receipt] = true
	return !seen
}

// again lets a blob be found once more, because the storage failed.
func (w *blobWatch) again(receipt string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.seen, receipt)
}

func (e *Emulator) watchBlobs(ctx context.Context, f *Function) (*blobWatch, error) {
	w := &blobWatch{e: e, f: f, pattern: f.Trigger.Path, receipts: receiptPrefix + "Host.Functions." + f.Name + "/", seen: map[string]bool{}}
	var rest string
	w.container, rest, _ = strings.Cut(w.pattern, "/")
	w.prefix, _, _ = strings.Cut(rest, "{")
	a := e.cfg.Storage
	for _, c := range []string{w.container, HostContainer} {
		if err := a.CreateContainer(ctx, c); err != nil {
			return nil, err
		}
	}
	have, err := a.List(ctx, HostContainer, w.receipts)
	for _, r := range have {
		w.seen[r.Name] = true
	}
	return w, err
}

// receipt is the name of the receipt for a blob with that content.
func (w *blobWatch) receipt(b storage.Entry) string {
	return w.receipts + strings.Trim(b.ETag, `"`) + "/" + w.container + "/" + b.Name
}

// run looks for blobs without a receipt until ctx ends.
func (w *blobWatch) run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	slots := make(chan struct{}, w.e.app.Host.Queue.BatchSize)
	for look := firstLook; ctx.Err() == nil; look = min(2*look, mostLook) {
		blobs, err := w.e.cfg.Storage.List(ctx, w.container, w.prefix)
		if err != nil && ctx.Err() == nil {
			w.e.log.error("%s: %v", w.f.Name, err)
		}
		for _, b := range blobs {
			receipt := w.receipt(b)
			if _, ok := matchPath(w.pattern, w.container+"/"+b.Name); !ok || !w.first(receipt) {
				continue
			}
			look = firstLook
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			work.Go(func() {
				defer func() { <-slots }()
				if err := w.blob(ctx, b, receipt); err != nil && ctx.Err() == nil {
					w.e.log.error("%s: blob %s/%s: %v", w.f.Name, w.container, b.Name, err)
					w.again(receipt)
				}
			})
		}
		pause(ctx, look)
	}
}

// blob hands one blob to the function; a receipt is written when that is over, whichever way.
func (w *blobWatch) blob(ctx context.Context, entry storage.Entry, receipt string) error {
	a := w.e.cfg.Storage
	got, err := a.GetBlob(ctx, w.container, entry.Name)
	if storage.IsNotFound(err) {
		return nil // it is gone already
	}
	if err != nil {
		return err
	}
	_, err = w.e.Deliver(ctx, w.f, &Blob{
		Container: w.container, Name: got.Name, URL: got.URL, ContentType: got.ContentType, ETag: got.ETag, Created: got.Modified.Time,
		Modified: got.Modified.Time, Metadata: got.Metadata, Body: got.Body,
	})
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return a.PutBlob(ctx, HostContainer, receipt, "application/octet-stream", nil)
}
