package azureemu

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// AdminPath is where a function of events is started by hand, as on the host
// (learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http): POST {"input": …}.
const AdminPath = "/admin/functions/"

// ManualInput is the body that starts a function with data.
func ManualInput(data []byte) ([]byte, error) {
	return jsonText(map[string]string{"input": string(data)})
}

func (e *Emulator) admin(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/functions", func(w http.ResponseWriter, r *http.Request) {
		e.list(w, "http://"+r.Host)
	})
	mux.HandleFunc("POST "+AdminPath+"{name}", e.manual)
}

func (e *Emulator) list(w http.ResponseWriter, url string) {
	type binding struct {
		Type      string `json:"type"`
		Direction string `json:"direction"`
		Name      string `json:"name"`
	}
	type item struct {
		Name   string    `json:"name"`
		URL    string    `json:"invoke_url_template,omitempty"`
		Config []binding `json:"bindings"`
	}
	var all []item
	for _, f := range e.app.Functions {
		i := item{Name: f.Name, Config: []binding{}}
		for _, b := range f.Bindings {
			i.Config = append(i.Config, binding{b.Type, b.Direction, b.Name})
		}
		if _, path := e.app.Path(f); path != "" {
			i.URL = url + path
		}
		all = append(all, i)
	}
	respond(w, http.StatusOK, all)
}

// manual starts a function and answers before it has ended, as the host does.
func (e *Emulator) manual(w http.ResponseWriter, r *http.Request) {
	f, err := e.app.Function(r.PathValue("name"))
	if err != nil {
		respond(w, http.StatusNotFound, map[string]string{"error": err.Error()})
		return
	}
	var q struct{ Input json.RawMessage }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody)).Decode(&q); err != nil {
		respond(w, http.StatusBadRequest, map[string]string{"error": `the body must be {"input": …}: ` + err.Error()})
		return
	}
	data := []byte(q.Input)
	var text string
	if json.Unmarshal(q.Input, &text) == nil {
		data = []byte(text)
	}
	event, err := NewEvent(f, Input{Data: data, Name: strings.TrimSpace(r.URL.Query().Get("name"))})
	if err != nil {
		respond(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	if !e.begin() {
		respond(w, http.StatusServiceUnavailable, map[string]string{"error": ErrClosed.Error()})
		return
	}
	go func() {
		defer e.work.Done()
		if _, err := e.Deliver(context.WithoutCancel(r.Context()), f, event); err != nil && !errors.Is(err, ErrClosed) {
			e.log.error("%s: %v", f.Name, err)
		}
	}()
	w.WriteHeader(http.StatusAccepted)
}

func respond(w http.ResponseWriter, status int, v any) {
	text, err := jsonText(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the caller may have left
}
