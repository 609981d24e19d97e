// Package functiontest holds the golden vectors: requests to the bundled digits model and what they must be answered. The
// core and every adapter run the same ones, so that a request has one answer, whichever door it came through.
package functiontest

import (
	"bytes"
	"embed"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/scorefn/scorefn/function/tensor"
)

//go:embed testdata/*.txtar
var files embed.FS

// Vector is one request with its answer.
type Vector struct {
	Name   string
	Body   []byte // of the request
	Status int    // over HTTP
	Answer string // the whole body of the answer
}

// Vectors reads testdata. None at all is a failure: a test over nothing would pass.
func Vectors(tb testing.TB) []Vector {
	tb.Helper()
	paths, err := fs.Glob(files, "testdata/*.txtar")
	if err != nil {
		tb.Fatal(err)
	}
	var vs []Vector
	for _, p := range paths {
		text, err := files.ReadFile(p)
		if err != nil {
			tb.Fatal(err)
		}
		v := Vector{Name: strings.TrimSuffix(strings.TrimPrefix(p, "testdata/"), ".txtar")}
		for _, f := range txtar.Parse(text).Files {
			switch f.Name {
			case "request":
				v.Body = f.Data
			case "status":
				if v.Status, err = strconv.Atoi(strings.TrimSpace(string(f.Data))); err != nil {
					tb.Fatalf("%s: %v", p, err)
				}
			case "answer":
				v.Answer = strings.TrimSpace(string(f.Data))
			default:
				tb.Fatalf("%s: unknown section %q", p, f.Name)
			}
		}
		if v.Body == nil || v.Status == 0 || v.Answer == "" {
			tb.Fatalf("%s: a section is missing", p)
		}
		vs = append(vs, v)
	}
	if len(vs) == 0 {
		tb.Fatal("there are no vectors")
	}
	return vs
}

// Post is an invoke of [Run] that posts to the URL.
func Post(url string) func(t *testing.T, body []byte) (status int, answer []byte) {
	return func(t *testing.T, body []byte) (int, []byte) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		answer, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, answer
	}
}

// Run sends every vector through invoke, which returns the HTTP status and the body of the answer.
func Run(t *testing.T, invoke func(t *testing.T, body []byte) (status int, answer []byte)) {
	t.Helper()
	for _, v := range Vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			status, answer := invoke(t, bytes.Clone(v.Body))
			if status != v.Status || string(answer) != v.Answer {
				t.Errorf("got  %d %s\nwant %d %s", status, answer, v.Status, v.Answer)
			}
		})
	}
}

// Message is an error's text as HTTP answers it, for doors whose platform has its own place for it.
func Message(text string) []byte {
	quoted, err := tensor.AppendString([]byte(`{"message": `), text)
	if err != nil {
		return []byte(err.Error())
	}
	return append(quoted, '}')
}
