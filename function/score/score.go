// Package score is the entry script: the twin of score.py. It scores any ONNX model, and a clone of the repository edits
// this file to change what happens before and after the model.
package score

import (
	"context"
	"encoding/json"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// script is one loaded model. It is used by many goroutines at one time and changes nothing of itself.
type script struct {
	*onnx.Session // Outputs, Close, Concurrency
	decoder       *tensor.Decoder
	config        config // score.json beside the model
}

// Init is init(): it loads the model.
func Init(ctx context.Context, m modeldir.Model) (function.Script, error) {
	set, err := settings.From(ctx)
	if err != nil {
		return nil, err
	}
	session, err := onnx.Open(ctx, m.File, onnx.Options{})
	if err != nil {
		return nil, err
	}
	config, decoder, err := prepare(set, m, session.Inputs(), session.Outputs())
	if err != nil {
		_ = session.Close() // the configuration's error is the one that counts
		return nil, err
	}
	return &script{session, decoder, config}, nil
}

// Run is run(data): JSON to tensors, the model, and the chosen outputs back.
func (s *script) Run(ctx context.Context, data json.RawMessage) (any, error) {
	in := tensor.GetBatch() // the memory of one call
	defer in.Release()
	if err := s.decode(data, in); err != nil {
		return nil, err
	}
	function.CallOf(ctx).Decoded()
	return s.Score(ctx, in.Values)
}

// Score is Run for inputs that are tensors already, whatever format they came in.
func (s *script) Score(ctx context.Context, in []tensor.Value) (any, error) {
	a := s.newAnswer() // it gives its memory back once it is written
	if err := s.InferBatch(ctx, in, a.out); err != nil {
		a.Release()
		return nil, err
	}
	function.CallOf(ctx).Inferred()
	if err := a.choose(); err != nil {
		a.Release()
		return nil, err
	}
	return a, nil
}
