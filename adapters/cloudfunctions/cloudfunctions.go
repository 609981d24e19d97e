// Package cloudfunctions serves a function on Google Cloud Functions, under the Functions Framework, and on Cloud Run, with
// a server of its own: one handler for every way in which Google Cloud calls. Which one it is, the request says.
//
// # Requests
//
// Any request that is no event gets what [function.Handler] answers.
//
// # Events
//
// CloudEvents 1.0 in the binary, structured and batched mode, and pushes of Pub/Sub with an envelope or without one. An object
// of Cloud Storage that was finalized is fetched and scored, be it told of by Eventarc, by a notification in Pub/Sub or by
// an audit log; a message of Pub/Sub and a job of Cloud Scheduler carry the request; so does any event whose type is not
// Google's. A script finds the event with [EventFrom].
//
// An event that can never be scored is answered 200, so that it does not come again; it is logged, and kept in
// SCOREFN_DEAD_LETTER. One that may pass later is answered 5xx, and is sent again where the trigger retries. Answers become
// objects below SCOREFN_OUTPUT, made once however often the event comes.
//
// # What it owns
//
// The events, their answers, its environment ([Settings]), the store of gs:// objects, log lines as Cloud Logging reads
// them, deadlines, and the end of the process. It scores nothing itself: package function does.
package cloudfunctions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

// Option changes how a function is served.
type Option func(*options)

type options struct {
	getenv func(string) string
	store  blob.Store
}

// WithStore takes objects from s, and stores answers there, instead of in Cloud Storage.
func WithStore(s blob.Store) Option { return func(o *options) { o.store = s } }

// WithEnv reads the adapter's environment through getenv instead of the process's. The core's is given to [function.New].
func WithEnv(getenv func(string) string) Option { return func(o *options) { o.getenv = getenv } }

// Handler is f as an HTTP handler, for a server of one's own. An environment that cannot be read is what every call answers.
func Handler(f *function.Function, opts ...Option) http.Handler {
	h, _ := newHandler(f, opts) // the handler keeps the error
	return h
}

// Register makes f the function of that name, --entry-point in "gcloud functions deploy", for HTTP and for any trigger. It is
// called by the package that is deployed, in init or as a variable is set.
//
// Where the name is the one that is started (FUNCTION_TARGET) the model is loaded here, before the port is open: a model
// that cannot be loaded ends the process with status 3 and one line that says why, and the revision fails instead of its
// requests. SCOREFN_LAZY=true leaves it to the first request.
//
// On SIGTERM the requests in flight are finished, for 9 s at most, f is closed and the process ends; the framework itself
// would cut them off. Only functions.HTTP is used: functions.Typed shares one value between requests.
func Register(name string, f *function.Function, opts ...Option) {
	h, err := newHandler(f, opts)
	host.start(h)
	if h.env.target == name {
		if err == nil && !h.env.lazy {
			err = f.Init(context.Background())
		}
		if err != nil {
			os.Exit(initFailed(err))
		}
	}
	host.add(f)
	serve := host.wrap(h)
	if h.env.target == "" {
		serve = atRoot("/"+name, serve)
	}
	functions.HTTP(name, serve.ServeHTTP)
}

// atRoot serves a path as the root. The framework has each function at its name when it is not told which one to start,
// which is handy on one's own computer.
func atRoot(path string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = "/", ""
		}
		h.ServeHTTP(w, r)
	})
}

// grace is how long requests in flight may go on after SIGTERM: Cloud Run kills a container after 10 s.
const grace = 9 * time.Second

// Serve loads f's model and serves it on every address at PORT, as Cloud Run expects of a container, until SIGTERM; HTTP/2
// without TLS is understood. The port is open once the model is loaded: Cloud Run takes an open port for a start that
// succeeded. It returns the process's exit code: 3 when the model could not be loaded.
func Serve(f *function.Function, opts ...Option) int {
	h, err := newHandler(f, opts)
	slog.SetDefault(h.logger())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err != nil {
		return initFailed(err)
	}
	err = h.listen(ctx)
	if failed, ok := errors.AsType[*function.InitError](err); ok {
		if ctx.Err() != nil { // the instance was not wanted any more
			return 0
		}
		return initFailed(failed.Err)
	}
	if err != nil {
		slog.Error(fmt.Sprint(err))
	}
	return function.ExitCode(err)
}

func (h *handler) listen(ctx context.Context) error {
	if !h.env.lazy {
		if err := h.f.Init(ctx); err != nil {
			return &function.InitError{Err: err}
		}
	}
	ln, err := function.Listener(ctx, net.JoinHostPort("", strconv.Itoa(h.f.Settings().Port)))
	if err != nil {
		return errors.Join(err, h.f.Close())
	}
	return errors.Join(function.Serve(ctx, ln, h, grace, slog.Default()), h.f.Close())
}

// initFailed reports a function that cannot be served and returns the exit code.
func initFailed(err error) int {
	slog.Error("init failed: " + function.Reason(err).Error())
	return function.ExitCode(&function.InitError{Err: err})
}

// logger writes to standard output, which Cloud Run collects.
func (h *handler) logger() *slog.Logger {
	return newLogger(os.Stdout, h.f.Settings().LogLevel, projectID(h.getenv))
}
