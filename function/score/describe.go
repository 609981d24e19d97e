package score

import (
	"slices"

	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/tensor"
)

// Describe puts what score.json makes of the outputs into the API's description.
func (s *script) Describe(service *openapi.Service) { service.Output = s.answerSchema() }

func (s *script) answerSchema() openapi.Schema {
	specs := make([]tensor.Spec, len(s.config.answer))
	for i := range s.config.answer {
		o := &s.config.answer[i]
		specs[i] = o.spec(s.Outputs()[o.index])
		specs[i].Name = s.config.names[i]
	}
	schema := openapi.OutputOf(specs)
	if !s.config.object {
		return schema
	}
	if len(specs) == 1 {
		schema = object(specs[0].Name, schema)
	}
	if s.config.time != "" {
		schema.Required = append(schema.Required, s.config.time)
		schema.Properties = append(schema.Properties, openapi.Property{Name: s.config.time, Schema: openapi.Schema{Type: "number", Format: "double"}})
	}
	return schema
}

func object(name string, of openapi.Schema) openapi.Schema {
	return openapi.Schema{Type: "object", Required: []string{name}, Properties: []openapi.Property{{Name: name, Schema: of}}}
}

// spec is the type of the entry that is made of an output of the given one.
func (o *output) spec(from tensor.Spec) tensor.Spec {
	if o.plain() || from.Kind != tensor.KindTensor {
		return from
	}
	to := tensor.Spec{Type: tensor.Type{DType: from.DType, Ranked: from.Ranked, Shape: slices.Clone(from.Shape)}}
	last := len(to.Shape) - 1
	switch {
	case o.argmax && last >= 0:
		to.Shape = to.Shape[:last]
		to.DType = tensor.Int64
	case o.topK > 0 && last >= 0:
		if to.Shape[last] < 0 || to.Shape[last] > int64(o.topK) {
			to.Shape[last] = int64(o.topK)
		}
		if !o.scores {
			to.DType = tensor.Int64
		}
	case o.labels != nil && !whole(from.DType):
		row := tensor.Type{Kind: tensor.KindMap, DType: tensor.String, Elem: &tensor.Type{DType: from.DType, Ranked: true}}
		return tensor.Spec{Type: tensor.Type{Kind: tensor.KindSequence, Elem: &row}}
	}
	if o.labels != nil {
		to.DType = tensor.String
	}
	kept := to.Shape[:0]
	for i, d := range to.Shape {
		if o.squeeze && d == 1 || slices.Contains(o.axes, i) || slices.Contains(o.axes, i-len(to.Shape)) {
			continue
		}
		kept = append(kept, d)
	}
	if o.squeeze && slices.ContainsFunc(kept, func(d int64) bool { return d < 0 }) {
		to.Ranked, kept = false, nil // a free dimension may turn out to be 1
	}
	to.Shape = kept
	return to
}
