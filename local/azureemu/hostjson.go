package azureemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Host is what of host.json the emulator goes by, with the host's defaults
// (learn.microsoft.com/azure/azure-functions/functions-host-json).
type Host struct {
	RoutePrefix     string        // "api"
	FunctionTimeout time.Duration // 5 min as on the Consumption plan; 0 is none
	InitTimeout     time.Duration // 30 s
	Forward, Proxy  bool          // enableForwardingHttpRequest, enableProxyingHttpRequest

	Executable string // defaultExecutablePath as it stands there
	Arguments  []string
	WorkingDir string
	WorkerDir  string
	Port       int // 0 for a free one

	Queue QueueOptions
	// BlobTries is how often a blob is tried before it is poison: 5.
	BlobTries int
}

// QueueOptions is extensions.queues.
type QueueOptions struct {
	BatchSize         int           // 16
	NewBatchThreshold int           // half of BatchSize
	MaxDequeueCount   int           // 5
	VisibilityTimeout time.Duration // 0: a failed message comes back at once
	Plain             bool          // messageEncoding "none" instead of "base64"
}

// hostFile is the form of host.json.
type hostFile struct {
	FunctionTimeout *timespan
	CustomHandler   *handlerFile
	HTTPWorker      *handlerFile // its older name; then HTTP is never forwarded
	Extensions      struct {
		HTTP   struct{ RoutePrefix *string }
		Queues struct {
			BatchSize, NewBatchThreshold, MaxDequeueCount *int
			VisibilityTimeout                             *timespan
			MessageEncoding                               string
		}
		Blobs struct{ PoisonBlobThreshold *int }
	}
}

type handlerFile struct {
	Description struct {
		DefaultExecutablePath, WorkingDirectory, WorkerDirectory string
		Arguments                                                []string
	}
	EnableForwardingHTTPRequest bool `json:"enableForwardingHttpRequest"`
	EnableProxyingHTTPRequest   bool `json:"enableProxyingHttpRequest"`
	InitializationTimeout       *timespan
	Port                        json.Number // hosts since 2025
	HTTP                        struct{ Routes []json.RawMessage }
}

// overridePrefix begins the app settings that stand for values of host.json.
const overridePrefix = "azurefunctionsjobhost__"

// parseHost reads host.json with the app settings that override it.
func parseHost(text []byte, env []string) (Host, error) {
	h := Host{
		RoutePrefix: "api", FunctionTimeout: 5 * time.Minute, InitTimeout: 30 * time.Second, BlobTries: 5,
		Queue: QueueOptions{BatchSize: 16, MaxDequeueCount: 5},
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return h, fmt.Errorf("host.json: %w", err)
	}
	if tree["version"] != "2.0" {
		return h, errors.New(`host.json: "version" must be "2.0"`)
	}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if len(name) > len(overridePrefix) && strings.EqualFold(name[:len(overridePrefix)], overridePrefix) {
			override(tree, strings.Split(name[len(overridePrefix):], "__"), value)
		}
	}
	merged, err := json.Marshal(tree)
	if err != nil {
		return h, fmt.Errorf("host.json: %w", err)
	}
	var f hostFile
	if err := json.Unmarshal(merged, &f); err != nil {
		return h, fmt.Errorf("host.json: %w", err)
	}
	return h, f.fill(&h)
}

func (f *hostFile) fill(h *Host) error {
	c := f.CustomHandler
	if c == nil {
		if c = f.HTTPWorker; c == nil {
			return errors.New(`host.json has no "customHandler": nothing to start`)
		}
		c.EnableForwardingHTTPRequest, c.EnableProxyingHTTPRequest = false, false
	}
	if len(c.HTTP.Routes) > 0 {
		return errors.New("host.json: customHandler.http.routes is not emulated; give every function a folder with a function.json")
	}
	d := c.Description
	if d.DefaultExecutablePath == "" {
		return errors.New("host.json: customHandler.description.defaultExecutablePath is required")
	}
	h.Executable, h.Arguments, h.WorkingDir, h.WorkerDir = d.DefaultExecutablePath, d.Arguments, d.WorkingDirectory, d.WorkerDirectory
	if c.Port != "" {
		port, err := strconv.ParseUint(c.Port.String(), 10, 16)
		if err != nil || port == 0 {
			return fmt.Errorf("host.json: customHandler.port %q is no port", c.Port)
		}
		h.Port = int(port)
	}
	h.Forward, h.Proxy = c.EnableForwardingHTTPRequest, c.EnableProxyingHTTPRequest
	set(&h.FunctionTimeout, (*time.Duration)(f.FunctionTimeout))
	h.FunctionTimeout = max(h.FunctionTimeout, 0)
	set(&h.InitTimeout, (*time.Duration)(c.InitializationTimeout))
	set(&h.RoutePrefix, f.Extensions.HTTP.RoutePrefix)
	h.RoutePrefix = strings.Trim(h.RoutePrefix, "/")
	q := f.Extensions.Queues
	set(&h.Queue.BatchSize, q.BatchSize)
	h.Queue.NewBatchThreshold = h.Queue.BatchSize / 2
	set(&h.Queue.NewBatchThreshold, q.NewBatchThreshold)
	set(&h.Queue.MaxDequeueCount, q.MaxDequeueCount)
	set(&h.Queue.VisibilityTimeout, (*time.Duration)(q.VisibilityTimeout))
	h.Queue.Plain = strings.EqualFold(q.MessageEncoding, "none")
	set(&h.BlobTries, f.Extensions.Blobs.PoisonBlobThreshold)
	switch {
	case h.InitTimeout <= 0:
		return errors.New("host.json: customHandler.initializationTimeout must be more than 0")
	case h.Queue.BatchSize < 1 || h.Queue.BatchSize > 32:
		return errors.New("host.json: extensions.queues.batchSize must be 1 to 32")
	case h.Queue.NewBatchThreshold < 0 || h.Queue.MaxDequeueCount < 1 || h.Queue.VisibilityTimeout < 0 || h.BlobTries < 1:
		return errors.New("host.json: extensions.queues and extensions.blobs: a count or a time is too small")
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// override sets one value of the tree; names match in any case, as in .NET's configuration.
func override(tree map[string]any, path []string, value string) {
	name := path[0]
	for have := range tree {
		if strings.EqualFold(have, name) {
			name = have
		}
	}
	if len(path) > 1 {
		child, ok := tree[name].(map[string]any)
		if !ok {
			child = map[string]any{}
			tree[name] = child
		}
		override(child, path[1:], value)
		return
	}
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		v = value
	}
	tree[name] = v
}

// timespan is a .NET TimeSpan, [-][d.]hh:mm:ss[.fraction], or a number of days; -1 is none.
type timespan time.Duration

var timespanForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(-)?(?:(\d{1,8})\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?$`)
})

func (t *timespan) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" {
		return nil
	}
	if days, err := strconv.Atoi(text); err == nil && days >= -1 && days < math.MaxInt32/24 {
		*t = timespan(time.Duration(days) * 24 * time.Hour)
		return nil
	}
	m := timespanForm().FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%q is no time: hh:mm:ss is expected", text)
	}
	var sum float64
	for i, unit := range []float64{86400, 3600, 60, 1} {
		n, err := strconv.ParseFloat("0"+m[i+2], 64)
		if err != nil {
			return err
		}
		sum += n * unit
	}
	if sum *= float64(time.Second); sum > math.MaxInt64/2 {
		return fmt.Errorf("%q is too long a time", text)
	}
	*t = timespan(math.Round(sum))
	if m[1] != "" {
		*t = -*t
	}
	return nil
}
