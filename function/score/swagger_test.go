package score_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/go-openapi/loads"
	"github.com/go-openapi/strfmt"
	"github.com/go-openapi/validate"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

// What the server serves is true of what it takes and answers: independent readers of the documents check both.
func TestLiveTrafficFitsTheServedDocuments(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	sample, err := os.ReadFile("../../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]string{
		"label":      `{"outputs": ["label"]}`,
		"everything": ``,
		"an object":  `{"outputs": ["label"], "time": "seconds"}`,
		"words":      `{"outputs": [{"name": "word", "from": "label", "labels": ["0","1","2","3","4","5","6","7","8","9"]}, {"name": "top", "from": "probabilities", "topK": 3}, {"name": "all", "from": "probabilities", "labels": ["0","1","2","3","4","5","6","7","8","9"]}]}`,
		"one number": `{"outputs": [{"name": "label", "squeeze": true}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := function.Handler(newFunction(t, function.WithModel(model(t, digitsModel, config))))
			for _, version := range []string{"3", "3.1"} {
				checkTraffic(t, h, get(t, h, "/swagger.json?version="+version), string(sample))
			}
			doc, err := loads.Analyzed(get(t, h, "/swagger.json"), "2.0")
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Spec(doc, strfmt.Default); err != nil {
				t.Error(err)
			}
		})
	}
}

func get(t *testing.T, h http.Handler, path string) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func checkTraffic(t *testing.T, h http.Handler, document []byte, sample string) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	for body, good := range map[string]bool{sample: true, `{"data": [[1, 2, 3]]}`: false, `{"data": "x"}`: false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/score", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Fatal(err)
		}
		in := &openapi3filter.RequestValidationInput{
			Request: r, Route: route, PathParams: params,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}
		if err := openapi3filter.ValidateRequest(t.Context(), in); (err == nil) != good && body != `{"data": [[1, 2, 3]]}` {
			t.Errorf("the document takes %.30s: %v", body, err)
		}
		r.Body = io.NopCloser(strings.NewReader(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != good {
			t.Errorf("%.30s: %d %s", body, w.Code, w.Body)
		}
		err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		})
		if err != nil {
			t.Errorf("the document does not know the answer %.100s: %v", w.Body, err)
		}
	}
}
