package cloudfunctions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type length struct{}

func (length) Run(ctx context.Context, data json.RawMessage) (any, error) {
	var list []any
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	if e, ok := cloudfunctions.EventFrom(ctx); ok {
		return fmt.Sprintf("%d for the event %s", len(list), e.ID), nil
	}
	return len(list), nil
}

// A script of one's own, called with a request and with a push of Pub/Sub. The package that is deployed has
// cloudfunctions.Register("Score", f) in its init, a container's main cloudfunctions.Serve(f), in place of the rest.
func ExampleHandler() {
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return length{}, nil },
		function.WithModel(modeldir.Model{Name: "length"}))
	server := httptest.NewServer(cloudfunctions.Handler(f))
	defer server.Close()
	for _, body := range []string{
		`{"data": [5, 6, 7]}`,
		`{"message": {"messageId": "m1", "data": "eyJkYXRhIjpbOF19"}, "subscription": "projects/p/subscriptions/s"}`,
		`{"data": "text"}`,
	} {
		r, err := http.Post(server.URL, "application/json", strings.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		answer, _ := io.ReadAll(r.Body)
		r.Body.Close()
		fmt.Println(r.StatusCode, string(answer))
	}
	// Output:
	// 200 3
	// 200 {"results":[{"id":"m1","source":"//pubsub.googleapis.com/projects/p/subscriptions/s","status":"scored","result":"1 for the event m1"}]}
	// 400 {"message": "json: cannot unmarshal string into Go value of type []interface {}"}
}
