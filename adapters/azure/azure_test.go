package azure_test

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"github.com/scorefn/scorefn/adapters/azure"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

func TestForwardedRequestsAnswerTheGoldenVectors(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	f := function.New(score.Init)
	t.Cleanup(func() { _ = f.Close() })
	h := azure.Handler(f)
	for _, path := range []string{"/api/score", "/score"} {
		t.Run(path, func(t *testing.T) {
			functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
				t.Helper()
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", path, bytes.NewReader(body)))
				return w.Code, w.Body.Bytes()
			})
		})
	}
}
