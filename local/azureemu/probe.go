package azureemu

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// errInitTimeout is the host's exception when nothing listens in time.
var errInitTimeout = errors.New("TimeoutException: Initializing HttpWorker timed out")

// probe asks GET / until there is any answer, as the host does (HttpWorkerService.IsWorkerReady). While nobody listens it
// tries again, and only those pauses count against the limit. A connection that is accepted and held is waited for, up to the
// client's timeout; one that is accepted and dropped counts as ready: errDropped.
func probe(ctx context.Context, rt http.RoundTripper, url string, limit, clientTimeout time.Duration, ended <-chan struct{}) error {
	for waited := time.Duration(0); ; waited += pingEvery {
		ready, err := ping(ctx, rt, url, clientTimeout)
		switch {
		case ready, err != nil:
			return err
		case waited >= limit:
			return errInitTimeout
		}
		pause := time.NewTimer(pingEvery)
		select {
		case <-pause.C:
		case <-ended:
			pause.Stop()
			return errEnded
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
	}
}

// errEnded is a process that ended while it was probed; errDropped is the readiness of one that accepted the connection and
// dropped it.
var (
	errEnded   = errors.New("the handler ended")
	errDropped = errors.New("the handler dropped the probe")
)

func ping(ctx context.Context, rt http.RoundTripper, url string, clientTimeout time.Duration) (ready bool, err error) {
	timed := ctx
	if clientTimeout > 0 {
		var cancel context.CancelFunc
		timed, cancel = context.WithTimeout(ctx, clientTimeout)
		defer cancel()
	}
	q, err := http.NewRequestWithContext(timed, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	q.Header.Set("User-Agent", "") // none is sent
	r, err := rt.RoundTrip(q)
	if err == nil {
		_ = r.Body.Close() // any status will do
		return true, nil
	}
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case timed.Err() != nil:
		return false, errors.New("TaskCanceledException: the handler held GET / for longer than functionTimeout and a minute")
	case errors.As(err, &dial) && dial.Op == "dial":
		return false, nil
	}
	return true, errDropped
}
