package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/local/azureemu"
)

// azureRig is the real handler.
type azureRig struct{ handler string }

// TestAzure runs the real handler, built once.
func TestAzure(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	r := azureRig{filepath.Join(t.TempDir(), "handler")}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", r.handler, "../adapters/azure/handler").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for name, test := range map[string]func(*testing.T){
		"golden vectors": r.testGolden, "curl line": r.testCurl, "invoke": r.testInvoke, "out folder": r.testOutFolder,
		"many messages at once": r.testMany, "deadline": r.testDeadline, "Azurite": r.testAzurite,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// args are the flags of "scorefn azure" around the real handler.
func (r azureRig) args(t *testing.T, more ...string) []string {
	t.Helper()
	model, err := filepath.Abs("../model")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--handler", r.handler, "--addr", "127.0.0.1:0", "--retry", "0s", "--env", "ONNXRUNTIME_LIB=" + onnx.LibraryPath(), "--env", "AZUREML_MODEL_DIR=" + model,
	}
	return append(args, more...)
}

// serve is "scorefn azure" until the test ends.
func (r azureRig) serve(t *testing.T, args ...string) (url string, out, log *watched) {
	t.Helper()
	out, log = newWatched(), newWatched()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- start(ctx, azureCommand(), r.args(t, args...), streams{nil, out, log}, os.Getenv)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil || !strings.HasSuffix(out.String(), "stopped\n") {
			t.Errorf("ended with %v\n%s", err, out.String())
		}
		if t.Failed() {
			t.Logf("log:\n%s", log.String())
		}
	})
	return out.find(t, `is served at (http://\S+)`), out, log
}

// The modes of HTTP as app settings that beat host.json.
func azureMode(proxy, forward bool) []string {
	const prefix = "AzureFunctionsJobHost__customHandler__enable"
	return []string{"--env", fmt.Sprintf("%sProxyingHttpRequest=%v", prefix, proxy), "--env", fmt.Sprintf("%sForwardingHttpRequest=%v", prefix, forward)}
}

func (r azureRig) testGolden(t *testing.T) {
	t.Helper()
	for _, tt := range []struct {
		mode    string
		flags   []string
		chunked bool // what a client sends without a Content-Length gets through
	}{
		{"proxied", azureMode(true, true), true},
		{"forwarded", azureMode(false, true), false},
		{"payload", azureMode(false, false), false},
		{"payload", append(azureMode(false, false), "--framing", "coretools"), false},
	} {
		t.Run(strings.Join(append([]string{tt.mode}, tt.flags[4:]...), " "), func(t *testing.T) {
			t.Parallel()
			url, out, log := r.serve(t, tt.flags...)
			if mode := out.find(t, `/api/score\s+\((\w+); Azure asks for a function key\)`); mode != tt.mode {
				t.Errorf("%s, want %s", mode, tt.mode)
			}
			functiontest.Run(t, functiontest.Post(url+"/api/score"))
			chunked := func(t *testing.T, body []byte) (int, []byte) {
				t.Helper()
				a, err := http.Post(url+"/api/score", "application/json", struct{ io.Reader }{bytes.NewReader(body)})
				if err != nil {
					t.Fatal(err)
				}
				defer a.Body.Close()
				answer, err := io.ReadAll(a.Body)
				if err != nil {
					t.Fatal(err)
				}
				return a.StatusCode, answer
			}
			if tt.chunked {
				t.Run("chunked", func(t *testing.T) { functiontest.Run(t, chunked) })
				return
			}
			if status, answer := chunked(t, []byte(`{"data":[]}`)); status != 400 {
				t.Errorf("a body that was lost: %d %s", status, answer)
			}
			log.find(t, `TRAP http, (chunked-body): `)
		})
	}
}

func (r azureRig) testCurl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip(err)
	}
	_, out, log := r.serve(t)
	for line, want := range map[string]string{out.find(t, `(?m)^(curl -s \S+/api/.*)$`): "[2]", out.find(t, `(?m)^(curl -s \S+/admin/.*)$`): ""} {
		if b, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil || strings.TrimSpace(string(b)) != want {
			t.Errorf("%s\n%s %v", line, b, err)
		}
	}
	log.find(t, `(blob) scored/sample.json <- .*"result":\[2\]`)
}

// invoke is "scorefn azure --invoke".
func (r azureRig) invoke(t *testing.T, in string, args ...string) (code int, answer, log string) {
	t.Helper()
	out, logged := newWatched(), newWatched()
	err := start(t.Context(), azureCommand(), r.args(t, args...), streams{strings.NewReader(in), out, logged}, os.Getenv)
	if e, ok := errors.AsType[*exit](err); ok {
		code = e.code
		fmt.Fprint(logged, e)
	} else if err != nil {
		t.Fatal(err)
	}
	return code, strings.TrimSpace(out.String()), logged.String()
}

func (r azureRig) testInvoke(t *testing.T) {
	t.Helper()
	sample, err := os.ReadFile("../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	batch := fmt.Sprintf(`[%s,{"data":[[1]]},%s]`, sample, sample)
	for _, tt := range []struct {
		name, in string
		args     []string
		code     int
		answer   string // part of it
		log      string
	}{
		{"HTTP", `{"data":[]}`, []string{"--invoke", "http", "--data", "-"}, 0, "[]", ""},
		{"HTTP, wrong", `{"data":[[1]]}`, []string{"--invoke", "http", "--data", "-"}, exitInvalid, "expected 64", "400 Bad Request"},
		{"queue", "", []string{"--invoke", "queue"}, 0, `"result":[2]`, "queue score-out <-"},
		{"queue, Content-Length", "", []string{"--invoke", "QUEUE", "--framing", "coretools"}, 0, `"result":[2]`, "queue score-out <-"},
		{"queue, poison", `{"data":[[1]]}`, []string{"--invoke", "queue", "--data", "-"}, exitScore, `{"data":[[1]]}`, "queue failed 5 times: it is poison and goes to the queue score-in-poison"},
		{"blob", "", []string{"--invoke", "blob", "--data", "../model/digits/1/sample.json"}, 0, `"result":[2]`, "blob scored/sample.json <-"},
		{"Event Grid", "", []string{"--invoke", "eventgrid"}, 0, "", "Executed 'Functions.eventgrid' (Succeeded"},
		{"Event Grid, wrong", `{"data":[[1]]}`, []string{"--invoke", "eventgrid", "--data", "-"}, exitScore, "", "Event Grid delivers all events of the delivery again"},
		{"Event Hubs", batch, []string{"--invoke", "eventhub", "--data", "-", "--env", "SCOREFN_POISON=drop"}, 0, `"results":[{`, "eventHub score-out <-"},
		{"Service Bus", "", []string{"--invoke", "servicebus"}, 0, `"result": [`, "serviceBus score-out <-"},
		{"Service Bus, dead", "nonsense", []string{"--invoke", "servicebus", "--data", "-"}, exitScore, "", "failed 10 times: the message goes to the dead letters of score-in"},
		{"timer", "", []string{"--invoke", "timer"}, 0, "", "(Succeeded"},
		{"no model", "", []string{"--invoke", "http", "--env", "AZUREML_MODEL_DIR=/nowhere"}, exitInit, "", "Exceeded http worker restart retry count. Shutting down Functions Host"},
		{"no function", "", []string{"--invoke", "none"}, exitUsage, "", `there is no function "none"; there are blob, `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, answer, log := r.invoke(t, tt.in, tt.args...)
			if code != tt.code || !strings.Contains(answer, tt.answer) || !strings.Contains(log, tt.log) {
				t.Errorf("exit %d, %s\n%s", code, answer, log)
			}
			if strings.Contains(log, "TRAP") {
				t.Errorf("a trap:\n%s", log)
			}
		})
	}
}

func (r azureRig) testOutFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for range 2 {
		if code, answer, log := r.invoke(t, "", "--invoke", "queue", "--out", dir); code != 0 || answer != "" {
			t.Fatalf("exit %d, %s\n%s", code, answer, log)
		}
	}
	if code, _, log := r.invoke(t, "", "--invoke", "blob", "--name", "../../a/../b.json", "--out", dir); code != 0 {
		t.Fatal(log)
	}
	var files []string
	err := filepath.WalkDir(filepath.Dir(dir), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			name, err = filepath.Rel(dir, name)
			files = append(files, filepath.ToSlash(name))
		}
		return err
	})
	if want := "blob/b.json queue/score-out/000001 queue/score-out/000002"; err != nil || strings.Join(files, " ") != want {
		t.Errorf("%q, want %s, %v", files, want, err)
	}
}

// testMany has one run at a time: none of them is lost, refused or poison.
func (r azureRig) testMany(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	url, _, log := r.serve(t, "--out", dir, "--env", "SCOREFN_CONCURRENCY=1", "--env", "GOMAXPROCS=1")
	sample, err := os.ReadFile("../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	input, err := azureemu.ManualInput(sample)
	if err != nil {
		t.Fatal(err)
	}
	const n = 200
	var posts sync.WaitGroup
	for range n {
		posts.Go(func() {
			a, err := http.Post(url+azureemu.AdminPath+"queue", "application/json", bytes.NewReader(input))
			if err != nil {
				t.Error(err)
				return
			}
			a.Body.Close()
			if a.StatusCode != http.StatusAccepted {
				t.Errorf("%s", a.Status)
			}
		})
	}
	posts.Wait()
	log.find(t, fmt.Sprintf(`(?s)(?:Executed 'Functions.queue' \((Succeeded).*?){%d}`, n))
	var same []byte
	for i := 1; i <= n; i++ {
		b, err := os.ReadFile(filepath.Join(dir, "queue", "score-out", fmt.Sprintf("%06d", i)))
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Result json.RawMessage }
		if err := json.Unmarshal(b, &f); err != nil || string(bytes.Join(bytes.Fields(f.Result), nil)) != "[2]" {
			t.Fatalf("%s %v", b, err)
		}
		same = f.Result
	}
	if len(same) == 0 || strings.Contains(log.String(), "Failed") {
		t.Error("one failed")
	}
}

// testDeadline has a run that would last for years beside one that is done at once: the first ends alone, before the host's
// timeout would end the process and with it everything.
func (r azureRig) testDeadline(t *testing.T) {
	t.Helper()
	model := onnxtest.Long(2).Temp(t)
	url, _, log := r.serve(t, "--function-timeout", "5s", "--env", "AZUREML_MODEL_DIR="+filepath.Dir(model), "--env", "SCOREFN_CONCURRENCY=2")
	ask := func(turns int) (int, []byte) {
		body := fmt.Sprintf(`{"data":{"turns":%d,"x":[[1,0],[0,1]]}}`, turns)
		return functiontest.Post(url+"/api/score")(t, []byte(body))
	}
	type reply struct {
		status int
		answer []byte
	}
	slow := make(chan reply, 1)
	go func() {
		status, answer := ask(1 << 40)
		slow <- reply{status, answer}
	}()
	log.find(t, `(Executing) 'Functions.http'`)
	if status, answer := ask(3); status != http.StatusOK || string(answer) != "[[1.0,0.0],[0.0,1.0]]" {
		t.Errorf("the neighbour: %d %s", status, answer)
	}
	if late := <-slow; late.status < 500 || !json.Valid(late.answer) {
		t.Errorf("%d %s", late.status, late.answer)
	}
	if status, _ := ask(3); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
	if text := log.String(); strings.Contains(text, "killed") || strings.Count(text, "Worker process started") != 1 {
		t.Error("the process did not survive")
	}
}
