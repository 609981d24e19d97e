package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// app is what the function app's files say: host.json and a function.json in the folder of each function (Azure Functions
// developer guide, "Azure Functions custom handlers" and "host.json reference").
type app struct {
	prefix         string        // in front of the routes of HTTP functions; "" for none
	timeout        time.Duration // of an invocation; 0 for none
	initTimeout    time.Duration // how long the host waits for a port
	forward, proxy bool          // HTTP requests come as they are
	plainQueue     bool          // messages of queues are not in base64
	functions      map[string]*fn
	routes         []*fn // HTTP functions, those with the more specific route first
}

// fn is one function.
type fn struct {
	name    string
	trigger binding
	objects []binding // blob inputs beside the trigger
	outputs []binding
	simple  bool // one input and one output, both HTTP: the only ones that the host forwards
	again   bool // a failed event comes again
	route   []segment
}

// binding is one binding of function.json.
type binding struct {
	Type, Direction, Name, DataType, Cardinality string
	Methods                                      []string
	Route                                        *string
}

func (b binding) is(t string) bool { return strings.EqualFold(b.Type, t) }
func (b binding) binary() bool     { return strings.EqualFold(b.DataType, "binary") }
func (f *fn) http() bool           { return f.trigger.is("httpTrigger") }

// serves tells whether the function takes a method; without a list it takes all.
func (f *fn) serves(method string) bool {
	return len(f.trigger.Methods) == 0 || slices.ContainsFunc(f.trigger.Methods, func(m string) bool { return strings.EqualFold(m, method) })
}

// hostFile is the part of host.json that matters here.
type hostFile struct {
	FunctionTimeout string
	Retry           json.RawMessage
	CustomHandler   struct {
		EnableForwardingHTTPRequest bool
		EnableProxyingHTTPRequest   bool
		InitializationTimeout       string
		HTTP                        struct{ Routes []struct{ Route string } }
	}
	Extensions struct {
		HTTP   struct{ RoutePrefix *string }
		Queues struct{ MessageEncoding string }
	}
}

// The host's own limits where host.json has none.
const (
	defaultTimeout     = 30 * time.Minute
	consumptionTimeout = 5 * time.Minute
	defaultInit        = 30 * time.Second
)

// readApp reads the files below root. A function.json that cannot be read is skipped with a warning, as the host does: its
// other functions run.
func readApp(root string, getenv func(string) string) (*app, error) {
	a := &app{functions: map[string]*fn{}, initTimeout: defaultInit}
	var host hostFile
	if err := readJSON(filepath.Join(root, "host.json"), &host); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := a.settle(&host, getenv); err != nil {
		return nil, err
	}
	again := len(host.Retry) > 0 && string(host.Retry) != "null"
	files, err := fs.Glob(os.DirFS(root), "*/function.json") // the root's own name is no pattern
	if err != nil {
		return nil, fmt.Errorf("azure: %s: %w", root, err)
	}
	for _, file := range files {
		name := path.Dir(file)
		f, err := readFunction(name, filepath.Join(root, file), again)
		if err != nil {
			slog.Warn("a function is skipped", "function", name, "error", err.Error())
			continue
		}
		a.functions[name] = f
	}
	if len(files) == 0 {
		for i, r := range host.CustomHandler.HTTP.Routes {
			name := fmt.Sprintf("http-handler%d", i+1)
			t := binding{Type: "httpTrigger", Direction: "in", Name: "req", Route: &r.Route}
			a.functions[name] = &fn{name: name, trigger: t, simple: true, route: parseRoute(r.Route)}
		}
	}
	for _, f := range a.functions {
		if f.http() {
			a.routes = append(a.routes, f)
		}
	}
	slices.SortFunc(a.routes, moreSpecific)
	return a, nil
}

// settle takes the settings of host.json, and those of the environment that beat them.
func (a *app) settle(host *hostFile, getenv func(string) string) error {
	override := func(name, file string) string {
		if v := strings.TrimSpace(getenv("AzureFunctionsJobHost__" + name)); v != "" {
			return v
		}
		return file
	}
	flag := func(name string, file bool) bool {
		v := override("customHandler__"+name, "")
		return strings.EqualFold(v, "true") || v == "" && file
	}
	a.forward = flag("enableForwardingHttpRequest", host.CustomHandler.EnableForwardingHTTPRequest)
	a.proxy = flag("enableProxyingHttpRequest", host.CustomHandler.EnableProxyingHTTPRequest)
	a.plainQueue = strings.EqualFold(host.Extensions.Queues.MessageEncoding, "none")
	prefix := "api"
	if host.Extensions.HTTP.RoutePrefix != nil {
		prefix = *host.Extensions.HTTP.RoutePrefix
	}
	a.prefix = strings.Trim(override("extensions__http__routePrefix", prefix), "/")
	var err error
	if text := override("functionTimeout", host.FunctionTimeout); text == "" {
		a.timeout = consumptionTimeout
		if sku := getenv("WEBSITE_SKU"); sku != "" && !strings.EqualFold(sku, "Dynamic") {
			a.timeout = defaultTimeout
		}
	} else if a.timeout, err = timeSpan(text); err != nil {
		return fmt.Errorf("azure: host.json: functionTimeout %w", err)
	}
	if text := override("customHandler__initializationTimeout", host.CustomHandler.InitializationTimeout); text != "" {
		if a.initTimeout, err = timeSpan(text); err != nil {
			return fmt.Errorf("azure: host.json: customHandler.initializationTimeout %w", err)
		}
	}
	return nil
}

// readFunction reads one function.json.
func readFunction(name, file string, again bool) (*fn, error) {
	if !isFunctionName(name) {
		return nil, fmt.Errorf("%q is no name of a function: a letter, then letters, digits, - and _", name)
	}
	var in struct {
		Bindings []binding
		Retry    json.RawMessage
	}
	if err := readJSON(file, &in); err != nil {
		return nil, err
	}
	f := &fn{name: name}
	inputs := 0
	for _, b := range in.Bindings {
		switch {
		case strings.HasSuffix(strings.ToLower(b.Type), "trigger"):
			f.trigger = b
			inputs++
		case strings.EqualFold(b.Direction, "out"):
			f.outputs = append(f.outputs, b)
		default:
			inputs++
			if b.is("blob") {
				f.objects = append(f.objects, b)
			}
		}
	}
	if f.trigger.Type == "" {
		return nil, fmt.Errorf("%s has no trigger among its bindings", file)
	}
	f.simple = f.http() && inputs == 1 && len(f.outputs) == 1 && f.outputs[0].is("http")
	f.again = again || len(in.Retry) > 0 && string(in.Retry) != "null" || slices.ContainsFunc(redelivered, f.trigger.is)
	route := name
	if f.trigger.Route != nil {
		route = *f.trigger.Route
	}
	f.route = parseRoute(route)
	return f, nil
}

// redelivered are the triggers whose failed events come again without a retry policy (Azure Functions developer guide,
// "Azure Functions error handling and retries").
var redelivered = []string{"queueTrigger", "blobTrigger", "serviceBusTrigger", "eventGridTrigger"}

// maxFile is the largest host.json or function.json.
const maxFile = 1 << 20

// readJSON reads a file of the app, in which the host's JSON library takes comments and more.
func readJSON(file string, into any) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("azure: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return fmt.Errorf("azure: %w", err)
	case len(text) > maxFile:
		return fmt.Errorf("azure: %s is larger than %d bytes", file, maxFile)
	}
	if err := json.Unmarshal(jsonscan.Strict(text), into); err != nil {
		return fmt.Errorf("azure: %s: %w", file, err)
	}
	return nil
}
