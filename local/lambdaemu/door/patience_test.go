package door

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

type never struct{}

func (never) Invoke(ctx context.Context, _ lambdaemu.Call) (*lambdaemu.Answer, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestServicesDoNotWaitForEver(t *testing.T) {
	t.Parallel()
	for k, want := range map[Kind]int{HTTPAPI: 503, RESTAPI: 504, RESTAPIStream: 504} {
		h := &handler{k, serviceOf(k), never{}, func(error) {}}
		if h.service.patience < 29*time.Second {
			t.Errorf("%v: %v", k, h.service.patience)
		}
		h.service.patience = time.Millisecond
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		if w.Code != want {
			t.Errorf("%v: got %d %s, want %d", k, w.Code, w.Body, want)
		}
	}
}
