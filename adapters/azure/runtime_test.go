package azure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/adapters/azure"
	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
	programs "github.com/scorefn/scorefn/local/process"
)

// asDrill makes this test binary a handler with the script of drill_test.go.
const asDrill = "SCOREFN_TEST_DRILL"

var cleanup []string

func TestMain(m *testing.M) {
	if os.Getenv(asDrill) != "" {
		os.Exit(azure.Serve(drill()))
	}
	code := m.Run()
	for _, dir := range cleanup {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// program is the real handler, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "handler")
	if err != nil {
		return "", err
	}
	cleanup = append(cleanup, dir)
	file := filepath.Join(dir, "handler")
	out, err := exec.Command("go", "build", "-o", file, "./handler").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
})

// writer is a buffer that may be read while a process writes to it.
type writer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *writer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// process is a handler that a host has started.
type process struct {
	cmd         *exec.Cmd
	url         string
	out, stderr writer
	ended       chan struct{}
}

// appFolder is a function app: its files by name.
func appFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// start starts a program as the host does; it does not wait for it.
func start(t *testing.T, file, root string, env ...string) *process {
	t.Helper()
	free, err := programs.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	p := &process{cmd: exec.CommandContext(t.Context(), file), url: "http://127.0.0.1:" + port, ended: make(chan struct{})}
	p.cmd.Dir = root
	p.cmd.Env = append(os.Environ(), append([]string{"FUNCTIONS_CUSTOMHANDLER_PORT=" + port, "FUNCTIONS_APP_ROOT_PATH=" + root}, env...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the status is what counts
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// ready waits as the host does: until any answer to GET /.
func (p *process) ready(t *testing.T) *process {
	t.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.Get(p.url + "/")
		if err == nil {
			_ = r.Body.Close()
			return p
		}
		select {
		case <-p.ended:
			t.Fatalf("the handler ended with %d\n%s%s", p.cmd.ProcessState.ExitCode(), p.out.String(), p.stderr.String())
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-tick.C:
		}
	}
}

// log ends the process and is all that it wrote on standard output; there must be nothing on standard error.
func (p *process) log(t *testing.T) string {
	t.Helper()
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
	if text := p.stderr.String(); text != "" {
		t.Errorf("standard error: %s", text)
	}
	return p.out.String()
}

// realHandler starts the real handler.
func realHandler(t *testing.T, root string, env ...string) *process {
	t.Helper()
	onnxtest.Library(t)
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return start(t, file, root, env...).ready(t)
}

// iris is a folder with a model that answers what it is asked, numbers of any shape of two dimensions.
func iris(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "iris")
	if err := os.MkdirAll(filepath.Join(dir, "1"), 0o755); err != nil {
		t.Fatal(err)
	}
	model := onnxtest.Named(onnxtest.T(tensor.Float32, "N", "M"), "x", "y").Bytes()
	if err := os.WriteFile(filepath.Join(dir, "1", "model.onnx"), model, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const invocation = "6f0b6a2e-3a54-4c1e-9a70-2f1d0c8f7b11"

type reply struct {
	status int
	header http.Header
	body   []byte
}

// framing is how a body is sent: Azure's host sends payloads in chunks, Core Tools with Content-Length.
type framing bool

const (
	chunked framing = true
	length  framing = false
)

// post sends a request as the host does.
func post(ctx context.Context, url string, body []byte, f framing, header map[string]string) (reply, error) {
	var from io.Reader = bytes.NewReader(body)
	if f == chunked {
		from = io.MultiReader(from) // of no known length
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, from)
	if err != nil {
		return reply{}, err
	}
	q.Header.Set("Content-Type", "application/json; charset=utf-8")
	q.Header.Set("X-Azure-Functions-InvocationId", invocation)
	q.Header.Set("User-Agent", "Azure-Functions-Host/4.1037.0.0")
	for name, value := range header {
		q.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := client.Do(q)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = r.Body.Close() }()
	out, err := io.ReadAll(r.Body)
	return reply{r.StatusCode, r.Header, out}, err
}

func (p *process) post(t *testing.T, path string, body []byte, f framing, header map[string]string) reply {
	t.Helper()
	r, err := post(t.Context(), p.url+path, body, f, header)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, p.out.String(), p.stderr.String())
	}
	return r
}

// invocationOf is a payload with one value.
func invocationOf(t *testing.T, name string, value any, metadata map[string]any) []byte {
	t.Helper()
	if metadata == nil {
		metadata = map[string]any{}
	}
	b, err := json.Marshal(map[string]any{"Data": map[string]any{name: value}, "Metadata": metadata})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// asText is a text as the host encodes it in a payload: as JSON inside a string.
func asText(text string) string {
	b, _ := json.Marshal(text) // a string has JSON
	return string(b)
}

const (
	httpFunction  = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","authLevel":"function","methods":["get","post"],"route":"score"},{"type":"http","direction":"out","name":"res"}]}`
	queueFunction = `{"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":"in"},{"type":"queue","direction":"out","name":"result","queueName":"out"}]}`
	mixedFunction = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","route":"mixed"},{"type":"http","direction":"out","name":"res"},{"type":"queue","direction":"out","name":"copy","queueName":"out"}]}`
	forwarding    = `{"version":"2.0","functionTimeout":"00:05:00","customHandler":{"enableForwardingHttpRequest":true,"enableProxyingHttpRequest":true}}`
)

// The same requests, the same answers, through every door and in both framings.
func TestTheRealHandlerAnswersTheGoldenVectors(t *testing.T) {
	t.Parallel()
	apps := map[string]map[string]string{
		"forwarded": {"host.json": forwarding, "score/function.json": httpFunction, "mixed/function.json": mixedFunction},
		"payload":   {"host.json": `{"version":"2.0"}`, "score/function.json": httpFunction, "mixed/function.json": mixedFunction},
		"no files":  {},
	}
	for name, files := range apps {
		p := realHandler(t, appFolder(t, files))
		door := func(name string, call func(t *testing.T, body []byte, f framing) (int, []byte)) {
			for framingName, f := range map[string]framing{"chunked": chunked, "Content-Length": length} {
				t.Run(name+" "+framingName, func(t *testing.T) {
					t.Parallel()
					functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
						t.Helper()
						return call(t, body, f)
					})
				})
			}
		}
		if name == "forwarded" {
			for _, path := range []string{"/api/score?code=secret", "/API/Score/", "/score"} {
				door(path, func(t *testing.T, body []byte, f framing) (int, []byte) {
					t.Helper()
					r := p.post(t, path, body, f, map[string]string{"x-functions-key": "secret"})
					return r.status, r.body
				})
			}
			door("proxied", func(t *testing.T, body []byte, f framing) (int, []byte) {
				t.Helper()
				r := p.post(t, "/api/score?code=secret", gzipped(t, body), f, map[string]string{
					"Content-Encoding": "gzip", "x-ms-invocation-id": invocation, "User-Agent": "curl/8.5.0", "x-functions-key": "secret",
				})
				return r.status, r.body
			})
		}
		paths := []string{"/score"}
		if name != "no files" {
			paths = append(paths, "/mixed")
		}
		for _, path := range paths {
			door(name+" payload "+path, func(t *testing.T, body []byte, f framing) (int, []byte) {
				t.Helper()
				request := map[string]any{
					"Url": "https://myapp.azurewebsites.net/api" + path + "?code=secret", "Method": "POST", "Query": map[string]any{"code": "secret"},
					"Headers": map[string]any{"Content-Type": []string{"application/json"}, "x-functions-key": []string{"secret"}},
					"Params":  map[string]any{}, "Identities": []any{}, "Body": string(body),
				}
				r := p.post(t, path, invocationOf(t, "req", request, nil), f, nil)
				outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
				if err != nil {
					t.Fatal(err)
				}
				status, header, answer, err := hostHTTP(outputs["res"])
				if err != nil || header["content-type"] != "application/json" {
					t.Errorf("%v %v", header, err)
				}
				if copied := outputs["copy"]; (copied != nil) != (status == 200 && path == "/mixed" && name != "no files") {
					t.Errorf("status %d: the queue gets %s", status, copied)
				}
				return status, []byte(answer)
			})
		}
		t.Cleanup(func() {
			if log := p.log(t); strings.Contains(log, "secret") {
				t.Errorf("a key is in the log:\n%s", log)
			}
		})
	}
}
