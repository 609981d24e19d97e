// Package cloudfunctions serves a function on Google Cloud Functions (functions-framework-go) and on Cloud Run.
package cloudfunctions

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"github.com/scorefn/scorefn/function"
)

// Register makes f the function of that name, --entry-point in "gcloud functions deploy". The model is loaded by the first
// request unless the caller runs f.Init before. Only functions.HTTP is used: functions.Typed shares one value between
// requests.
func Register(name string, f *function.Function) {
	functions.HTTP(name, function.Handler(f).ServeHTTP)
}

// grace is how long requests in flight may go on after SIGTERM: Cloud Run kills a container after 10 s.
const grace = 9 * time.Second

// Serve loads f's model and serves it on every address at PORT, as Cloud Run expects of a container, until SIGTERM. The
// port is open before the model is loaded, and answers after. It returns the process's exit code: 3 when the model could
// not be loaded.
func Serve(f *function.Function) int {
	slog.SetDefault(function.Logger(os.Stdout, f.Settings().LogLevel))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := function.ListenAndServe(ctx, f, net.JoinHostPort("", strconv.Itoa(f.Settings().Port)), function.Handler(f), grace)
	if err != nil {
		slog.Error(fmt.Sprint(err))
	}
	return function.ExitCode(err)
}
