package score

import (
	"strconv"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/tensor"
)

// answer is the outputs of one run, in the memory of a pool.
type answer struct {
	config *config
	start  time.Time
	took   time.Duration
	out    *tensor.Batch
	values []tensor.Value // what is answered
}

var answers = sync.Pool{New: func() any { return new(answer) }}

func (s *script) newAnswer() *answer {
	a := answers.Get().(*answer)
	a.config, a.out, a.start = &s.config, tensor.GetBatch(), time.Now()
	return a
}

// choose makes the values that score.json names.
func (a *answer) choose() error {
	a.took = time.Since(a.start)
	for i := range a.config.answer {
		o := &a.config.answer[i]
		v, err := o.of(a.out.Values[o.index])
		if err != nil {
			return function.Errorf(function.Internal, "output %q: %w", a.config.names[i], err)
		}
		a.values = append(a.values, v)
	}
	return nil
}

// Tensors is what is answered, for the formats that are not JSON.
func (a *answer) Tensors() (names []string, values []tensor.Value) { return a.config.names, a.values }

// AppendJSON writes one output bare and several as an object by name, unless score.json says otherwise.
func (a *answer) AppendJSON(dst []byte, o tensor.EncodeOptions) ([]byte, error) {
	if !a.config.object {
		return function.AppendOutputs(dst, a.config.names, a.values, o)
	}
	dst, err := tensor.AppendObject(dst, a.config.names, a.values, o)
	if err != nil || a.config.time == "" {
		return dst, err
	}
	dst[len(dst)-1] = ',' // instead of the closing brace: there is one output at least
	if dst, err = tensor.AppendString(dst, a.config.time); err != nil {
		return dst, err
	}
	dst = append(dst, ':')
	dst = strconv.AppendFloat(dst, a.took.Seconds(), 'f', 7, 64)
	return append(dst, '}'), nil
}

// Release gives the memory back.
func (a *answer) Release() {
	a.out.Release()
	clear(a.values)
	a.config, a.out, a.values = nil, nil, a.values[:0]
	answers.Put(a)
}
