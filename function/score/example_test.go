package score_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/tensor"
)

// digits is a script of one's own: it takes the 64 pixels of one image and answers a word with its probability. What it
// does not say itself (inputs, outputs, close) comes from the session.
type digits struct {
	*onnx.Session
	labels []string
}

// initDigits is the script's init().
func initDigits(ctx context.Context, m modeldir.Model) (function.Script, error) {
	session, err := onnx.Open(ctx, m.File, onnx.Options{})
	if err != nil {
		return nil, err
	}
	return digits{session, []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}}, nil
}

// Run is the script's run(data).
func (d digits) Run(ctx context.Context, data json.RawMessage) (any, error) {
	var image []float32
	if err := json.Unmarshal(data, &image); err != nil {
		return nil, err // the caller is told, with status 400
	}
	out, err := d.Infer(ctx, tensor.Of(image, 1, int64(len(image))))
	if err != nil {
		return nil, err
	}
	p, err := tensor.Data[float32](out[1].Tensor) // "probabilities", the second output
	if err != nil {
		return nil, err
	}
	best := 0
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return map[string]any{"word": d.labels[best], "sure": p[best] > 0.9}, nil
}

// A script of one's own, used as a library: with lambda.Start, cloudfunctions.Serve or azure.Serve in place of Run.
func Example() {
	f := function.New(initDigits)
	defer f.Close()
	answer, err := f.Run(context.Background(), function.Request{Body: []byte(`{"data": [
		0, 2, 15, 13, 1, 0, 0, 0,
		0, 13, 12, 14, 7, 0, 0, 0,
		0, 8, 6, 6, 13, 0, 0, 0,
		0, 0, 0, 5, 15, 0, 0, 0,
		0, 0, 0, 11, 10, 0, 0, 0,
		0, 0, 2, 16, 5, 0, 0, 0,
		0, 0, 11, 16, 13, 14, 12, 0,
		0, 3, 16, 14, 8, 8, 7, 0]}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(answer.Body))

	_, err = f.Run(context.Background(), function.Request{Body: []byte(`{"data": [1, 2, 3]}`)})
	fmt.Println(function.AsError(err).Msg)
	// Output:
	// {"sure":true,"word":"two"}
	// image: is float32[1,3], expected float32[N,64]: dimension 1 is 3, not 64
}
