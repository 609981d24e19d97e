package azureemu

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/azureemu/storage"
	"github.com/scorefn/scorefn/local/process"
)

// ErrClosed is returned by calls after [Emulator.Close].
var ErrClosed = errors.New("azureemu: the emulator is closed")

// Emulator is the host of one app and its handler's process.
type Emulator struct {
	cfg    Config
	app    *App
	env    []string // app settings, the handler's environment but for what each start adds
	log    log
	url    string // of the handler
	port   int
	client *http.Client    // follows redirects, as .NET's does
	direct *http.Transport // for forwarding and probes

	cancel context.CancelFunc // ends the handler
	stop   chan struct{}      // closed by Close
	done   chan struct{}      // closed when no process is left and none will be started

	mu      sync.Mutex
	closed  bool
	fatal   error         // why the host has stopped by itself
	worker  *worker       // the one that runs
	changed chan struct{} // closed when worker or fatal changes
	work    sync.WaitGroup
}

// New reads the app and starts its handler; it does not wait for it. The port is found once, by opening and closing it, as
// the host does.
func New(cfg Config) (*Emulator, error) {
	cfg.Env = slices.Clone(cfg.Env)
	for name, d := range map[string]time.Duration{ // as app settings, for the handler goes by them too
		"functionTimeout": cfg.FunctionTimeout, "customHandler__initializationTimeout": cfg.InitTimeout,
	} {
		if d > 0 {
			cfg.Env = append(cfg.Env, "AzureFunctionsJobHost__"+name+"="+clock(d))
		}
	}
	app, err := LoadApp(cfg.Root, cfg.Env)
	if err != nil {
		return nil, err
	}
	port := app.Host.Port
	if port == 0 {
		if port, err = process.FreePort(); err != nil {
			return nil, err
		}
	}
	e := &Emulator{
		cfg: cfg, app: app, log: newLog(cfg.Output), port: port, url: "http://127.0.0.1:" + strconv.Itoa(port),
		stop: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{}),
	}
	e.env = environment(app, cfg.Env, cfg.Storage)
	for _, err := range app.expand(e.env) {
		e.log.error("%v", err)
		if len(app.Functions) == 0 {
			return nil, err
		}
	}
	if _, _, err := app.command(e.env); err != nil {
		return nil, err
	}
	e.warnOfInputs()
	e.direct = transport()
	e.client = &http.Client{Transport: transport()}
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	go e.supervise(ctx)
	return e, nil
}

// transport sends what it is told to send and nothing else.
func transport() *http.Transport {
	return &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100, DialContext: (&net.Dialer{}).DialContext}
}

// environment is what the handler inherits from the host; what a start adds beats it.
func environment(app *App, env []string, account *storage.Account) []string {
	all := []string{
		"FUNCTIONS_WORKER_RUNTIME=custom", "FUNCTIONS_EXTENSION_VERSION=~4", "AZURE_FUNCTIONS_ENVIRONMENT=Development",
		"AzureWebJobsScriptRoot=" + app.Root, "HOME=" + app.Root, "LANG=C.UTF-8",
	}
	if account != nil {
		all = append(all, "AzureWebJobsStorage="+account.ConnectionString())
	}
	for _, kv := range slices.Concat(app.Settings, env) {
		name, _, _ := strings.Cut(kv, "=")
		all = slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		all = append(all, kv)
	}
	if lookup(all, "PATH") == "" {
		all = append(all, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	return all
}

// App is the app as it was read.
func (e *Emulator) App() *App { return e.app }

// Close ends the handler as the host does, and returns when it has been waited for and every invocation has ended.
func (e *Emulator) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.stop)
		e.cancel()
	}
	e.mu.Unlock()
	<-e.done
	e.work.Wait()
	e.forget()
	return nil
}

// Done is closed when the host has stopped, by Close or by itself; Err tells.
func (e *Emulator) Done() <-chan struct{} { return e.done }

// Err is why the host has stopped by itself, nil when it has not.
func (e *Emulator) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fatal
}

// begin counts an invocation in; false after Close.
func (e *Emulator) begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.work.Add(1)
	return true
}

// Ready waits for the handler as an invocation does.
func (e *Emulator) Ready(ctx context.Context) error {
	_, err := e.ready(ctx)
	return err
}

// ready holds an invocation until the handler is probed, for four init timeouts at most: then the host stops.
func (e *Emulator) ready(ctx context.Context) (*worker, error) {
	most := time.NewTimer(holdFactor * e.app.Host.InitTimeout)
	defer most.Stop()
	for {
		e.mu.Lock()
		w, changed, fatal := e.worker, e.changed, e.fatal
		e.mu.Unlock()
		switch {
		case fatal != nil:
			return nil, fatal
		case w != nil && w.isReady:
			return w, nil
		}
		select {
		case <-changed:
		case <-e.stop:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-most.C:
			err := errors.New("Final functionDispatcher state: Initializing. Initialization timed out and host is shutting down") //nolint:staticcheck // the host's words
			e.shutDown(err)
			return nil, err
		}
	}
}

// shutDown is the host's end by its own decision.
func (e *Emulator) shutDown(err error) {
	e.change(func() {
		if e.fatal == nil {
			e.fatal = err
			e.log.error("%v", err)
		}
	})
	e.cancel()
}

// change does f under the lock and wakes all who wait for a worker.
func (e *Emulator) change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	close(e.changed)
	e.changed = make(chan struct{})
}

// hexID is n random bytes.
func hexID(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// newID is a GUID as .NET makes them.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
