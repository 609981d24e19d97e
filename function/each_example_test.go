package function_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
)

// length answers with the length of a string.
type length struct{}

func (length) Run(_ context.Context, data json.RawMessage) (any, error) {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return nil, err
	}
	return len(text), nil
}

// An adapter decodes its event to items, has them scored, and tells the source which ones to send again.
func ExampleFunction_Each() {
	ctx := context.Background()
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return length{}, nil },
		function.WithModel(modeldir.Model{Name: "length"}), function.WithLogger(slog.New(slog.DiscardHandler)))
	store := blob.Mem()
	_ = store.Put(ctx, "mem://in/words.jsonl", "", []byte("{\"data\": \"one\"}\n{\"data\": 2}\n{\"data\": \"three\"}\n"))

	results := f.Each(ctx, []function.Item{
		{ID: "message-1", Request: function.Request{Body: []byte(`{"data": "four"}`)}},
		{ID: "message-2", Request: function.Request{Body: []byte(`{"date": "four"}`)}},
		{ID: "words.jsonl", URL: "mem://in/words.jsonl"},
	}, function.Events{Store: store, Sink: "mem://out"})
	for _, r := range results {
		if r.Err != nil {
			e := function.AsError(r.Err)
			fmt.Println(r.ID, "failed, retry:", e.Kind.Retryable(), e.Msg)
			continue
		}
		fmt.Printf("%s %s\n%s\n", r.ID, r.Stored, r.Response.Body)
	}
	// Output:
	// message-1 mem://out/message-1.json
	// 4
	// message-2 failed, retry: false A value is not provided for the 'data' parameter.
	// words.jsonl mem://out/in/words.jsonl@83ba45dbb947ae7e.jsonl
	// 3
	// {"error": "json: cannot unmarshal number into Go value of type string"}
	// 5
}
