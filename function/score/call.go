package score

import (
	"sync"

	"github.com/scorefn/scorefn/function/tensor"
)

// call is the memory of one run, and its answer.
type call struct {
	config  *config
	in, out *tensor.Batch
	chosen  []tensor.Value
}

var calls = sync.Pool{New: func() any { return new(call) }}

func newCall(s *script) *call {
	c := calls.Get().(*call)
	c.config, c.in, c.out = &s.config, tensor.GetBatch(), tensor.GetBatch()
	return c
}

// AppendJSON writes the answer: one output bare, several as an object by output name.
func (c *call) AppendJSON(dst []byte, o tensor.EncodeOptions) ([]byte, error) {
	if len(c.config.outputs) == 1 {
		return c.out.Values[c.config.outputs[0]].AppendJSON(dst, o)
	}
	c.chosen = c.chosen[:0]
	for _, i := range c.config.outputs {
		c.chosen = append(c.chosen, c.out.Values[i])
	}
	return tensor.AppendObject(dst, c.config.names, c.chosen, o)
}

// Release gives the memory back.
func (c *call) Release() {
	c.in.Release()
	c.out.Release()
	clear(c.chosen)
	c.config, c.in, c.out, c.chosen = nil, nil, nil, c.chosen[:0]
	calls.Put(c)
}

// ChecksJSON tells the function that the decoder checks the text of data.
func (s *script) ChecksJSON() {}
