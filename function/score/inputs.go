package score

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// Inputs is the model's inputs; those with a default in score.json may be left out.
func (s *script) Inputs() []tensor.Spec { return s.config.inputs }

// Infer is the session's, with the defaults of score.json.
func (s *script) Infer(ctx context.Context, in ...tensor.Value) ([]tensor.Value, error) {
	return s.Session.Infer(ctx, s.config.complete(in)...)
}

// InferBatch is the session's, with the defaults of score.json.
func (s *script) InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error {
	return s.Session.InferBatch(ctx, s.config.complete(in), out)
}

// Sample is the request of score.json, nil when it has none.
func (s *script) Sample() []byte { return s.config.sample }

// ChecksJSON tells the function that decode checks the text of data.
func (s *script) ChecksJSON() {}

// TakesImages tells whether score.json says how a picture becomes an input.
func (s *script) TakesImages() bool { return s.config.image != nil }

// DecodeImage makes one picture the model's inputs.
func (s *script) DecodeImage(body []byte, into *tensor.Batch) error {
	into.Reset(len(s.config.inputs))
	return s.config.image.Decode(body, s.config.inputs[s.config.imageFor], into, s.config.imageFor)
}

// complete puts the defaults of score.json where nothing was given.
func (c *config) complete(in []tensor.Value) []tensor.Value {
	for i, d := range c.defaults {
		if d.Kind == tensor.KindNone || i < len(in) && in[i].Kind != tensor.KindNone {
			continue
		}
		in = slices.Clone(in) // the caller's own
		for len(in) <= i {
			in = append(in, tensor.None())
		}
		in[i] = d
	}
	return in
}

// decode reads data into the inputs: pictures where score.json takes them, else tensors.
func (s *script) decode(data []byte, in *tensor.Batch) error {
	if s.config.image != nil {
		if bodies, ok := pictures(data); ok {
			in.Reset(len(s.config.inputs))
			return s.config.image.DecodeMany(bodies, s.config.inputs[s.config.imageFor], in, s.config.imageFor)
		}
	}
	return s.decoder.JSON(data, in)
}

// pictures reads {"b64": "…"}, or a list of them; ok is false when data is something else.
func pictures(data []byte) (bodies [][]byte, ok bool) {
	type picture struct {
		B64 *string `json:"b64"`
	}
	var list []picture
	i := jsonscan.Space(data, 0)
	switch {
	case i < len(data) && data[i] == '{':
		list = make([]picture, 1)
		if json.Unmarshal(data, &list[0]) != nil {
			return nil, false
		}
	case i < len(data) && data[i] == '[' && jsonscan.Has(data, jsonscan.Space(data, i+1), "{"):
		if json.Unmarshal(data, &list) != nil {
			return nil, false
		}
	}
	for _, p := range list {
		if p.B64 == nil {
			return nil, false
		}
		b, err := base64.StdEncoding.DecodeString(*p.B64)
		if err != nil {
			return nil, false
		}
		bodies = append(bodies, b)
	}
	return bodies, len(bodies) > 0
}
