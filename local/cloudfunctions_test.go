package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/local/gcfemu"
	"github.com/scorefn/scorefn/local/gcfemu/event"
)

// TestCloudFunctions runs the real function and the real container, each built once.
func TestCloudFunctions(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	dir := t.TempDir()
	for _, p := range []string{"framework", "server"} {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", filepath.Join(dir, p), "../adapters/cloudfunctions/"+p).CombinedOutput()
		if err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	model, err := filepath.Abs("../model")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--addr", "127.0.0.1:0", "--env", "ONNXRUNTIME_LIB=" + onnx.LibraryPath(), "--env", "AZUREML_MODEL_DIR=" + model, "--concurrency", "8"}
	function := with(args, "--program", filepath.Join(dir, "framework"))
	container := with(args, "--program", filepath.Join(dir, "server"), "--server")
	for name, args := range map[string][]string{
		"function": function, "container": container, "container by h2c": with(container, "--http2"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testGoogle(t, args)
		})
	}
	for name, c := range map[string]struct {
		args []string
		code int
		text string
	}{
		"function, no h2c": {with(function, "--http2"), exitUsage, "only a container may"},
		"unknown target":   {with(function, "--target", "Nope"), exitInit, "a deployment of"},
		"no model":         {with(container, "--env", "AZUREML_MODEL_DIR=none"), exitInit, "a deployment of"},
		"a variable taken": {with(function, "--env", "K_SERVICE=x"), exitUsage, "platform's own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testNotStarted(t, c.args, c.code, c.text)
		})
	}
	t.Run("an address in use", func(t *testing.T) {
		t.Parallel()
		testAddressInUse(t, function)
	})
}

// serveGoogle is "scorefn cloudfunctions" until the test ends, and its URL.
func serveGoogle(t *testing.T, args []string) (url string, out *watched) {
	t.Helper()
	out, log := newWatched(), newWatched()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := start(ctx, cloudFunctionsCommand(), args, streams{nil, out, log}, os.Getenv)
		ended <- err
		if err != nil {
			_, _ = out.Write([]byte("ended is served at nowhere")) // nobody waits any longer
		}
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
	return out.find(t, `is served at (\S+)`), out
}

func testGoogle(t *testing.T, args []string) {
	t.Helper()
	url, out := serveGoogle(t, args)
	sample, err := os.ReadFile("../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(m event.Message, path string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(string(m.Body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = m.Header.Clone()
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Status + " " + strings.TrimSpace(string(b))
	}
	plain := event.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: sample}
	if got := ask(plain, "/score"); got != "200 OK [2]" {
		t.Errorf("HTTP: %s", got)
	}
	plain.Body = []byte(`{"data":[[1]]}`)
	if got := ask(plain, "/score"); !strings.HasPrefix(got, `400 Bad Request {"message": "`) {
		t.Errorf("HTTP: %s", got)
	}
	events := 0
	for _, source := range event.Sources() {
		for _, form := range event.Forms() {
			messages, err := source.Make(event.Options{Form: form, Bodies: [][]byte{sample, []byte(`{"data":[[1]]}`), sample}})
			if err != nil { // it names objects, or does not come in that form
				continue
			}
			want := []string{"scored [2]", "dropped ", "scored [2]"}
			if source.Name == "firestore" {
				want = []string{"dropped ", "dropped ", "dropped "}
			}
			var got []string
			for _, m := range messages {
				got = append(got, statuses(t, ask(m, "/"))...)
			}
			events += len(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q, want %q", source.Name, form, got, want)
			}
		}
	}
	if events != 3*(5+3+3) { // pubsub has every form, scheduler and firestore do not come as a push
		t.Errorf("%d events", events)
	}
	if _, err := exec.LookPath("curl"); err == nil { // the line that is printed works when it is pasted
		line := out.find(t, `(?m)^(curl -s .*)$`)
		if b, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil || strings.TrimSpace(string(b)) != "[2]" {
			t.Errorf("%s\n%s %v", line, b, err)
		}
	}
}

// statuses is what became of each event, and its result.
func statuses(t *testing.T, answer string) []string {
	t.Helper()
	body, ok := strings.CutPrefix(answer, "200 OK ")
	var a struct {
		Results []struct {
			Status string
			Result json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || !ok {
		t.Errorf("answer %s", answer)
	}
	var all []string
	for _, r := range a.Results {
		all = append(all, r.Status+" "+string(r.Result))
	}
	return all
}

// testNotStarted expects that exit code and that text.
func testNotStarted(t *testing.T, args []string, code int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // it must end long before
	defer cancel()
	out, log := newWatched(), newWatched()
	err := start(ctx, cloudFunctionsCommand(), args, streams{nil, out, log}, os.Getenv)
	if e, ok := errors.AsType[*exit](err); !ok || e.code != code || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q\n%s%s", err, text, out.String(), log.String())
	}
}

func testAddressInUse(t *testing.T, args []string) {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	err := start(t.Context(), cloudFunctionsCommand(), with(args, "--addr", strings.TrimPrefix(s.URL, "http://")), streams{nil, newWatched(), newWatched()}, os.Getenv)
	if err == nil || !strings.Contains(err.Error(), "choose another address with --addr") {
		t.Error(err)
	}
}

// What a shell may set of the adapter's own table reaches the function; the platform's own variables do not.
func TestWhatIsPassedToGoogle(t *testing.T) {
	t.Parallel()
	passed := googleVariables()
	for _, s := range cloudfunctions.Settings() {
		if strings.HasPrefix(s.Name, "SCOREFN_") || gcfemu.Reserved(s.Name) {
			continue
		}
		if !slices.Contains(passed, s.Name) {
			t.Errorf("%s is not passed on", s.Name)
		}
	}
	for _, name := range passed {
		if gcfemu.Reserved(name) {
			t.Errorf("%s would be refused", name)
		}
	}
}

func TestATriggerMayBeAnURL(t *testing.T) {
	t.Parallel()
	var g gcsFlags
	f := flag.NewFlagSet("", flag.ContinueOnError)
	g.flags(f)
	if err := f.Parse([]string{"--trigger", "gs://in/a*.json", "--trigger", "out"}); err != nil || !slices.Equal(g.triggers, []string{"in/a*.json", "out"}) {
		t.Errorf("got %q, %v", g.triggers, err)
	}
}

func TestTheLineThatPutsAnObject(t *testing.T) {
	t.Parallel()
	for trigger, name := range map[string]string{"in": "sample.json", "in/a b/*.json": "a+b%2Fsample.json", "in/*": "sample"} {
		s := &gcsService{url: "http://h:1", triggers: []string{trigger}}
		want := "curl -s --data-binary '@f.json' 'http://h:1/upload/storage/v1/b/in/o?name=" + name + "&uploadType=media'"
		if got := s.curl("f.json"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", trigger, got, want)
		}
	}
	if got := (*gcsService)(nil).curl("f.json") + (&gcsService{}).curl("f.json"); got != "" {
		t.Error(got)
	}
}

func TestAFunctionThatTriggersItselfIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		trigger, output string
		loop            bool
	}{
		{"in", "gs://in", true},
		{"in", "gs://in/scores", true},
		{"in", "gs://out", false},
		{"in/scores/*", "gs://in/scores", true},
		{"in/scores/new*", "gs://in/scores/", true},
		{"in/images/*", "gs://in/scores", false},
		{"in/*.json", "gs://in/scores", true},
		{"in/*.csv", "gs://in/scores", false},
	} {
		g := &gcsFlags{triggers: []string{"other", c.trigger}}
		out := gcsOutputs([]string{"SCOREFN_OUTPUT=gs://other", "MODEL_DIR=gs://in", "SCOREFN_OUTPUT=" + c.output})
		if len(out) != 1 || out[0].name != "SCOREFN_OUTPUT" {
			t.Fatalf("outputs %v", out)
		}
		if got := g.loop(out[0]) == c.trigger; got != c.loop {
			t.Errorf("%s and %s: %v", c.trigger, c.output, got)
		}
	}
}
