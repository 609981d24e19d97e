// Package azure serves a function as an Azure Functions custom handler that gets forwarded HTTP requests
// (host.json: customHandler.enableForwardingHttpRequest).
package azure

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/scorefn/scorefn/function"
)

// routePrefix is the host's default in front of every function's route (host.json: extensions.http.routePrefix).
const routePrefix = "/api"

// grace is how long requests in flight may go on after SIGTERM.
const grace = 25 * time.Second

// Handler is f as the host calls it: /api/score as well as /score.
func Handler(f *function.Function) http.Handler {
	h := function.Handler(f)
	prefixed := http.StripPrefix(routePrefix, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == routePrefix+"/score" {
			prefixed.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Serve loads f's model and serves it on the loopback port that the host names in FUNCTIONS_CUSTOMHANDLER_PORT, until
// SIGTERM. It returns the process's exit code: 3 when the model could not be loaded.
func Serve(f *function.Function) int {
	slog.SetDefault(function.Logger(os.Stdout, f.Settings().LogLevel))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	port := os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT")
	if port == "" {
		slog.Error("FUNCTIONS_CUSTOMHANDLER_PORT is not set: this program is started by the Azure Functions host; try \"scorefn serve\"")
		return 1
	}
	err := function.ListenAndServe(ctx, f, net.JoinHostPort("127.0.0.1", port), Handler(f), grace)
	if err != nil {
		slog.Error(fmt.Sprint(err))
	}
	return function.ExitCode(err)
}
