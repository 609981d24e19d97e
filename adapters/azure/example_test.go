package azure_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/scorefn/scorefn/adapters/azure"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type total struct{}

func (total) Run(ctx context.Context, data json.RawMessage) (any, error) {
	var list []float64
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	sum := 0.0
	for _, n := range list {
		sum += n
	}
	v, _ := azure.InvocationFrom(ctx)
	return map[string]any{"total": sum, "invocation": v.ID}, nil
}

// A script of one's own, called as the host forwards a request. A main has os.Exit(azure.Serve(f)) in place of the rest.
func ExampleHandler() {
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return total{}, nil },
		function.WithModel(modeldir.Model{Name: "total"}))
	h := azure.Handler(f)
	q := httptest.NewRequest("POST", "/api/score?code=key", strings.NewReader(`{"data": [1, 2.5]}`))
	q.Header.Set("X-Azure-Functions-InvocationId", "6f0b6a2e")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 {"invocation":"6f0b6a2e","total":3.5}
}
