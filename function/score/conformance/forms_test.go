//go:build conformance

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/scorefn/scorefn/function/tensor"
)

// form is a way to say a request and to read its answer.
type form struct {
	name  string
	route string // that must exist for the form to be served; "" when it always does
	ask   func(m *model, in []tensor.Value) ([]tensor.Value, error)
}

// The names of the forms; direct is the run without a server, which the others are measured by.
const (
	direct   = "direct run"
	dataJSON = `{"data"} in JSON`
	v2JSON   = "protocol 2, JSON"
	v2Bytes  = "protocol 2, bytes"
)

var forms = []form{
	{dataJSON, "", askData},
	{v2JSON, "/v2", askV2JSON},
	{v2Bytes, "/v2", askV2Bytes},
}

// model is one model of the suite behind its handler.
type model struct {
	name            string
	handler         http.Handler
	inputs, outputs []tensor.Spec
}

// refusal is an answer with an error status.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.text) }

// post sends a request; key is where the text of an error is to be found.
func (m *model) post(path, key string, header map[string]string, body []byte) (http.Header, []byte, error) {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		return w.Header(), w.Body.Bytes(), nil
	}
	var message map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &message); err != nil || message[key] == "" || w.Code < 400 {
		return nil, nil, fmt.Errorf("status %d without a text under %q: %.200s", w.Code, key, w.Body)
	}
	return nil, nil, &refusal{w.Code, message[key]}
}

// askData is the form of Azure Machine Learning: one input is the value itself, several are an object by name, none is an
// empty object; so are the outputs.
func askData(m *model, in []tensor.Value) ([]tensor.Value, error) {
	body, err := []byte(`{"data": `), error(nil)
	if len(in) == 1 {
		body, err = appendValue(body, &in[0])
	} else {
		body = append(body, '{')
		for i := 0; i < len(in) && err == nil; i++ {
			if i > 0 {
				body = append(body, ", "...)
			}
			body = append(appendText(body, m.inputs[i].Name), ": "...)
			body, err = appendValue(body, &in[i])
		}
		body = append(body, '}')
	}
	if err != nil {
		return nil, err
	}
	_, answer, err := m.post("/score", "message", nil, append(body, '}'))
	if err != nil {
		return nil, err
	}
	tree, err := parse(answer)
	if err != nil {
		return nil, err
	}
	parts := []any{tree}
	if len(m.outputs) != 1 {
		if parts, err = byName(tree, m.outputs); err != nil {
			return nil, err
		}
	}
	out := make([]tensor.Value, len(m.outputs))
	for i := range m.outputs {
		if out[i], err = fromTree(parts[i], &m.outputs[i].Type); err != nil {
			return nil, fmt.Errorf("output %q: %w: %.200s", m.outputs[i].Name, err, answer)
		}
	}
	return out, nil
}

// byName takes an object apart that has exactly these names.
func byName(tree any, specs []tensor.Spec) ([]any, error) {
	object, ok := tree.(map[string]any)
	if !ok || len(object) != len(specs) {
		return nil, fmt.Errorf("expected an object of %d outputs, got %.200s", len(specs), fmt.Sprint(tree))
	}
	list := make([]any, len(specs))
	for i, s := range specs {
		if list[i], ok = object[s.Name]; !ok {
			return nil, fmt.Errorf("there is no output %q in %.200s", s.Name, fmt.Sprint(tree))
		}
	}
	return list, nil
}

// tensorsOnly is an error for what no form of protocol 2 can say.
func tensorsOnly(specs []tensor.Spec, values []tensor.Value) error {
	for i := range specs {
		t := &specs[i].Type
		if t.Kind == tensor.KindOptional && i < len(values) && values[i].Kind == tensor.KindTensor {
			t = t.Elem // what it holds is said, not that it might hold nothing
		}
		if t.Kind != tensor.KindTensor || datatypes[t.DType] == "" {
			return fmt.Errorf("%w %v", errUnsaid, *t)
		}
	}
	return nil
}

// datatypes are the names of element types in protocol 2; BF16 is Triton's.
var datatypes = map[tensor.DType]string{
	tensor.Bool:    "BOOL",
	tensor.Uint8:   "UINT8",
	tensor.Uint16:  "UINT16",
	tensor.Uint32:  "UINT32",
	tensor.Uint64:  "UINT64",
	tensor.Int8:    "INT8",
	tensor.Int16:   "INT16",
	tensor.Int32:   "INT32",
	tensor.Int64:   "INT64",
	tensor.Float16: "FP16", tensor.BFloat16: "BF16", tensor.Float32: "FP32", tensor.Float64: "FP64",
	tensor.String: "BYTES",
}

// list joins numbers as a JSON list.
func list(numbers []int64) string {
	return strings.ReplaceAll(fmt.Sprint(append([]int64{}, numbers...)), " ", ",")
}
