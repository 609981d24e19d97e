package cloudfunctions

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

// breaking is Cloud Storage with one object, whose first answers break off after a part of what they announced.
type breaking struct {
	object     string
	breaks     int32 // answers that do
	generation string
	ranges     bool // are obeyed
	answers    atomic.Int32
}

func (s *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.generation != "" {
		w.Header().Set("X-Goog-Generation", s.generation)
	}
	from, status := 0, http.StatusOK
	if text, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && s.ranges {
		if r.URL.Query().Get("generation") != s.generation {
			http.Error(w, "a part of another generation", http.StatusBadRequest)
			return
		}
		var err error
		if from, err = strconv.Atoi(strings.TrimSuffix(text, "-")); err != nil {
			http.Error(w, text, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.object)-1, len(s.object)))
		status = http.StatusPartialContent
	}
	rest := s.object[from:]
	w.Header().Set("Content-Length", strconv.Itoa(len(rest)))
	w.WriteHeader(status)
	if s.answers.Add(1) <= s.breaks {
		_, _ = w.Write([]byte(rest[:len(rest)/2]))
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write([]byte(rest))
}

// An object whose connection breaks is read on, so that the event of a trigger that does not retry is not lost.
func TestStorageReadsOnBehindABreak(t *testing.T) {
	t.Parallel()
	object := strings.Repeat("0123456789", 100_000)
	for _, tt := range []struct {
		name   string
		server *breaking
		ok     bool
		calls  int32
	}{
		{"whole", &breaking{generation: "7", ranges: true}, true, 1},
		{"broken once", &breaking{generation: "7", ranges: true, breaks: 1}, true, 2},
		{"broken twice", &breaking{generation: "7", ranges: true, breaks: 2}, true, 3},
		{"broken for ever", &breaking{generation: "7", ranges: true, breaks: 100}, false, attempts},
		{"a server that knows no ranges", &breaking{generation: "7", breaks: 1}, false, 2},
		{"of which generation?", &breaking{ranges: true, breaks: 1}, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.server.object = object
			server := httptest.NewServer(tt.server)
			t.Cleanup(server.Close)
			_, b, err := blob.Read(t.Context(), newStorage(emulator(server.URL)), "gs://b/k", 1<<20)
			if tt.ok && (err != nil || string(b) != object) || !tt.ok && !errors.Is(err, blob.ErrTemporary) {
				t.Errorf("got %d bytes, %v", len(b), err)
			}
			if n := tt.server.answers.Load(); n != tt.calls {
				t.Errorf("%d answers, want %d", n, tt.calls)
			}
		})
	}
}
