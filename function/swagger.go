package function

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"

	"github.com/scorefn/scorefn/function/openapi"
)

// Describer is a script that knows more of its API than the model or the sample says: it changes the description that was
// made of them.
type Describer interface {
	Describe(s *openapi.Service)
}

// swagger answers with the API's description in the version that is asked for: a file of the user's where there is one.
func (h *handler) swagger(x *exchange) error {
	query := x.r.URL.Query()
	versions, given := query["version"]
	asked := ""
	if given {
		asked = versions[0]
	}
	v, err := openapi.ParseVersion(asked, given)
	if err != nil {
		return &Error{Kind: NotFound, Msg: err.Error()}
	}
	s, err := h.f.scorer(x.r.Context(), x.target.model, x.target.version)
	if err != nil {
		return err
	}
	doc, err := h.userDocument(v, s)
	if err == nil && doc == nil {
		h.f.scoreSample(context.WithoutCancel(x.r.Context()), s) // unless the warm-up did
		doc, err = h.document(v, s)
	}
	if err != nil {
		return err
	}
	x.failed(false)
	return x.write(http.StatusOK, jsonType, doc)
}

// userDocument is the first of the user's own files for that version; nil when there is none.
func (h *handler) userDocument(v openapi.Version, s *scorer) ([]byte, error) {
	dir := cmp.Or(h.f.settings.AppRoot, s.model.Dir)
	if dir == "" {
		return nil, nil
	}
	for _, name := range v.Files() {
		doc, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && !json.Valid(doc) {
			err = errors.New("is not JSON")
		}
		if err != nil {
			return nil, &Error{Kind: Internal, Msg: msgInternal, Err: &os.PathError{Op: "read", Path: name, Err: err}}
		}
		return doc, nil
	}
	return nil, nil
}

// document makes the description of a loaded model.
func (h *handler) document(v openapi.Version, s *scorer) ([]byte, error) {
	service, err := h.describe(s)
	if err != nil {
		return nil, &Error{Kind: Internal, Msg: msgInternal, Err: err}
	}
	doc, err := openapi.Document(v, service)
	if e, ok := errors.AsType[*openapi.VersionError](err); ok {
		return nil, &Error{Kind: NotFound, Msg: e.Error()}
	}
	if err != nil {
		return nil, &Error{Kind: Internal, Msg: msgInternal, Err: err}
	}
	return doc, nil
}

// describe is what the model's signature says, else what the sample and its answer show, else nothing.
func (h *handler) describe(s *scorer) (openapi.Service, error) {
	set := h.f.settings
	service := openapi.Service{
		Name: set.ServiceName, Version: set.ServiceVersion, PathPrefix: set.PathPrefix,
		InputExample: s.sample, OutputExample: s.answer,
	}
	var err error
	m, isModel := s.script.(Inferer)
	switch {
	case isModel:
		service.Input, service.Output = openapi.InputOf(m.Inputs()), openapi.OutputOf(m.Outputs())
		if service.InputExample == nil {
			service.InputExample = openapi.ExampleOf(m.Inputs())
		}
	case s.sample != nil && s.answer != nil && !s.whole:
		if service.Input, err = openapi.SchemaOf(s.sample); err == nil {
			service.Output, err = openapi.SchemaOf(s.answer)
		}
	default:
		service = service.Undeclared()
	}
	if d, ok := s.script.(Describer); ok {
		d.Describe(&service)
	}
	return service, err
}
