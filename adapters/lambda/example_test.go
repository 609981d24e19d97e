package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/scorefn/scorefn/adapters/lambda"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type length struct{}

func (length) Run(_ context.Context, data json.RawMessage) (any, error) {
	var list []any
	err := json.Unmarshal(data, &list)
	return len(list), err
}

// A script of one's own, called with a request and with a message of Amazon SNS. A main has lambda.Start in place of
// lambda.Handler and Invoke.
func ExampleHandler() {
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return length{}, nil },
		function.WithModel(modeldir.Model{Name: "length"}))
	h := lambda.Handler(f)
	for _, event := range []string{
		`{"data": [5, 6, 7]}`,
		`{"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m1", "Message": "{\"data\": [8]}"}}]}`,
		`{"data": "text"}`,
	} {
		answer, err := h.Invoke(context.Background(), []byte(event))
		fmt.Println(string(answer), err != nil)
	}
	// Output:
	// 3 false
	// {"results":[{"id":"m1","result":1}]} false
	//  true
}
