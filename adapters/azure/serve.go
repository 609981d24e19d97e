package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

// The exit codes that the host knows: after exitRestart it starts the process again as often as it takes; any other is an
// error, the third of which stops the host; after 0 it does nothing at all, and the app is dead.
const (
	exitError   = 1
	exitRestart = 200
)

const (
	// grace is how long requests in flight may go on after a signal. The host itself sends none: it kills.
	grace = 10 * time.Second
	// portWait is how long the port may be another's: the process before this one, which has just been killed.
	portWait = 3 * time.Second
	portPoll = 50 * time.Millisecond
	// initTries is how often init is tried before the process gives up.
	initTries = 3
)

// Serve serves f on the port that the host names, and loads its model beside. The host takes any answer to GET / as a sign
// that it may send requests, so that one is held until the model is loaded. Serve returns the process's exit code, which is
// never 0: 200 after SIGTERM or an interrupt, so that the host starts the process again if it wants it, and 1 when the model
// cannot be loaded or the port not be opened, with one line on standard error that tells why.
func Serve(f *function.Function, opts ...Option) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.SetDefault(Logger(os.Stdout, f.Settings().LogLevel))
	return serve(ctx, f, opts, os.Stderr)
}

func serve(ctx context.Context, f *function.Function, opts []Option, stderr io.Writer) int {
	s, err := newServer(f, opts)
	if port, bad := strconv.ParseUint(s.env.port, 10, 16); err == nil && s.env.port != "" && (bad != nil || port == 0) {
		err = fmt.Errorf("FUNCTIONS_CUSTOMHANDLER_PORT=%q: expected a port", s.env.port)
	}
	if err == nil && s.env.port == "" {
		err = errors.New(`FUNCTIONS_CUSTOMHANDLER_PORT is not set: the Azure Functions host starts this program; without one use "scorefn azure" or "scorefn serve"`)
	}
	if err == nil {
		err = s.run(ctx)
	}
	if err == nil && s.isReady() {
		err = f.Close()
	}
	if err != nil && ctx.Err() != nil { // the end was asked for: what was cut off is no error of this process
		s.log().Warn("stopped before everything had ended", "error", err.Error())
		err = nil
	}
	if err != nil {
		// The host shows the last three lines of standard error, and logs each as an error.
		fmt.Fprintln(stderr, "scorefn: "+oneLine(err.Error()))
		return exitError
	}
	return exitRestart
}

// run serves until ctx is done or init failed for good.
func (s *server) run(ctx context.Context) error {
	start := time.Now()
	ln, err := listen(ctx, net.JoinHostPort("127.0.0.1", s.env.port))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- function.Serve(ctx, ln, s, grace, s.log()) }()
	if err := s.init(ctx); err != nil { // the process ends, and with it what waits: a message that was not answered comes again
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	close(s.ready)
	s.log().Info("ready", "functions", len(s.app.functions), "timeout", s.app.timeout.String(), "ms", time.Since(start).Milliseconds())
	return <-served
}

// isReady tells whether the model is loaded. A function whose load goes on is not closed: that would wait for it.
func (s *server) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// listen opens the port. The host chose it when it was free, and keeps it for every process that it starts.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	tick := time.NewTicker(portPoll)
	defer tick.Stop()
	for {
		ln, err := function.Listener(context.WithoutCancel(ctx), addr)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return ln, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

// init loads the model. What may pass is tried again here, with time between: the host would start the process three times at
// once and then end itself. What stays wrong until somebody repairs it is told at once.
func (s *server) init(ctx context.Context) error {
	for try := 1; ; try++ {
		err := s.f.Init(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if try == initTries || lasting(err) {
			return &function.InitError{Err: function.Reason(err)}
		}
		wait := max(function.AsError(err).RetryAfter, time.Second)
		s.log().Warn("init failed and is tried again", "try", try, "of", initTries, "wait", wait.String(), "error", function.Reason(err).Error())
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// lasting tells the failures of init that the next try would only repeat: wrong settings, files that are not there or are no
// model. ONNX Runtime's package needs cgo, which this one does not, so that its errors are known by their prefix.
func lasting(err error) bool {
	cause := function.Reason(err)
	if errors.Is(cause, modeldir.ErrNotFound) || errors.Is(cause, modeldir.ErrAmbiguous) {
		return true
	}
	if e, ok := errors.AsType[*function.Error](cause); ok && !e.Kind.Retryable() {
		return true
	}
	first, _, _ := strings.Cut(cause.Error(), "\n")
	for _, prefix := range []string{"settings:", "modeldir:", "onnx:", "score:"} {
		if strings.Contains(first, prefix) {
			return true
		}
	}
	return false
}

// oneLine joins the lines of a text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " | ")
}

func (s *server) log() *slog.Logger { return slog.Default() }
