//go:build conformance

package conformance

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/scorefn/scorefn/function/tensor"
)

// The Open Inference Protocol, version 2 (kserve/open-inference-protocol, inference_rest.md), and Triton's extension of
// tensors as bytes (triton-inference-server/server, docs/protocol/extension_binary_data.md).

const headerLength = "Inference-Header-Content-Length"

func (m *model) v2Path() string { return "/v2/models/" + url.PathEscape(m.name) + "/infer" }

// askV2JSON sends every tensor as a flat list.
func askV2JSON(m *model, in []tensor.Value) ([]tensor.Value, error) {
	return m.askV2(in, func(head []byte, t *tensor.Tensor, n int) []byte {
		head = append(head, `, "data": [`...)
		for i := range n {
			if i > 0 {
				head = append(head, ", "...)
			}
			head = appendElement(head, t, i)
		}
		return append(head, ']')
	}, "", nil)
}

// askV2Bytes sends every tensor as bytes after the JSON, and asks for the outputs in the same way.
func askV2Bytes(m *model, in []tensor.Value) ([]tensor.Value, error) {
	var tail []byte
	return m.askV2(in, func(head []byte, t *tensor.Tensor, _ int) []byte {
		before := len(tail)
		tail = append(tail, t.Data...)
		for _, s := range t.Strings {
			tail = append(binary.LittleEndian.AppendUint32(tail, uint32(len(s))), s...)
		}
		return fmt.Appendf(head, `, "parameters": {"binary_data_size": %d}`, len(tail)-before)
	}, `, "parameters": {"binary_data_output": true}`, &tail)
}

// askV2 sends a request whose tensors say writes; tail is what follows the JSON, nil for a request that is JSON alone.
func (m *model) askV2(in []tensor.Value, say func([]byte, *tensor.Tensor, int) []byte, parameters string, tail *[]byte) ([]tensor.Value, error) {
	if err := tensorsOnly(m.inputs[:len(in)], in); err != nil {
		return nil, err
	}
	head := []byte(`{"id": "7", "inputs": [`)
	for i := range in {
		if i > 0 {
			head = append(head, ", "...)
		}
		t := &in[i].Tensor
		n, _ := tensor.Elements(t.Shape)
		head = appendText(append(head, `{"name": `...), m.inputs[i].Name)
		head = fmt.Appendf(head, `, "datatype": %q, "shape": %s`, datatypes[t.DType], list(t.Shape))
		head = append(say(head, t, n), '}')
	}
	head = append(append(append(head, ']'), parameters...), '}')
	header := map[string]string{}
	if tail != nil {
		header = map[string]string{headerLength: strconv.Itoa(len(head)), "Content-Type": "application/octet-stream"}
		head = append(head, *tail...)
	}
	headers, answer, err := m.post(m.v2Path(), "error", header, head)
	if unsaid := tensorsOnly(m.outputs, nil); unsaid != nil {
		if refused := new(refusal); errors.As(err, &refused) && refused.status < 500 {
			return nil, unsaid // as it should be
		}
		return nil, fmt.Errorf("expected a refusal of the outputs, got %d bytes and error %v", len(answer), err) //nolint:errorlint // it may be nil
	}
	if err != nil {
		return nil, err
	}
	return m.readV2(headers, answer, tail != nil)
}

// v2Answer is the JSON of an answer.
type v2Answer struct {
	Model   string `json:"model_name"`
	ID      string `json:"id"`
	Outputs []struct {
		Name       string          `json:"name"`
		Datatype   string          `json:"datatype"`
		Shape      []int64         `json:"shape"`
		Data       json.RawMessage `json:"data"`
		Parameters struct {
			Size *int `json:"binary_data_size"`
		} `json:"parameters"`
	} `json:"outputs"`
}

func (m *model) readV2(header http.Header, body []byte, inBytes bool) ([]tensor.Value, error) {
	n := len(body)
	if text := header.Get(headerLength); (text != "") != inBytes {
		return nil, fmt.Errorf("header %s is %q", headerLength, text)
	} else if inBytes {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 0 || n > len(body) {
			return nil, fmt.Errorf("header %s is %q for a body of %d bytes", headerLength, text, len(body))
		}
	}
	var a v2Answer
	if err := json.Unmarshal(quoteWords(body[:n]), &a); err != nil {
		return nil, fmt.Errorf("the answer is not as specified: %w: %.200s", err, body[:n])
	}
	if a.Model != m.name || a.ID != "7" || len(a.Outputs) != len(m.outputs) {
		return nil, fmt.Errorf("an answer of model %q, id %q, with %d outputs", a.Model, a.ID, len(a.Outputs))
	}
	rest := body[n:]
	out := make([]tensor.Value, len(m.outputs))
	for i, o := range a.Outputs {
		t := &m.outputs[i].Type
		if o.Name != m.outputs[i].Name || o.Datatype != datatypes[t.DType] || o.Shape == nil {
			return nil, fmt.Errorf("output %d is %q %s %v, want %q %s", i, o.Name, o.Datatype, o.Shape, m.outputs[i].Name, datatypes[t.DType])
		}
		out[i].DType, out[i].Shape = t.DType, o.Shape
		var err error
		switch size := o.Parameters.Size; {
		case !inBytes:
			err = flatElements(&out[i].Tensor, o.Data)
		case size == nil || o.Data != nil || *size < 0 || *size > len(rest):
			err = errors.New("its binary_data_size is missing or wrong, or it has data besides")
		default:
			err = byteElements(&out[i].Tensor, rest[:*size])
			rest = rest[*size:]
		}
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes after the last output", len(rest))
	}
	return out, nil
}

// flatElements reads a flat list; text has its bare words quoted already.
func flatElements(t *tensor.Tensor, text []byte) error {
	tree, err := parse(text)
	if err != nil {
		return err
	}
	n, ok := tensor.Elements(t.Shape)
	if !ok {
		return fmt.Errorf("shape %v", t.Shape)
	}
	return appendTree(t, tree, []int64{int64(n)})
}

// byteElements reads elements as bytes, strings with their lengths.
func byteElements(t *tensor.Tensor, b []byte) error {
	n, ok := tensor.Elements(t.Shape)
	size, _ := t.DType.Bytes(n)
	if t.DType != tensor.String {
		if !ok || size != len(b) {
			return fmt.Errorf("%d bytes for %v%v", len(b), t.DType, t.Shape)
		}
		t.Data = slices.Clone(b)
		return nil
	}
	for range n {
		if len(b) < 4 || uint64(len(b)-4) < uint64(binary.LittleEndian.Uint32(b)) {
			return errors.New("a string ends too early")
		}
		end := 4 + int(binary.LittleEndian.Uint32(b))
		t.Strings, b = append(t.Strings, string(b[4:end])), b[end:]
	}
	if len(b) > 0 {
		return fmt.Errorf("%d bytes after the last string", len(b))
	}
	return nil
}
