package function

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/tensor"
)

// The Open Inference Protocol, version 2, over REST (kserve/open-inference-protocol, inference_rest.md), with the binary
// tensor, statistics and repository index extensions of Triton (docs/protocol).

// v2Server is the server's metadata.
func v2Server(x *exchange) error {
	return x.json(struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		Extensions []string `json:"extensions"`
	}{"scorefn", Version, []string{"binary_tensor_data", "statistics", "model_repository"}})
}

// v2Live tells that the process answers.
func v2Live(x *exchange) error { return x.json(map[string]bool{"live": true}) }

// v2Ready tells whether a model is loaded, the default one where the path names none. It never waits, but asking starts the
// load. The specification's body says live, KServe's client reads ready.
func (h *handler) v2Ready(x *exchange) error {
	if x.target.model != "" {
		if err := h.v2Known(x); err != nil {
			return err
		}
	}
	now, cancel := context.WithCancel(x.r.Context())
	cancel()
	_, err := h.f.scorer(now, x.target.model, x.target.version)
	if err == nil {
		return x.json(map[string]bool{"live": true, "ready": true})
	}
	x.failed(false)
	return x.write(http.StatusServiceUnavailable, jsonType, []byte(`{"live":true,"ready":false}`))
}

// v2Known is an error, with the text that the usual clients know, when there is no such model as the path names.
func (h *handler) v2Known(x *exchange) error {
	_, err := h.f.Model(x.r.Context(), x.target.model, x.target.version)
	if e := AsError(err); err != nil && e.Kind == NotFound {
		version := ""
		if x.target.version != "" {
			version = " version " + x.target.version
		}
		return Errorf(NotFound, "Request for unknown model: '%s'%s is not found", x.target.model, version)
	}
	return err
}

// v2Tensors is the loaded model that the path names; a script that is no model of tensors has no place in this protocol.
func (h *handler) v2Tensors(x *exchange) (*scorer, Inferer, error) {
	if err := h.v2Known(x); err != nil {
		return nil, nil, err
	}
	s, err := h.f.scorer(x.r.Context(), x.target.model, x.target.version)
	if err != nil {
		return nil, nil, err
	}
	m, ok := s.script.(Inferer)
	if !ok {
		return nil, nil, Errorf(Unsupported, "The script of model '%s' does not take tensors: use /score.", s.model.Name)
	}
	return s, m, nil
}

// version is the model's version on the wire, where every model has one.
func version(m modeldir.Model) string {
	if m.Version == "" {
		return "1"
	}
	return m.Version
}

// v2Metadata is a model's inputs and outputs.
func (h *handler) v2Metadata(x *exchange) error {
	s, m, err := h.v2Tensors(x)
	if err != nil {
		return err
	}
	models, err := h.f.Models(x.r.Context())
	if err != nil {
		return err
	}
	var versions []string
	for _, other := range models {
		if other.Name == s.model.Name {
			versions = append(versions, version(other))
		}
	}
	body, err := tensor.AppendV2Metadata(nil, s.model.Name, versions, m.Inputs(), m.Outputs())
	if err != nil {
		return notEncoded(err)
	}
	x.failed(false)
	return x.write(http.StatusOK, jsonType, body)
}

// v2Index lists the models (model repository extension).
func (h *handler) v2Index(x *exchange) error {
	models, err := h.f.Models(x.r.Context())
	if err != nil {
		return err
	}
	type entry struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		State   string `json:"state"`
		Reason  string `json:"reason"`
	}
	list := []entry{}
	for _, m := range models {
		list = append(list, entry{m.Name, version(m), "READY", ""})
	}
	return x.json(list)
}

// v2Stats is what the loaded models have done (statistics extension).
func (h *handler) v2Stats(x *exchange) error {
	type inference struct {
		Success counterJSON `json:"success"`
		Fail    counterJSON `json:"fail"`
		Queue   counterJSON `json:"queue"`
		Input   counterJSON `json:"compute_input"`
		Infer   counterJSON `json:"compute_infer"`
		Output  counterJSON `json:"compute_output"`
	}
	type entry struct {
		Name       string    `json:"name"`
		Version    string    `json:"version"`
		Last       int64     `json:"last_inference"`
		Inferences int64     `json:"inference_count"`
		Executions int64     `json:"execution_count"`
		Stats      inference `json:"inference_stats"`
		Batches    []string  `json:"batch_stats"`
	}
	list := []entry{}
	add := func(s *scorer) {
		c := &s.stats
		n := c.success.count.Load()
		executions := n
		if s.joiner != nil {
			executions -= min(n, s.joiner.Shared())
		}
		list = append(list, entry{s.model.Name, version(s.model), c.last.Load(), n, executions, inference{
			c.success.json(), c.fail.json(), c.queue.json(), c.in.json(), c.run.json(), c.outs.json(),
		}, []string{}})
	}
	if x.target.model != "" {
		s, _, err := h.v2Tensors(x)
		if err != nil {
			return err
		}
		add(s)
	} else {
		for _, s := range h.f.loaded() {
			add(s)
		}
	}
	return x.json(map[string]any{"model_stats": list})
}

// v2Calls holds the memory of requests.
var v2Calls = sync.Pool{New: func() any { return new(v2Call) }}

type v2Call struct {
	request tensor.V2Request
	names   []string
	values  []tensor.Value
	binary  []bool
}

func (c *v2Call) release() {
	clear(c.values)
	c.names, c.values, c.binary = c.names[:0], c.values[:0], c.binary[:0]
	v2Calls.Put(c)
}

const headerInference = "Inference-Header-Content-Length"

// v2Infer scores a request of the protocol: JSON, or JSON with tensors as bytes after it.
func (h *handler) v2Infer(x *exchange) (err error) {
	if err := h.v2Known(x); err != nil {
		return err
	}
	length := -1
	if text := x.r.Header.Get(headerInference); text != "" {
		if length, err = strconv.Atoi(strings.TrimSpace(text)); err != nil || length < 0 {
			return Errorf(Invalid, "%s is %.50q, expected the number of bytes of the JSON part", headerInference, text)
		}
	}
	b := buffers.Get().(*buffer)
	defer b.release()
	if b.body, err = readBody(b.body[:0], x.r, h.f.settings.MaxBody); err != nil {
		return err
	}
	x.in = len(b.body)
	call := v2Calls.Get().(*v2Call)
	defer call.release()
	answer := v2Answer{dst: b.answer[:0], jsonLength: -1}
	err = h.f.locked(x.r.Context(), x.target.model, x.target.version, func(ctx context.Context, c *Call, s *scorer) error {
		return h.f.v2(ctx, c, s, b.body, length, call, &answer)
	})
	if err != nil {
		return err
	}
	b.answer = answer.dst
	x.failed(false)
	x.took()
	contentType := jsonType
	if answer.jsonLength >= 0 {
		contentType = "application/octet-stream"
		x.w.Header().Set(headerInference, strconv.Itoa(answer.jsonLength))
	}
	return x.packed(http.StatusOK, contentType, answer.dst)
}

// v2Answer is what v2 writes.
type v2Answer struct {
	dst        []byte
	jsonLength int // of the JSON part where bytes follow it; -1 when all is JSON
}

// v2 scores one request with s, whose slot the caller holds.
func (f *Function) v2(ctx context.Context, c *Call, s *scorer, body []byte, length int, call *v2Call, answer *v2Answer) error {
	m, ok := s.script.(Inferer)
	if !ok {
		return Errorf(Unsupported, "The script of model '%s' does not take tensors: use /score.", s.model.Name)
	}
	in, out := tensor.GetBatch(), tensor.GetBatch()
	defer in.Release()
	defer out.Release()
	c.started = time.Now()
	if err := s.decoder.V2(body, length, &call.request, in); err != nil {
		return err
	}
	if err := call.choose(m.Outputs(), length == 0); err != nil {
		return err
	}
	c.Decoded()
	values, err := inferInto(ctx, m, in.Values, out)
	c.ended = time.Now()
	if err != nil {
		return err
	}
	c.ran = true
	call.values = call.values[:0]
	for _, name := range call.names {
		call.values = append(call.values, values[indexOf(m.Outputs(), name)])
	}
	r := tensor.V2Response{
		ModelName: s.model.Name, ModelVersion: version(s.model),
		ID: call.request.ID, HasID: call.request.HasID, Parameters: call.request.Parameters,
	}
	dst, jsonLength, anyBinary, err := tensor.AppendV2(answer.dst, &r, call.names, call.values, call.binary, f.encoding())
	if err != nil {
		return &Error{Kind: Invalid, Msg: "The answer cannot be written in this protocol: " + err.Error()}
	}
	answer.dst = dst
	if anyBinary {
		answer.jsonLength = jsonLength
	}
	return nil
}

// batchInferer is an Inferer that has memory for its outputs.
type batchInferer interface {
	InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error
}

func inferInto(ctx context.Context, m Inferer, in []tensor.Value, out *tensor.Batch) ([]tensor.Value, error) {
	if b, ok := m.(batchInferer); ok {
		err := b.InferBatch(ctx, in, out)
		return out.Values, err
	}
	return m.Infer(ctx, in...)
}

// choose sets which outputs are answered, and how: those that the request names, in its order, else all. A raw request is
// answered in bytes.
func (c *v2Call) choose(outputs []tensor.Spec, raw bool) error {
	c.names, c.binary = c.names[:0], c.binary[:0]
	asBytes := c.request.BinaryOutput || raw
	if len(c.request.Outputs) == 0 {
		for i := range outputs {
			c.names, c.binary = append(c.names, outputs[i].Name), append(c.binary, asBytes)
		}
		return nil
	}
	for i := range c.request.Outputs {
		o := &c.request.Outputs[i]
		if indexOf(outputs, o.Name) < 0 {
			return Errorf(Invalid, "unexpected inference output '%s': the model has %s", o.Name, listNames(outputs))
		}
		b := asBytes
		if o.HasBinary {
			b = o.Binary
		}
		c.names, c.binary = append(c.names, o.Name), append(c.binary, b)
	}
	return nil
}

func indexOf(specs []tensor.Spec, name string) int {
	for i := range specs {
		if specs[i].Name == name {
			return i
		}
	}
	return -1
}

func listNames(specs []tensor.Spec) string {
	names := make([]string, len(specs))
	for i := range specs {
		names[i] = strconv.Quote(specs[i].Name)
	}
	return strings.Join(names, ", ")
}
