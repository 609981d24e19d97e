package azureemu

import (
	"context"
	"io"
	"time"

	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// Version is the host that the emulator says it is: X-Azure-Functions-HostVersion.
const Version = "4.1037.0.0"

// MaxBody is the host's limit of a request (DefaultMaxRequestBodySize).
const MaxBody = 100 << 20

// Config says which app runs and how. Only Root is needed.
type Config struct {
	Root   string    // the app's folder: host.json, a folder with a function.json for each function, and the executable
	Env    []string  // app settings, K=V; they beat local.settings.json and the emulator's own. PATH is the host's
	Output io.Writer // the log of host and handler, whole lines only

	// ContentLength sends payloads with a Content-Length, as Core Tools does. Azure sends them chunked.
	ContentLength bool
	// Grace is the time between SIGTERM and SIGKILL. The host sends no SIGTERM: 0.
	Grace time.Duration
	// FunctionTimeout and InitTimeout beat host.json; 0 leaves it.
	FunctionTimeout, InitTimeout time.Duration
	// RetryMost bounds the waits before further tries; 0 leaves them as host.json and function.json say.
	RetryMost time.Duration
	// Storage is where triggers and outputs of queues and blobs are, for [Emulator.Pump]. Without it such outputs go to Sink.
	Storage *storage.Account
	// Sink takes what the other output bindings write. Without one it is logged.
	Sink func(ctx context.Context, o Output) error
	// Started is told of every process, before it is probed.
	Started func(pid int)
}

// Output is one message or blob that an output binding writes, or a message that became poison.
type Output struct {
	Function, Binding string // Binding is empty for poison
	Type              string // of the binding: "queue", "blob", "serviceBus", …
	Connection        string // app setting
	Target            string // queue, topic or hub, or container/blob
	Body              []byte
}

// The host's pace; none of it is in host.json.
const (
	pingEvery   = 25 * time.Millisecond // between two probes of a handler that does not listen yet
	holdFactor  = 4                     // an invocation is held for so many init timeouts
	maxErrors   = 3                     // of the handler; the third stops the host
	errorWindow = 30 * time.Minute      // an error after such a pause is the first one again
	extraTime   = time.Minute           // HttpClient.Timeout is functionTimeout and this
	activity    = 240 * time.Second     // a proxied request may be silent so long
)
