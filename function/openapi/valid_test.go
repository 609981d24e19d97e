package openapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/go-openapi/loads"
	"github.com/go-openapi/strfmt"
	"github.com/go-openapi/validate"

	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/tensor"
)

var allVersions = []openapi.Version{openapi.V20, openapi.V30, openapi.V31}

// client is what somebody else's library makes of a document: it checks bodies and answers against it.
type client struct{ request, answer func(text string) error }

// document is the document of s, which an independent reader of its version must find valid, with the examples in it.
func document(t *testing.T, v openapi.Version, s openapi.Service) []byte {
	t.Helper()
	text := plain(t, v, s)
	var err error
	if v == openapi.V20 {
		var doc *loads.Document
		if doc, err = loads.Analyzed(text, "2.0"); err == nil {
			err = validate.Spec(doc, strfmt.Default)
		}
	} else {
		var doc *openapi3.T
		if doc, err = openapi3.NewLoader().LoadFromData(text); err == nil {
			err = doc.Validate(t.Context(), openapi3.EnableExamplesValidation())
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return text
}

// plain is the document of s unread: validity is what other tests are about.
func plain(t *testing.T, v openapi.Version, s openapi.Service) []byte {
	t.Helper()
	text, err := openapi.Document(v, s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// read makes a client of a document.
func read(t *testing.T, v openapi.Version, text []byte) client {
	t.Helper()
	if v == openapi.V20 {
		return readSwagger(t, text)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	input := func(body string) (*openapi3filter.RequestValidationInput, error) {
		r := httptest.NewRequest(http.MethodPost, "/score", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(r)
		return &openapi3filter.RequestValidationInput{
			Request: r, Route: route, PathParams: params,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}, err
	}
	return client{
		request: func(body string) error {
			in, err := input(body)
			if err != nil {
				return err
			}
			return openapi3filter.ValidateRequest(t.Context(), in)
		},
		answer: func(answer string) error {
			in, err := input("{}")
			if err != nil {
				return err
			}
			return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: in, Status: http.StatusOK,
				Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer)),
			})
		},
	}
}

func readSwagger(t *testing.T, text []byte) client {
	t.Helper()
	doc, err := loads.Analyzed(text, "2.0")
	if err != nil {
		t.Fatal(err)
	}
	against := func(name string) func(string) error {
		schema := doc.Spec().Definitions[name]
		return func(text string) error {
			var value any
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				return err
			}
			return validate.AgainstSchema(&schema, value, strfmt.Default)
		}
	}
	return client{against("ServiceInput"), against("ServiceOutput")}
}

// specs are inputs and outputs of all sorts.
func specs() []tensor.Spec {
	var all []tensor.Spec
	for d := tensor.Undefined; d <= tensor.Int2+1; d++ {
		all = append(
			all,
			tensorOf("rank 0 "+d.String(), d),
			tensorOf("free "+d.String(), d, -1),
			tensorOf("fixed "+d.String(), d, -1, 2, 3),
			tensor.Spec{Name: "open " + d.String(), Type: tensor.Type{DType: d}},
		)
	}
	float := tensor.Type{DType: tensor.Float32}
	vector := tensor.Type{DType: tensor.Int64, Ranked: true, Shape: []int64{2}}
	zipMap := tensor.Type{Kind: tensor.KindMap, DType: tensor.String, Elem: &float}
	for name, t := range map[string]tensor.Type{
		"sequence of tensors":  {Kind: tensor.KindSequence, Elem: &vector},
		"sequence of any rank": {Kind: tensor.KindSequence, Elem: &float},
		"sequence of maps":     {Kind: tensor.KindSequence, Elem: &zipMap},
		"sequence of nothing":  {Kind: tensor.KindSequence},
		"map":                  zipMap,
		"map of a sequence":    {Kind: tensor.KindMap, DType: tensor.Int64, Elem: &tensor.Type{Kind: tensor.KindSequence, Elem: &vector}},
		"optional":             {Kind: tensor.KindOptional, Elem: &vector},
		"optional sequence":    {Kind: tensor.KindOptional, Elem: &tensor.Type{Kind: tensor.KindSequence, Elem: &float}},
		"optional nothing":     {Kind: tensor.KindOptional},
		"sparse":               {Kind: tensor.KindSparse, DType: tensor.Float32},
		"opaque":               {Kind: tensor.KindOpaque},
	} {
		all = append(all, tensor.Spec{Name: name, Type: t})
	}
	for _, name := range []string{
		"a/b", "input:0", "$ref", "", " ", "type", "properties", "items", "example", "x-y", "~1", "%2F", "{n}", "é😀", "\"q\"", "a.b", "\x00", "#",
		"additionalProperties", "required", "__proto__", "\xff",
	} {
		all = append(all, tensorOf(name, tensor.Float64, -1))
	}
	return all
}

// TestDocumentsOfAnySignatureAreValid describes every spec alone and all of them together, and asks independent readers of
// each version whether the documents and the examples in them are right.
func TestDocumentsOfAnySignatureAreValid(t *testing.T) {
	t.Parallel()
	all := specs()
	lists := map[string][]tensor.Spec{"all": all, "no specs": nil}
	for i, spec := range all { // few alone: reading a document costs 2.0's reader tenths of a second
		switch spec.Name {
		case "rank 0 float32", "fixed float32", "open float32", "sequence of maps", "map", "optional", "sparse":
			lists[spec.Name] = all[i : i+1]
		}
	}
	weight := tensorOf("w", tensor.Float32, 2)
	weight.Optional = true
	lists["optional inputs"] = []tensor.Spec{weight}
	lists["an optional input"] = []tensor.Spec{all[0], weight, all[1]}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openapi.Service{Input: openapi.InputOf(list), Output: openapi.OutputOf(list), InputExample: openapi.ExampleOf(list)}
			for _, v := range allVersions {
				c := read(t, v, document(t, v, s))
				if s.InputExample == nil {
					continue
				}
				if err := c.request(string(s.InputExample)); err != nil {
					t.Errorf("%s: the example %s: %v", v, s.InputExample, err)
				}
			}
		})
	}
}

// TestExamplesAreWhatTheDecoderTakes: an example that the model refuses would be worse than none.
func TestExamplesAreWhatTheDecoderTakes(t *testing.T) {
	t.Parallel()
	taken := 0
	for _, spec := range specs() {
		list := []tensor.Spec{spec, tensorOf("other", tensor.Float32, 2)}
		for _, inputs := range [][]tensor.Spec{list[:1], list} {
			example := openapi.ExampleOf(inputs)
			if example == nil {
				continue
			}
			taken++
			var body struct {
				Data json.RawMessage `json:"data"`
			}
			if err := json.Unmarshal(example, &body); err != nil {
				t.Fatal(err)
			}
			b := tensor.GetBatch()
			if err := tensor.NewDecoder(inputs, tensor.DecodeOptions{}).JSON(body.Data, b); err != nil && spec.Name != "\xff" {
				t.Errorf("%s: %s: %v", spec.Name, example, err) // \xff is no text, and JSON has nothing else
			}
			b.Release()
		}
	}
	if taken < 100 {
		t.Errorf("only %d specs have examples", taken)
	}
}

func TestClientsFindBadBodies(t *testing.T) {
	t.Parallel()
	iris := []tensor.Spec{tensorOf("X", tensor.Float32, -1, 4)}
	two := []tensor.Spec{tensorOf("a/b", tensor.Int64, -1), tensorOf("$ref", tensor.String)}
	tests := []struct {
		name   string
		inputs []tensor.Spec
		body   string
		good   bool
		v20    bool // what 2.0 says, which knows no sizes
	}{
		{"a good row", iris, `{"data": [[5.1, 3.5, 1.4, 0.2]]}`, true, true},
		{"whole numbers", iris, `{"data": [[5, 3, 1, 0], [1, 2, 3, 4]]}`, true, true},
		{"no rows", iris, `{"data": []}`, true, true},
		{"a short row", iris, `{"data": [[5.1, 3.5, 1.4]]}`, false, true},
		{"a long row", iris, `{"data": [[5.1, 3.5, 1.4, 0.2, 0.1]]}`, false, true},
		{"too flat", iris, `{"data": [5.1, 3.5, 1.4, 0.2]}`, false, false},
		{"too deep", iris, `{"data": [[[5.1, 3.5, 1.4, 0.2]]]}`, false, false},
		{"text", iris, `{"data": [["5.1", 3.5, 1.4, 0.2]]}`, false, false},
		{"null", iris, `{"data": [[null, 3.5, 1.4, 0.2]]}`, false, false},
		{"no object", iris, `[[5.1, 3.5, 1.4, 0.2]]`, false, false},
		{"good by name", two, `{"data": {"a/b": [1], "$ref": "x"}}`, true, true},
		{"one is missing", two, `{"data": {"a/b": [1]}}`, false, false},
		{"not whole", two, `{"data": {"a/b": [1.5], "$ref": "x"}}`, false, false},
		{"of another type", two, `{"data": {"a/b": [1], "$ref": 1}}`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, v := range allVersions {
				want := tt.good
				if v == openapi.V20 {
					want = tt.v20
				}
				err := read(t, v, plain(t, v, openapi.Service{Input: openapi.InputOf(tt.inputs)})).request(tt.body)
				if (err == nil) != want {
					t.Errorf("%s: %v, want good %v", v, err, want)
				}
			}
		})
	}
}

func TestClientsUnderstandAnswers(t *testing.T) {
	t.Parallel()
	scores := []tensor.Spec{tensorOf("y", tensor.Float32, -1, 2)}
	label := append([]tensor.Spec{tensorOf("label", tensor.Int64, -1)}, scores...)
	tests := []struct {
		name    string
		outputs []tensor.Spec
		answer  string
		good    bool
		v20     bool // what 2.0 says, which knows neither sizes nor null
	}{
		{"numbers", scores, `[[0.5,1.0],[1e-7,3.4e38]]`, true, true},
		{"NaN is null", scores, `[[null,1.0]]`, true, false},
		{"a short row", scores, `[[0.5]]`, false, true},
		{"an object", scores, `{"y":[[0.5,1.0]]}`, false, false},
		{"several", label, `{"label":[3],"y":[[0.5,1.0]]}`, true, true},
		{"a whole number is never null", label, `{"label":[null],"y":[[0.5,1.0]]}`, false, false},
		{"one is missing", label, `{"y":[[0.5,1.0]]}`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, v := range allVersions {
				want := tt.good
				if v == openapi.V20 {
					want = tt.v20
				}
				err := read(t, v, plain(t, v, openapi.Service{Output: openapi.OutputOf(tt.outputs)})).answer(tt.answer)
				if (err == nil) != want {
					t.Errorf("%s: %v, want good %v", v, err, want)
				}
			}
		})
	}
}

func TestSamplesAreValidAgainstTheirOwnSchema(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sample string
		v20    bool // 2.0 describes it
	}{
		{`1`, true},
		{`1.5`, true},
		{`"a"`, true},
		{`true`, true},
		{`[]`, true},
		{`{}`, true},
		{`[[]]`, true},
		{`[1, 2.5]`, true},
		{`[2.5, 1]`, true},
		{`[[], [1]]`, true},
		{`[[1], []]`, true},
		{`[[[1]], [[2.5]], [[]], []]`, true},
		{`[{"a": 1}, {"b": 2}]`, true},
		{`[{"a": 1.5, "b": [1]}, {"a": 1, "b": [2.5]}]`, true},
		{`{"$ref": 1, "a/b": [{"$ref": "x"}]}`, true},
		{`null`, false},
		{`[null]`, false},
		{`[null, 1]`, false},
		{`[1, null]`, false},
		{`[{"a": null}, {"a": {"b": 1}}]`, false},
		{`[[null], [1.5]]`, false},
		{`[18446744073709551615, 1]`, false}, // it does, but the reader takes the number for a float
	}
	for _, tt := range tests {
		t.Run(tt.sample, func(t *testing.T) {
			t.Parallel()
			s := openapi.Service{
				Input:        openapi.Parameters(openapi.Property{Name: "data", Schema: sample(t, tt.sample, "")}),
				InputExample: json.RawMessage(`{"data": ` + tt.sample + `}`),
			}
			for _, v := range allVersions {
				if v == openapi.V20 && !tt.v20 {
					continue
				}
				if err := read(t, v, plain(t, v, s)).request(string(s.InputExample)); err != nil {
					t.Errorf("%s: %v", v, err)
				}
			}
		})
	}
}

func TestUndeclaredServicesTakeAnyObject(t *testing.T) {
	t.Parallel()
	for _, v := range allVersions {
		c := read(t, v, document(t, v, openapi.Service{Name: "é \"x\""}.Undeclared()))
		if err := errors.Join(c.request(`{"data": [1]}`), c.answer(`{"result": [2]}`)); err != nil {
			t.Errorf("%s: %v", v, err)
		}
		if err := c.request(`[1]`); err == nil {
			t.Errorf("%s: a list is taken for an object", v)
		}
	}
}
