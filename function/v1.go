package function

import (
	"encoding/json"
	"net/http"
)

// ping answers the probes of SageMaker, MLflow and Vertex AI, which look at the status alone.
func ping(x *exchange) error {
	return x.write(http.StatusOK, "text/plain; charset=utf-8", []byte("\n"))
}

// v1List is the models of KServe's first protocol: {"models": ["digits"]}.
func (h *handler) v1List(x *exchange) error {
	models, err := h.f.Models(x.r.Context())
	if err != nil {
		return err
	}
	names := []string{}
	for _, m := range models {
		if len(names) == 0 || names[len(names)-1] != m.Name {
			names = append(names, m.Name)
		}
	}
	return x.json(map[string]any{"models": names})
}

// v1Status is a model's state for both protocols that have this path: TensorFlow Serving reads model_version_status, KServe
// name and ready.
func (h *handler) v1Status(x *exchange) error {
	m, err := h.f.Model(x.r.Context(), x.target.model, x.target.version)
	if err != nil {
		return err
	}
	type status struct {
		Code    string `json:"error_code"`
		Message string `json:"error_message"`
	}
	type state struct {
		Version string `json:"version"`
		State   string `json:"state"`
		Status  status `json:"status"`
	}
	version := m.Version
	if version == "" {
		version = "1"
	}
	return x.json(struct {
		Name   string  `json:"name"`
		Ready  bool    `json:"ready"`
		States []state `json:"model_version_status"`
	}{m.Name, true, []state{{version, "AVAILABLE", status{"OK", ""}}}})
}

// json answers with v.
func (x *exchange) json(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return notEncoded(err)
	}
	x.failed(false)
	return x.write(http.StatusOK, jsonType, body)
}
