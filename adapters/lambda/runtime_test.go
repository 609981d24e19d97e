package lambda_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

// runtimeAPI is the Runtime API of AWS Lambda (Lambda developer guide, "Using the Lambda runtime API") for one sandbox: it
// hands out events and records what comes back.
type runtimeAPI struct {
	events chan string
	posted chan post
	once   sync.Once
	gone   chan struct{}
}

type post struct{ path, errorType, body string }

func newRuntimeAPI(t *testing.T) (*runtimeAPI, string) {
	t.Helper()
	a := &runtimeAPI{events: make(chan string), posted: make(chan post, 8), gone: make(chan struct{})}
	server := httptest.NewServer(a)
	t.Cleanup(func() {
		a.once.Do(func() { close(a.gone) })
		server.CloseClientConnections()
		server.Close()
	})
	return a, strings.TrimPrefix(server.URL, "http://")
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process ended
	}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/invocation/next"):
		select {
		case event := <-a.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(30*time.Second).UnixMilli()))
			_, _ = io.WriteString(w, event)
		case <-a.gone:
		case <-r.Context().Done():
		}
	case strings.HasSuffix(path, "/extension/register"):
		w.Header().Set("Lambda-Extension-Identifier", "id")
	case strings.HasSuffix(path, "/extension/event/next"):
		select {
		case <-a.gone:
		case <-r.Context().Done():
		}
	default:
		a.posted <- post{path, r.Header.Get("Lambda-Runtime-Function-Error-Type"), string(body)}
		w.WriteHeader(http.StatusAccepted)
	}
}

// sandbox is a running bootstrap.
type sandbox struct {
	*runtimeAPI
	*exec.Cmd
	log bytes.Buffer // complete once the process has ended
}

// bootstrap builds the program once and starts it.
func bootstrap(t *testing.T, env ...string) *sandbox {
	t.Helper()
	onnxtest.Library(t)
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s := &sandbox{}
	var address string
	s.runtimeAPI, address = newRuntimeAPI(t)
	s.Cmd = exec.CommandContext(t.Context(), file)
	s.Env = append(os.Environ(), append(env, "AWS_LAMBDA_RUNTIME_API="+address)...)
	s.Stdout, s.Stderr = &s.log, &s.log
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	return s
}

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bootstrap")
	if err != nil {
		return "", err
	}
	cleanup = append(cleanup, dir)
	file := filepath.Join(dir, "bootstrap")
	out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", file, "./bootstrap").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

var cleanup []string

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range cleanup {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func (s *sandbox) answer(t *testing.T, event string) post {
	t.Helper()
	if event != "" {
		select {
		case s.events <- event:
		case p := <-s.posted:
			t.Fatalf("before the event: %+v", p)
		case <-time.After(time.Minute):
			t.Fatal("nobody asks for an event")
		}
	}
	select {
	case p := <-s.posted:
		return p
	case <-time.After(time.Minute):
		t.Fatal("no answer")
	}
	panic("not reached")
}

func TestBootstrapScores(t *testing.T) {
	t.Parallel()
	s := bootstrap(t)
	const invocation = "/2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/"
	data := strings.TrimSuffix(strings.Repeat("0,", 64), ",")
	if p := s.answer(t, `{"data":[[`+data+`]]}`); p.path != invocation+"response" || !strings.HasPrefix(p.body, "[") {
		t.Errorf("got %+v", p)
	}
	if p := s.answer(t, `{"data":[[1]]}`); p.path != invocation+"error" || !strings.HasPrefix(p.body, `{"errorMessage":"`) || !strings.HasSuffix(p.body, `,"errorType":"Function.Invalid"}`) {
		t.Errorf("got %+v", p)
	}
	event := `{"requestContext":{"http":{"method":"POST"}},"rawPath":"/score","body":"{\"data\":[[` + data + `]]}"}`
	if p := s.answer(t, event); p.path != invocation+"response" || !strings.HasPrefix(p.body, `{"statusCode":200,`) {
		t.Errorf("got %+v", p)
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	for line := range strings.Lines(s.log.String()) {
		var keys struct{ Timestamp, Level, Message string }
		if err := json.Unmarshal([]byte(line), &keys); err != nil || keys.Timestamp == "" || keys.Level == "" || keys.Message == "" {
			t.Errorf("a log line without Lambda's keys: %s", line)
		}
	}
	if !strings.Contains(s.log.String(), `"message":"stopping: the sandbox ends"`) {
		t.Errorf("log:\n%s", s.log.String())
	}
}

func TestBootstrapReportsAFailedInit(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]string{
		"Model.NotFound":          "AZUREML_MODEL_DIR=/nowhere",
		"Runtime.LibraryNotFound": "ONNXRUNTIME_LIB=/nowhere/libonnxruntime.so",
		"Settings.Invalid":        "SCOREFN_POISON=keep",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := bootstrap(t, env)
			p := s.answer(t, "")
			if p.path != "/2018-06-01/runtime/init/error" || p.errorType != want {
				t.Errorf("got %+v", p)
			}
			var body struct{ ErrorMessage, ErrorType string }
			name, _, _ := strings.Cut(env, "=")
			if err := json.Unmarshal([]byte(p.body), &body); err != nil || body.ErrorType != want || !strings.Contains(body.ErrorMessage, name) {
				t.Errorf("got %s", p.body)
			}
			_ = s.Wait() // the status is what counts
			if code := s.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit status %d", code)
			}
		})
	}
}

// Lambda's managed instances have several events at one time for a process.
func TestBootstrapInConcurrentMode(t *testing.T) {
	t.Parallel()
	s := bootstrap(t, "AWS_LAMBDA_MAX_CONCURRENCY=4", "SCOREFN_EMF=true", "AWS_LAMBDA_FUNCTION_NAME=score")
	data := strings.TrimSuffix(strings.Repeat("0,", 64), ",")
	const n = 40
	go func() {
		for range n {
			select {
			case s.events <- `{"data":[[` + data + `]]}`:
			case <-s.gone:
				return
			}
		}
	}()
	first := s.answer(t, "")
	for range n - 1 {
		if p := s.answer(t, ""); p != first || !strings.HasSuffix(p.path, "/response") {
			t.Errorf("got %+v and %+v", first, p)
		}
	}
	_ = s.Process.Signal(syscall.SIGTERM)
	_ = s.Wait() // what it wrote is what counts
	if got := strings.Count(s.log.String(), `"Namespace":"scorefn"`); got != n {
		t.Errorf("%d lines of metrics", got)
	}
}

func TestBootstrapStreams(t *testing.T) {
	t.Parallel()
	s := bootstrap(t, "SCOREFN_STREAM=true")
	p := s.answer(t, `{"requestContext":{"http":{"method":"GET"}},"rawPath":"/"}`)
	head, body, ok := strings.Cut(p.body, strings.Repeat("\x00", 8))
	if !ok || !strings.HasPrefix(head, `{"statusCode":200,`) || body != "Healthy" {
		t.Errorf("got %q", p.body)
	}
	if p := s.answer(t, `{"data":[[1]]}`); !strings.HasSuffix(p.path, "/error") || !strings.Contains(p.body, `"errorType":"Function.Invalid"`) {
		t.Errorf("got %+v", p)
	}
}
