package cloudfunctions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	programs "github.com/scorefn/scorefn/local/process"
)

// The two ways in which a function is served; this test binary does either, in a process of its own.
const (
	asProcess = "SCOREFN_TEST_PROCESS"
	framework = "framework" // as the main that Google's buildpack makes
	server    = "server"    // as server/main.go
)

// theGate makes the process serve the script gate instead of the bundled model. A URL as its value is called by the
// script's Init.
const theGate = "SCOREFN_TEST_GATE"

// gate is a script that takes as long as somebody else wants: data is a URL, which answers in the end.
type gate struct{}

func (gate) Run(ctx context.Context, data json.RawMessage) (any, error) {
	var url string
	if err := json.Unmarshal(data, &url); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestMain(m *testing.M) {
	f := function.New(score.Init)
	if url := os.Getenv(theGate); url != "" {
		f = function.New(func(ctx context.Context, _ modeldir.Model) (function.Script, error) {
			if !strings.HasPrefix(url, "http:") {
				return gate{}, nil
			}
			_, err := gate{}.Run(ctx, json.RawMessage(strconv.Quote(url)))
			return gate{}, err
		}, function.WithModel(modeldir.Model{Name: "gate", Version: "1"}))
	}
	switch os.Getenv(asProcess) {
	case framework:
		Register("Score", f)
		if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
			slog.Error(err.Error())
			os.Exit(1)
		}
	case server:
		os.Exit(Serve(f))
	default:
		slog.SetDefault(slog.New(slog.DiscardHandler))
		os.Exit(m.Run())
	}
}

// process is a function that is served in a process of its own.
type process struct {
	*exec.Cmd
	url   string
	log   logBuffer
	ended chan struct{}
}

// logBuffer is what a process wrote, which may be looked at while it writes.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// launch starts this test binary as a process of that kind.
func launch(t *testing.T, kind string, env ...string) *process {
	t.Helper()
	onnxtest.Library(t)
	free, err := programs.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	p := &process{url: "http://127.0.0.1:" + port, ended: make(chan struct{})}
	p.Cmd = exec.CommandContext(t.Context(), os.Args[0])
	p.Env = append(os.Environ(), asProcess+"="+kind, "PORT="+port, "FUNCTION_TARGET=Score", "GOOGLE_CLOUD_PROJECT=sample")
	p.Env = append(p.Env, env...)
	p.Stdout, p.Stderr = &p.log, &p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait() // the status is looked at by those whom it concerns
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// start is launch of a process that answers.
func start(t *testing.T, kind string, env ...string) *process {
	t.Helper()
	p := launch(t, kind, env...)
	p.until(t, "it answers", p.answers)
	return p
}

func (p *process) answers() bool {
	r, err := http.Get(p.url + "/")
	if err != nil {
		return false
	}
	r.Body.Close()
	return true
}

// until waits for something that the process does.
func (p *process) until(t *testing.T, what string, happens func() bool) {
	t.Helper()
	patience := time.After(2 * time.Minute) // nothing takes so long
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !happens() {
		select {
		case <-p.ended:
			t.Fatalf("the process ended before %s:\n%s", what, p.log.String())
		case <-patience:
			t.Fatalf("never: %s\n%s", what, p.log.String())
		case <-tick.C:
		}
	}
}

// end waits for the process's end.
func (p *process) end(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * time.Minute):
		t.Fatalf("the process does not end:\n%s", p.log.String())
	}
}

// both runs a test under the Functions Framework and under the server.
func both(t *testing.T, test func(t *testing.T, kind string)) {
	t.Helper()
	for _, kind := range []string{framework, server} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

// lines are the log's lines, each of which must be JSON with Google's keys.
func (p *process) lines(t *testing.T) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(p.log.String()) {
		if strings.TrimSpace(line) == "" { // the framework writes one behind each request
			continue
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || m["severity"] == nil || m["message"] == nil {
			t.Errorf("a log line without Google's keys: %s", line)
		}
		list = append(list, m)
	}
	return list
}

func TestFailedInitEndsTheProcess(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		for _, env := range []string{"AZUREML_MODEL_DIR=/nowhere", "SCOREFN_OUTPUT=bucket", "SCOREFN_QUEUE=many"} {
			p := launch(t, kind, env)
			p.end(t)
			name, _, _ := strings.Cut(env, "=")
			if code := p.ProcessState.ExitCode(); code != 3 {
				t.Errorf("%s: exit status %d", env, code)
			}
			if list := p.lines(t); len(list) != 1 || list[0]["severity"] != "ERROR" || !strings.Contains(fmt.Sprint(list[0]["message"]), name) {
				t.Errorf("%s: the log is not one line that tells why:\n%s", env, p.log.String())
			}
		}
	})
}

// Google takes an open port for a start that succeeded, and would send requests to a revision whose model cannot be loaded.
func TestThePortIsOpenedBehindTheModel(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		b := newBarrier(t)
		p := launch(t, kind, theGate+"="+b.url)
		b.wait(t, p, 1)
		if conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://")); err == nil {
			conn.Close()
			t.Error("the port is open while the model is loaded")
		}
		close(b.open)
		p.until(t, "it answers", p.answers)
	})
}

func TestLazyProcessLivesWithoutItsModel(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		p := start(t, kind, "AZUREML_MODEL_DIR=/nowhere", "SCOREFN_LAZY=true")
		status, body, header := call(t, p.url, sent{header: jsonBody, body: `{"data":1}`})
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "could not be loaded") || header.Get("Retry-After") == "" {
			t.Errorf("got %d %s", status, body)
		}
	})
}

// Without a target the framework serves each function at its name, and its model is loaded by the first request.
func TestFrameworkWithoutATarget(t *testing.T) {
	t.Parallel()
	p := start(t, framework, "FUNCTION_TARGET=")
	if strings.Contains(p.log.String(), "model loaded") {
		t.Errorf("the model was loaded at the start:\n%s", p.log.String())
	}
	for path, want := range map[string]int{"/Score": 200, "/": 404} {
		if status, body, _ := call(t, p.url, sent{path: path, header: jsonBody, body: `{"data":[]}`}); status != want {
			t.Errorf("%s: got %d %s", path, status, body)
		}
	}
	if status, body, _ := call(t, p.url, sent{path: "/Score", header: ce("t"), body: `{"data":[]}`}); status != 200 || !strings.Contains(body, `"result":[]`) {
		t.Errorf("an event: got %d %s", status, body)
	}
}

// Requests and events have their ids in the log of the real process, under the framework as well, which knows no traceparent
// and gives events none.
func TestLogOfAProcess(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		p := start(t, kind, "K_SERVICE=score")
		h := map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Function-Execution-Id": "abc123"}
		call(t, p.url, sent{path: "/score", header: with(h, "Content-Type", "application/json"), body: `{"data":[]}`})
		maps.Copy(h, ce("com.example.request"))
		call(t, p.url, sent{header: h, body: `{"data":[]}`})
		call(t, p.url, sent{header: h, body: `{"data":"wrong"}`})
		p.until(t, "it has written all lines", func() bool {
			return strings.Contains(p.log.String(), `"message":"request"`) && strings.Count(p.log.String(), `"message":"event"`) == 2
		})
		seen := map[string]int{}
		for _, line := range p.lines(t) {
			message := fmt.Sprint(line["message"])
			if message != "request" && message != "event" && message != "item failed" {
				continue
			}
			seen[message]++
			labels, _ := line["logging.googleapis.com/labels"].(map[string]any)
			if line["logging.googleapis.com/trace"] != "projects/sample/traces/0af7651916cd43dd8448eb211c80319c" ||
				line["logging.googleapis.com/spanId"] != "b7ad6b7169203331" || labels["execution_id"] != "abc123" ||
				message != "request" && labels["event_id"] != "id-1" {
				t.Errorf("got %v", line)
			}
		}
		if seen["request"] != 1 || seen["event"] != 2 || seen["item failed"] != 1 {
			t.Errorf("got %v in\n%s", seen, p.log.String())
		}
	})
}
