package lambdaemu

import (
	"encoding/json"
	"io"
	"net/http"
)

// The part of the Extensions API (docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html) that an internal
// extension needs which only wants to be told the end: it registers for no event, and gets SIGTERM before SIGKILL.

func (s *sandbox) register(w http.ResponseWriter, r *http.Request) {
	var wants struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxErrorBody)).Decode(&wants); err != nil || r.Header.Get("Lambda-Extension-Name") == "" {
		apiError(w, http.StatusBadRequest, "Extension.InvalidRegistration", "a name and {\"events\": []} are needed")
		return
	}
	if len(wants.Events) > 0 { // INVOKE and SHUTDOWN are for external extensions, which are processes of their own
		apiError(w, http.StatusForbidden, "ShutdownEventNotSupportedForInternalExtension", "the emulator knows internal extensions without events only")
		return
	}
	s.mu.Lock()
	late := s.isReady
	if !late && s.extension == "" {
		s.extension = NewID()
	}
	id := s.extension
	s.mu.Unlock()
	if late {
		apiError(w, http.StatusForbidden, "Extension.RegistrationClosed", "the init phase is over")
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", id)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"functionVersion":"`+version+`","handler":"bootstrap"}`)
}

// extensionNext never has an event.
func (s *sandbox) extensionNext(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	known := s.extension != "" && r.Header.Get("Lambda-Extension-Identifier") == s.extension
	s.mu.Unlock()
	if !known {
		apiError(w, http.StatusForbidden, "Extension.InvalidExtensionIdentifier", "register first")
		return
	}
	select {
	case <-r.Context().Done():
	case <-s.ended:
	}
}
