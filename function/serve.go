package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds on what a connection may cost before a request has arrived. There is none on a whole request: a large body over a
// slow line is legal, and SCORING_TIMEOUT_MS bounds the run.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 120 * time.Second
	maxHeader     = 64 << 10
)

// Listener opens addr. Callers that connect before [Serve] wait.
func Listener(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return ln, nil
}

// InitError is a model that could not be loaded, which a server reports before it ends.
type InitError struct{ Err error }

func (e *InitError) Error() string { return "init failed: " + e.Err.Error() }

func (e *InitError) Unwrap() error { return e.Err }

// ExitCode is the exit status of a server that ended with err: 0, 1, or 3 for an [InitError], as the reference server has it.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[*InitError](err); ok {
		return 3
	}
	return 1
}

// Serve answers HTTP on ln with h until ctx is done. Then it takes no more requests and lets those in flight end, for the
// grace time at most; longer ones are cut off, which is an error. It closes ln.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, grace time.Duration, log *slog.Logger) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // Cloud Run and others speak h2c to a container
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(end)
	if err != nil {
		err = errors.Join(fmt.Errorf("serve: requests did not end within %v and were cut off: %w", grace, err), server.Close())
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
