package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/tensor"
)

// definition is what the document of version v says for the answer.
func definition(t *testing.T, v openapi.Version, s openapi.Schema) string {
	t.Helper()
	text, err := openapi.Document(v, openapi.Service{Output: s})
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `"ServiceOutput": `)
	out, _, ok := strings.Cut(rest, `, "ErrorResponse"`)
	if !ok {
		t.Fatalf("no ServiceOutput in %s", text)
	}
	return out
}

func TestSchemaOfASampleFollowsItsTypes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sample, want string }{
		{"int", `1`, `{"type": "integer", "format": "int64"}`},
		{"int beyond 64 bits", `18446744073709551615`, `{"type": "integer"}`},
		{"float", `1.0`, `{"type": "number", "format": "double"}`},
		{"exponent", `1e3`, `{"type": "number", "format": "double"}`},
		{"string", `"a"`, `{"type": "string"}`},
		{"bool", `true`, `{"type": "boolean"}`},
		{"null says nothing", `null`, `{"nullable": true}`},
		{"empty list", `[]`, `{"type": "array", "items": {"type": "object"}}`},
		{"empty object", `{}`, `{"type": "object"}`},
		{"list", `["a", "b"]`, `{"type": "array", "items": {"type": "string"}}`},
		{"nested", `[[1], [2]]`, `{"type": "array", "items": {"type": "array", "items": {"type": "integer", "format": "int64"}}}`},
		{
			"object", `{"b": 1, "a": "x"}`,
			`{"type": "object", "required": ["b", "a"], "properties": {"b": {"type": "integer", "format": "int64"}, "a": {"type": "string"}}}`,
		},
		{"the last element counts", `[1, "a"]`, `{"type": "array", "items": {"type": "string"}}`},
		{"a number wins over a whole one", `[1.5, 2]`, `{"type": "array", "items": {"type": "number", "format": "double"}}`},
		{"in either order", `[2, 1.5]`, `{"type": "array", "items": {"type": "number", "format": "double"}}`},
		{"a long int wins", `[18446744073709551615, 1]`, `{"type": "array", "items": {"type": "integer"}}`},
		{"deep inside", `[[1.5], [2], []]`, `{"type": "array", "items": {"type": "array", "items": {"type": "number", "format": "double"}}}`},
		{"an empty list knows nothing", `[[], [2]]`, `{"type": "array", "items": {"type": "array", "items": {"type": "integer", "format": "int64"}}}`},
		{"null before", `[null, 2]`, `{"type": "array", "items": {"type": "integer", "nullable": true, "format": "int64"}}`},
		{"null after", `[2, null, 1.5]`, `{"type": "array", "items": {"type": "number", "nullable": true, "format": "double"}}`},
		{
			"members that every element has", `[{"a": 1, "b": 2}, {"b": 1.5, "c": "x"}]`,
			`{"type": "array", "items": {"type": "object", "required": ["b"], "properties": {"b": {"type": "number", "format": "double"}, ` +
				`"c": {"type": "string"}, "a": {"type": "integer", "format": "int64"}}}}`,
		},
		{"only nulls", `[null, null]`, `{"type": "array", "items": {"nullable": true}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := openapi.SchemaOf(json.RawMessage(tt.sample))
			if err != nil {
				t.Fatal(err)
			}
			if got := definition(t, openapi.V30, s); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAnswersOfAModel(t *testing.T) {
	t.Parallel()
	float := tensor.Type{DType: tensor.Float32}
	zipMap := tensor.Spec{Name: "p", Type: tensor.Type{
		Kind: tensor.KindSequence, Elem: &tensor.Type{Kind: tensor.KindMap, DType: tensor.Int64, Elem: &float},
	}}
	maybe := tensor.Spec{Name: "o", Type: tensor.Type{
		Kind: tensor.KindOptional, Elem: &tensor.Type{DType: tensor.Int64, Ranked: true, Shape: []int64{2}},
	}}
	tests := []struct {
		name          string
		outputs       []tensor.Spec
		v20, v30, v31 string // v30 and v31 are as the one before where empty
	}{
		{
			"float",
			[]tensor.Spec{tensorOf("y", tensor.Float32, -1, 10)},
			`{"type": "array", "items": {"type": "array", "items": {"type": "number", "format": "float"}}, "format": "numpy.ndarray"}`,
			`{"type": "array", "items": {"type": "array", "items": {"type": "number", "nullable": true, "format": "float"}, ` +
				`"minItems": 10, "maxItems": 10}, "format": "numpy.ndarray"}`,
			`{"type": "array", "items": {"type": "array", "items": {"type": ["number", "null"], "format": "float"}, ` +
				`"minItems": 10, "maxItems": 10}, "format": "numpy.ndarray"}`,
		},
		{"scalar", []tensor.Spec{tensorOf("y", tensor.Int64)}, `{"type": "integer", "format": "int64"}`, "", ""},
		{
			"strings",
			[]tensor.Spec{tensorOf("y", tensor.String, -1)},
			`{"type": "array", "items": {"type": "string"}, "format": "numpy.ndarray"}`, "", "",
		},
		{
			"an empty dimension",
			[]tensor.Spec{tensorOf("y", tensor.Bool, 0)},
			`{"type": "array", "items": {"type": "boolean"}, "format": "numpy.ndarray"}`,
			`{"type": "array", "items": {"type": "boolean"}, "minItems": 0, "maxItems": 0, "format": "numpy.ndarray"}`, "",
		},
		{"unknown rank", []tensor.Spec{{Name: "y", Type: float}}, `{}`, `{"nullable": true}`, `{}`},
		{
			"list of maps",
			[]tensor.Spec{zipMap},
			`{"type": "array", "items": {"type": "object", "additionalProperties": {"type": "number", "format": "float"}}}`,
			`{"type": "array", "items": {"type": "object", "additionalProperties": {"type": "number", "nullable": true, "format": "float"}}}`,
			`{"type": "array", "items": {"type": "object", "additionalProperties": {"type": ["number", "null"], "format": "float"}}}`,
		},
		{
			"optional",
			[]tensor.Spec{maybe},
			`{"type": "array", "items": {"type": "integer", "format": "int64"}}`,
			`{"type": "array", "nullable": true, "items": {"type": "integer", "format": "int64"}, "minItems": 2, "maxItems": 2}`,
			`{"type": ["array", "null"], "items": {"type": "integer", "format": "int64"}, "minItems": 2, "maxItems": 2}`,
		},
		{
			"several by name",
			[]tensor.Spec{tensorOf("label:0", tensor.Int64, -1), tensorOf("a/b", tensor.Bool)},
			`{"type": "object", "required": ["label:0", "a/b"], "properties": {"label:0": {"type": "array", ` +
				`"items": {"type": "integer", "format": "int64"}, "format": "numpy.ndarray"}, "a/b": {"type": "boolean"}}}`, "", "",
		},
		{"complex", []tensor.Spec{tensorOf("y", tensor.Complex64)}, `{}`, "", ""},
		{"sparse", []tensor.Spec{{Type: tensor.Type{Kind: tensor.KindSparse, DType: tensor.Float32}}}, `{}`, "", ""},
		{"none", nil, `{"type": "object"}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := ""
			for _, version := range []struct {
				v    openapi.Version
				want string
			}{{openapi.V20, tt.v20}, {openapi.V30, tt.v30}, {openapi.V31, tt.v31}} {
				if version.want != "" {
					want = version.want
				}
				if got := definition(t, version.v, openapi.OutputOf(tt.outputs)); got != want {
					t.Errorf("%s: got  %s\nwant %s", version.v, got, want)
				}
			}
		})
	}
}

func TestInputsOfAModel(t *testing.T) {
	t.Parallel()
	weight := tensorOf("w", tensor.Float32, 2)
	weight.Optional = true
	const array = `{"type": "array", "items": {"type": "number", "format": "float"}, "format": "numpy.ndarray"}`
	tests := []struct {
		name   string
		inputs []tensor.Spec
		want   string // of data, in 2.0
	}{
		{"one", []tensor.Spec{tensorOf("x", tensor.Float16, -1)}, array},
		{"rank 0", []tensor.Spec{tensorOf("x", tensor.Uint8)}, `{"type": "integer", "format": "uint8"}`},
		{"one that is required", []tensor.Spec{weight, tensorOf("x", tensor.Float32, -1)}, array},
		{"none that is required", []tensor.Spec{weight}, `{"type": "object", "properties": {"w": ` + array + `}}`},
		{
			"several",
			[]tensor.Spec{tensorOf("x", tensor.Float32, 2), weight, tensorOf("$ref", tensor.Bool)},
			`{"type": "object", "required": ["x", "$ref"], "properties": {"x": ` + array + `, "w": ` + array + `, "$ref": {"type": "boolean"}}}`,
		},
		{"none", nil, `{"type": "object"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := `{"type": "object", "properties": {"data": ` + tt.want + `}}`
			if got := definition(t, openapi.V20, openapi.InputOf(tt.inputs)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestExampleOfASignature(t *testing.T) {
	t.Parallel()
	weight := tensorOf("w", tensor.Float32, 2)
	weight.Optional = true
	keys := tensor.Spec{Name: "m", Type: tensor.Type{
		Kind: tensor.KindSequence, Elem: &tensor.Type{Kind: tensor.KindMap, DType: tensor.Int64, Elem: &tensor.Type{DType: tensor.String}},
	}}
	tests := []struct {
		name   string
		inputs []tensor.Spec
		want   string
	}{
		{"a free dimension is 1", []tensor.Spec{tensorOf("x", tensor.Float32, -1, 3)}, `{"data": [[1.0, 1.0, 1.0]]}`},
		{"rank 0", []tensor.Spec{tensorOf("x", tensor.Bool)}, `{"data": false}`},
		{"no elements", []tensor.Spec{tensorOf("x", tensor.Int8, 2, 0)}, `{"data": [[], []]}`},
		{
			"several, optional ones left out",
			[]tensor.Spec{weight, tensorOf("a", tensor.Int64, 1), tensorOf("b", tensor.String)},
			`{"data": {"a": [1], "b": ""}}`,
		},
		{"no inputs", nil, `{"data": {}}`},
		{"list of maps", []tensor.Spec{keys}, `{"data": [{"0": ""}]}`},
		{"a picture is too long", []tensor.Spec{tensorOf("x", tensor.Float32, -1, 3, 224, 224)}, ""},
		{"together too long", []tensor.Spec{tensorOf("a", tensor.Int8, 1000), tensorOf("b", tensor.Int8, 1000)}, ""},
		{"a huge dimension", []tensor.Spec{tensorOf("a", tensor.Int8, 1<<62, 1<<62)}, ""},
		{"complex", []tensor.Spec{tensorOf("a", tensor.Complex64)}, ""},
		{"sparse", []tensor.Spec{{Type: tensor.Type{Kind: tensor.KindSparse}}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := openapi.ExampleOf(tt.inputs); string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
