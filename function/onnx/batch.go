package onnx

import (
	"context"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

// Batch puts a joiner in front of the session: from then on [Session.Infer] and [Session.InferBatch] may share runs, once
// [batch.Joiner.Check] has found that the model allows it. It is called before the session is used, and once. The error says
// why calls of this model cannot be joined; the session is what it was then.
func (s *Session) Batch(o batch.Options) (*batch.Joiner, error) {
	j, err := batch.New(single{s}, s.inputs, s.outputs, o)
	if err != nil {
		return nil, err
	}
	s.joiner.Store(j)
	return j, nil
}

// single is the session without its joiner.
type single struct{ s *Session }

func (m single) Check(in []tensor.Value) error { return m.s.check(in) }

func (m single) InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error {
	return m.s.infer(ctx, in, out, int(m.s.hint.Load()))
}
