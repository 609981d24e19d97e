package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scorefn/scorefn/adapters/lambda"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/local/lambdaemu"
	"github.com/scorefn/scorefn/local/lambdaemu/door"
	"github.com/scorefn/scorefn/local/lambdaemu/event"
)

// TestLambda runs the real bootstrap, built once.
func TestLambda(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	file := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", file, "../adapters/lambda/bootstrap").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--bootstrap", file, "--task-root", root, "--timeout", "30s", "--env", "ONNXRUNTIME_LIB=" + onnx.LibraryPath()}
	for name, test := range map[string]func(*testing.T, []string){"doors": testDoors, "S3 trigger": testTrigger, "once": testOnce} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, args)
		})
	}
}

// watched is a stream that a test waits for lines of.
type watched struct {
	mu    sync.Mutex
	text  string
	grown chan struct{}
}

func newWatched() *watched { return &watched{grown: make(chan struct{}, 1)} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.text += string(p)
	w.mu.Unlock()
	select {
	case w.grown <- struct{}{}:
	default:
	}
	return len(p), nil
}

// find waits for the pattern and returns its first group. What is not there after minutes will never be.
func (w *watched) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	patience := time.After(2 * time.Minute) // nothing takes so long
	for {
		w.mu.Lock()
		m := re.FindStringSubmatch(w.text)
		w.mu.Unlock()
		if m != nil {
			return m[1]
		}
		select {
		case <-w.grown:
		case <-patience:
			t.Fatalf("no %s in %s", pattern, w)
		}
	}
}

// with is the flags and more, in memory of its own.
func with(args []string, more ...string) []string { return slices.Concat(args, more) }

// serveLambda is "scorefn lambda" until the test ends.
func serveLambda(t *testing.T, args []string) (out, log *watched) {
	t.Helper()
	out, log = newWatched(), newWatched()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- start(ctx, lambdaCommand(), args, streams{nil, out, log}, os.Getenv)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil || !strings.HasSuffix(out.String(), "stopped\n") {
			t.Errorf("ended with %v\n%s%s", err, out.String(), log.String())
		}
		if t.Failed() {
			t.Logf("log:\n%s", log.String())
		}
	})
	return out, log
}

func testDoors(t *testing.T, args []string) {
	t.Helper()
	sample, err := os.ReadFile("../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	out, _ := serveLambda(t, with(args, "--addr", "127.0.0.1:0"))
	url := out.find(t, `is served at (http://\S+)`)
	ask := func(path, body string) string {
		r, err := http.Post(url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.Status + " " + strings.TrimSpace(string(b))
	}
	if got := ask(lambdaemu.InvokePath, string(sample)); got != "200 OK [2]" {
		t.Errorf("invoke: %s", got)
	}
	for _, d := range door.Doors() {
		if got := ask(d.Prefix+"/score", string(sample)); got != "200 OK [2]" {
			t.Errorf("%s: %s", d.Prefix, got)
		}
		if got := ask(d.Prefix+"/score", `{"data":[[1]]}`); !strings.HasPrefix(got, `400 Bad Request {"message": "`) {
			t.Errorf("%s: %s", d.Prefix, got)
		}
	}
	for name, payload := range eventsWithoutObjects(t, sample) {
		if got, want := ask(lambdaemu.InvokePath, payload), "200 OK "+direct(t, payload); scored(got) != scored(want) {
			t.Errorf("%s: %s, without the program %s", name, got, want)
		}
	}
	if _, err := exec.LookPath("curl"); err == nil { // the line that is printed works when it is pasted
		line := out.find(t, `(?m)^(curl -s .*)$`)
		if b, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil || strings.TrimSpace(string(b)) != "[2]" {
			t.Errorf("%s\n%s %v", line, b, err)
		}
	}
}

// eventsWithoutObjects are an event of every source that scores its own bytes: with the sample twice and a mistake between them, and
// as AWS prints it in its documentation.
func eventsWithoutObjects(t *testing.T, sample []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, s := range event.Sources() {
		for _, bodies := range [][][]byte{{sample}, {sample, []byte(`{"data": [[1]]}`), sample}} {
			if b, err := s.Make(event.Options{Bodies: bodies}); err == nil { // the others name objects, or hold one body
				all[fmt.Sprintf("%s of %d", s.Name, len(bodies))] = string(b)
			}
		}
	}
	files, err := filepath.Glob("../adapters/lambda/testdata/*.json")
	if err != nil || len(files) == 0 || len(all) < 10 {
		t.Fatalf("%d files, %d events, %v", len(files), len(all), err)
	}
	for _, file := range files {
		if b, err := os.ReadFile(file); err != nil {
			t.Fatal(err)
		} else if name := filepath.Base(file); !strings.Contains(name, "s3") {
			all[name] = string(b)
		}
	}
	return all
}

// direct is what the handler answers in this process.
func direct(t *testing.T, payload string) string {
	t.Helper()
	f := function.New(score.Init)
	defer f.Close()
	answer, err := lambda.Handler(f, lambda.WithEnv(func(string) string { return "" })).Invoke(t.Context(), []byte(payload))
	if e, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
		answer, err = json.Marshal(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(answer))
}

// scored is an answer without the headers of HTTP, where times and ids are.
func scored(answer string) string {
	return regexp.MustCompile(`"(multiValueH|h)eaders":\{[^}]*\},?`).ReplaceAllString(answer, "")
}

func testTrigger(t *testing.T, args []string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "outbox"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, log := serveLambda(t, with(args, "--addr", "127.0.0.1:0", "--s3-addr", "127.0.0.1:0", "--s3", dir, "--trigger", "inbox/in/*.json", "--env", "SCOREFN_OUTPUT=s3://outbox/r"))
	s3 := out.find(t, `(http://\S+)/BUCKET/KEY`)
	for _, key := range []string{"in/not.txt", "other/not.json", "in/a%20b.json"} {
		f, err := os.Open("../model/digits/1/sample.json")
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest("PUT", s3+"/inbox/"+key, f)
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != 200 {
			t.Fatalf("%s: %s", key, a.Status)
		}
	}
	if answer := log.find(t, `async \S+ answered (.*)`); !strings.Contains(answer, "s3://inbox/in/a b.json") {
		t.Errorf("answer %s", answer)
	}
	var stored []string
	err := filepath.WalkDir(filepath.Join(dir, "outbox"), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			b, readErr := os.ReadFile(name)
			stored, err = append(stored, string(b)), readErr
		}
		return err
	})
	if err != nil || len(stored) != 1 || stored[0] != "[2]" {
		t.Errorf("stored %q %v", stored, err)
	}
}

func testOnce(t *testing.T, args []string) {
	t.Helper()
	for _, c := range []struct {
		name, payload, answer string
		code                  int
		args                  []string
	}{
		{"scored", `{"data":[]}`, `[]`, 0, nil},
		{"function error", `{"data":[[1]]}`, `"errorType":"Function.Invalid"`, exitScore, nil},
		{"no model", `{}`, `"errorType":"Model.NotFound"`, exitInit, []string{"--env", "AZUREML_MODEL_DIR=/nowhere"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := with(with(args, "--event", "-"), c.args...)
			out, log := newWatched(), newWatched()
			err := start(t.Context(), lambdaCommand(), args, streams{strings.NewReader(c.payload), out, log}, os.Getenv)
			code := 0
			if e, ok := errors.AsType[*exit](err); ok {
				code, err = e.code, nil
			}
			if err != nil || code != c.code || !strings.Contains(out.String(), c.answer) {
				t.Errorf("exit %d, %v, %s\n%s", code, err, out.String(), log.String())
			}
			if strings.Contains(log.String(), "deadline") || strings.Contains(log.String(), "unexpected") {
				t.Errorf("its end is told as an error:\n%s", log.String())
			}
		})
	}
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text
}
