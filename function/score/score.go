// Package score is the entry script: the twin of score.py. It scores any ONNX model, and a clone of the repository edits
// this file to change what happens before and after the model.
package score

import (
	"context"
	"encoding/json"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/tensor"
)

// script is one loaded model. It is used by many goroutines at one time and changes nothing of itself.
type script struct {
	*onnx.Session // Inputs, Outputs, Infer, Close
	decoder       *tensor.Decoder
	config        config // score.json beside the model
}

// Init is init(): it loads the model.
func Init(ctx context.Context, m modeldir.Model) (function.Script, error) {
	session, err := onnx.Open(ctx, m.File, onnx.Options{})
	if err != nil {
		return nil, err
	}
	config, decoder, err := prepare(ctx, m, session.Inputs(), session.Outputs())
	if err != nil {
		_ = session.Close() // the configuration's error is the one that counts
		return nil, err
	}
	return &script{session, decoder, config}, nil
}

// Run is run(data): JSON to tensors, the model, and the chosen outputs back.
func (s *script) Run(ctx context.Context, data json.RawMessage) (any, error) {
	c := newCall(s) // the memory of one call; the answer gives it back once it is written
	if err := s.decoder.JSON(data, c.in); err != nil {
		c.Release()
		return nil, err
	}
	if err := s.InferBatch(ctx, c.in.Values, c.out); err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}
