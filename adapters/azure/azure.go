// Package azure serves a function as a custom handler of Azure Functions: an HTTP server on a port of 127.0.0.1 that the
// Functions host starts and calls (Azure Functions developer guide, "Azure Functions custom handlers").
//
// # Requests
//
// HTTP functions whose requests the host forwards or proxies (host.json: enableForwardingHttpRequest,
// enableProxyingHttpRequest) are HTTP as it came: they get what [function.Handler] answers. All other functions are called at
// /NAME with {"Data":…,"Metadata":…}, HTTP ones with further bindings too, and answer {"Outputs":…,"Logs":…,"ReturnValue":…}.
//
// # Events
//
// Queue, Blob, Event Grid and CloudEvents, Event Hubs, Service Bus, Cosmos DB and Timer, one or many; other triggers as far as
// their values are text: each message is a scoring request, or names a blob that is one. Answers go to the output bindings of
// function.json and to SCOREFN_OUTPUT. What may succeed later fails the invocation, so that the host tries again; what never
// will is SCOREFN_POISON's.
//
// # What it owns
//
// The protocol, the app's files as far as they decide about it, the environment ([Settings]), Azure's blobs, log lines, exit
// codes. It scores nothing itself: package function does.
package azure

import (
	"net/http"
	"os"
	"runtime"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

// Option changes how a function is served.
type Option func(*options)

type options struct {
	getenv func(string) string
	store  blob.Store
}

// WithStore takes blobs from s, and stores answers there, instead of in Azure.
func WithStore(s blob.Store) Option { return func(o *options) { o.store = s } }

// WithEnv reads the adapter's environment through getenv instead of the process's. The core's is given to [function.New].
func WithEnv(getenv func(string) string) Option { return func(o *options) { o.getenv = getenv } }

// Handler is f as the host calls it, without the process around it. An environment, or files of the app, that cannot be read
// are what every call answers.
func Handler(f *function.Function, opts ...Option) http.Handler {
	s, err := newServer(f, opts)
	if err != nil {
		s.problem = &function.Error{Kind: function.Unavailable, Msg: "The function app is not set up right. Check the logs for more info.", Err: err}
	}
	close(s.ready)
	return s
}

// server answers the host.
type server struct {
	f       *function.Function
	core    http.Handler
	env     environment
	app     *app
	store   blob.Store
	problem error         // of the set-up
	ready   chan struct{} // closed once the model is loaded
	events  chan struct{} // one for each event that is being scored

	stopping <-chan struct{} // closed when the process is to end; nil where there is none
}

func newServer(f *function.Function, opts []Option) (*server, error) {
	o := options{getenv: os.Getenv}
	for _, option := range opts {
		option(&o)
	}
	s := &server{
		f: f, core: function.Handler(f), store: o.store, ready: make(chan struct{}),
		events: make(chan struct{}, eventsAtOnce(f.Settings().Queue, runtime.GOMAXPROCS(0))),
	}
	if s.store == nil {
		s.store = newStore(o.getenv)
	}
	var err error
	if s.env, err = readEnvironment(o.getenv); err == nil {
		s.app, err = readApp(s.env.root, o.getenv)
	}
	if s.app == nil {
		s.app = new(app)
	}
	if own, ok := s.store.(*blobStore); ok && err == nil && s.env.output != "" {
		err = own.check(s.env.output)
	}
	if err == nil {
		s.warn()
	}
	return s, err
}

// eventsAtOnce is how many events are scored at one time. Others wait here, where nothing turns them away: a message that is
// refused counts as tried, and after some tries it is poison. Each event has as many runs waiting as there are processors, so
// that all together fill no more than half of the queue that HTTP requests wait in too.
func eventsAtOnce(queue, processors int) int {
	return max(1, min(16, queue/2/processors))
}

// warn tells of functions whose answers nobody would get, and of those that would get more as HTTP.
func (s *server) warn() {
	for _, f := range s.app.functions {
		if f.simple && !s.app.forward && !s.app.proxy {
			s.log().Warn("requests come wrapped in JSON, which breaks pictures and packed bodies: set customHandler.enableForwardingHttpRequest and enableProxyingHttpRequest in host.json", "function", f.name)
		}
		if !f.http() && !f.nothing() && len(f.outputs) == 0 && s.env.output == "" {
			s.log().Warn("the answers of a function go nowhere: give it an output binding, or set SCOREFN_OUTPUT", "function", f.name)
		}
	}
}
