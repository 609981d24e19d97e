package lambdaemu_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

func TestAProcessIsReused(t *testing.T) {
	t.Parallel()
	e, out := start(t, nil)
	first := pid(t, e)
	for range 20 {
		if again := pid(t, e); again != first {
			t.Fatalf("process %s after %s", again, first)
		}
	}
	if n := count(out, "Init Duration: "); n != 1 {
		t.Errorf("%d inits", n)
	}
	report := regexp.MustCompile(`(?m)^REPORT RequestId: [0-9a-f-]{36}\tDuration: [0-9.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 1769 MB(\tMax Memory Used: \d+ MB)?\tInit Duration: [0-9.]+ ms$`)
	if !report.MatchString(out.String()) {
		t.Error("no REPORT with an init duration")
	}
	if n := count(out, "START RequestId: "); n != 21 || n != count(out, "END RequestId: ") {
		t.Errorf("%d STARTs", n)
	}
}

func TestParallelCallsHaveTheirOwnProcesses(t *testing.T) {
	t.Parallel()
	const n = 3
	e, _ := start(t, func(c *lambdaemu.Config) { c.Concurrency = n })
	url, arrived, open := gate(t)
	var calls sync.WaitGroup
	pids := make([]string, n)
	for i := range n {
		calls.Go(func() {
			if a, err := e.Invoke(t.Context(), lambdaemu.Call{Payload: order{Do: "ask", URL: url}.json()}); err == nil {
				pids[i] = string(a.Payload)
			}
		})
	}
	for range n {
		<-arrived // all at the same time
	}
	_, err := e.Invoke(t.Context(), lambdaemu.Call{})
	r, ok := errors.AsType[*lambdaemu.RejectedError](err)
	if !ok || r.Status != 429 || r.Type != "TooManyRequestsException" {
		t.Errorf("one more: %v", err)
	}
	if w := post(t, e.Handler(), lambdaemu.InvokePath, nil); w.Code != 429 || w.Header().Get("X-Amzn-Errortype") != "TooManyRequestsException" {
		t.Errorf("one more over HTTP: %d %s", w.Code, w.Body)
	}
	open()
	calls.Wait()
	slices.Sort(pids)
	if len(slices.Compact(slices.Clone(pids))) != n || pids[0] == "" {
		t.Errorf("processes %q", pids)
	}
	if again := pid(t, e); !slices.Contains(pids, again) {
		t.Errorf("process %s, there were %q", again, pids)
	}
}

func TestTimeoutKillsAndStartsAfresh(t *testing.T) {
	t.Parallel()
	e, out := start(t, func(c *lambdaemu.Config) { c.Timeout = 1500 * time.Millisecond })
	before := pid(t, e)
	a := invoke(t, e, order{Do: "hang"})
	wantError(t, a, "Sandbox.Timedout", `^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.50 seconds$`)
	if !strings.Contains(string(a.Log), "hangs\n") || !strings.Contains(string(a.Log), "Task timed out after 1.50 seconds\n") {
		t.Errorf("log %s", a.Log)
	}
	if count(out, "Status: timeout") != 1 {
		t.Error("no Status: timeout in the REPORT")
	}
	if after := pid(t, e); after == before {
		t.Error("the process lives on")
	}
}

func TestTheCallerDoesNotWaitForWhatFollowsTheAnswer(t *testing.T) {
	t.Parallel()
	e, out := start(t, func(c *lambdaemu.Config) { c.Timeout, c.Timing.Settle = 1500*time.Millisecond, time.Millisecond })
	if a := invoke(t, e, order{Do: "answer-and-hang"}); a.FunctionError != "" {
		t.Errorf("%s", a.Payload)
	}
	pid(t, e) // another process, meanwhile
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if n := count(out, "END RequestId"); n != 2 {
		t.Errorf("%d calls have ended", n)
	}
}

func TestEndsOfTheProcess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ do, kind, message string }{
		{"exit", "Runtime.ExitError", "Runtime exited with error: exit status 3$"},
		{"exit-0", "Runtime.ExitError", "Runtime exited without providing a reason$"},
		{"panic", "string", "^at the disco$"},
	} {
		t.Run(c.do, func(t *testing.T) {
			t.Parallel()
			e, _ := start(t, nil)
			before := pid(t, e)
			wantError(t, invoke(t, e, order{Do: c.do}), c.kind, c.message)
			if pid(t, e) == before {
				t.Error("the process is the same")
			}
		})
	}
}

func TestFunctionErrorKeepsTheProcess(t *testing.T) {
	t.Parallel()
	e, out := start(t, nil)
	before := pid(t, e)
	wantError(t, invoke(t, e, order{Do: "error"}), "Function.Broken", "^on purpose$")
	if pid(t, e) != before {
		t.Error("the process is another")
	}
	if count(out, "Status: error\tError Type: Function.Broken") != 1 {
		t.Error("the REPORT does not tell")
	}
}

func TestInitFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ init, kind, message string }{
		{"exit", "Runtime.ExitError", "Runtime exited with error: exit status 7$"},
		{"error", "Model.NotFound", "^no model$"},
	} {
		t.Run(c.init, func(t *testing.T) {
			t.Parallel()
			e, out := start(t, func(cfg *lambdaemu.Config) { cfg.Env = append(cfg.Env, "FAKE_INIT="+c.init) })
			a := invoke(t, e, order{})
			wantError(t, a, c.kind, c.message)
			if !a.InitFailed {
				t.Error("InitFailed is not set")
			}
			for _, phase := range []string{"init", "invoke"} { // once before the call and once inside
				if n := count(out, "Phase: "+phase+"\tStatus: error\tError Type: "+c.kind); n != 1 {
					t.Errorf("%d INIT_REPORTs of phase %s", n, phase)
				}
			}
		})
	}
}

func TestNoExecutable(t *testing.T) {
	t.Parallel()
	e, _ := start(t, func(c *lambdaemu.Config) { c.Command = []string{filepath.Join(c.Dir, "bootstrap")} })
	wantError(t, invoke(t, e, order{}), "Runtime.InvalidEntrypoint", "no such file")
}

func TestSlowInitIsTriedAgainInsideTheCall(t *testing.T) {
	t.Parallel()
	e, out := start(t, func(c *lambdaemu.Config) {
		c.Timing.Init = 1500 * time.Millisecond // enough to get as far as to hang
		c.Env = append(c.Env, "FAKE_INIT=hang-once="+filepath.Join(t.TempDir(), "once"))
	})
	pid(t, e)
	if count(out, "Phase: init\tStatus: timeout") != 1 || strings.Contains(out.String(), "Phase: invoke") {
		t.Error("want one init that timed out and one that did not")
	}
}

func TestSlowInitIsBoundByTheFunctionsTimeout(t *testing.T) {
	t.Parallel()
	e, out := start(t, func(c *lambdaemu.Config) {
		c.Timing.Init, c.Timeout = 50*time.Millisecond, 100*time.Millisecond
		c.Env = append(c.Env, "FAKE_INIT=hang")
	})
	wantError(t, invoke(t, e, order{}), "Sandbox.Timedout", `Task timed out after 0\.10 seconds$`)
	if count(out, "Phase: invoke\tStatus: timeout") != 1 {
		t.Error("the second init is not reported")
	}
}

// lines is a writer that passes on what is written.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestLongInitShowsProgress(t *testing.T) {
	t.Parallel()
	url, arrived, open := gate(t)
	progress := make(lines, 10000)
	e, _ := start(t, func(c *lambdaemu.Config) {
		c.Progress, c.Timing.Progress = progress, time.Millisecond
		c.Env = append(c.Env, "FAKE_INIT=ask="+url)
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = e.Invoke(t.Context(), lambdaemu.Call{})
	}()
	<-arrived
	if line := <-progress; !strings.HasPrefix(line, "init: ") {
		t.Errorf("%q", line)
	}
	open()
	<-done
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, _ := start(t, func(c *lambdaemu.Config) {
		c.Name, c.MemoryMB, c.Dir = "digits", 512, dir
		c.Env = append(c.Env, "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_RUNTIME_API=nonsense", "MINE=a=b")
	})
	a, err := e.Invoke(t.Context(), lambdaemu.Call{Payload: order{Do: "context"}.json(), Function: "digits:live", RequestID: "my-id", ClientContext: `{"a":1}`, TraceID: "Root=1"})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Env    []string
		Dir    string
		Header map[string][]string
	}
	if err := json.Unmarshal(a.Payload, &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AWS_LAMBDA_FUNCTION_NAME=digits", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"LAMBDA_TASK_ROOT=" + dir, "AWS_REGION=us-east-1", "AWS_LAMBDA_LOG_FORMAT=JSON", "MINE=a=b", "TZ=:UTC",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/digits",
	} {
		if !slices.Contains(got.Env, want) {
			t.Errorf("no %s", want)
		}
	}
	if slices.ContainsFunc(got.Env, func(s string) bool { return strings.HasPrefix(s, "HOME=") || s == "AWS_LAMBDA_LOG_FORMAT=Text" }) {
		t.Errorf("too much in %q", got.Env)
	}
	if real, err := filepath.EvalSymlinks(dir); err != nil || got.Dir != real {
		t.Errorf("working directory %s", got.Dir)
	}
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id": "my-id", "Lambda-Runtime-Client-Context": `{"a":1}`, "Lambda-Runtime-Trace-Id": "Root=1",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:digits:live",
	} {
		if v := got.Header[name]; len(v) != 1 || v[0] != want {
			t.Errorf("%s is %q", name, v)
		}
	}
	if len(got.Header["Lambda-Runtime-Deadline-Ms"]) != 1 {
		t.Error("no deadline")
	}
}

func TestMisuseOfTheRuntimeAPI(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	a := invoke(t, e, order{Do: "misuse"})
	var got []string
	if err := json.Unmarshal(a.Payload, &got); err != nil || len(got) != 3 {
		t.Fatalf("%s %v", a.Payload, err)
	}
	for i, want := range []string{`400 {"errorType":"InvalidRequestID"`, `403 {"errorType":"InvalidStateTransition"`, `403 {"errorType":"InvalidStateTransition"`} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("%d: got %s, want %s", i, got[i], want)
		}
	}
}

func TestCloseEndsCallsAndProcesses(t *testing.T) {
	t.Parallel()
	e, out := start(t, func(c *lambdaemu.Config) { c.Env = append(c.Env, "FAKE_INIT=sigterm") })
	url, arrived, _ := gate(t)
	ended := make(chan *lambdaemu.Answer)
	go func() {
		a, _ := e.Invoke(t.Context(), lambdaemu.Call{Payload: order{Do: "ask", URL: url}.json()})
		ended <- a
	}()
	<-arrived
	go func() { _ = e.Close() }()
	if a := <-ended; a == nil || a.ErrorType != "Runtime.ExitError" {
		t.Errorf("the call ended with %+v", a)
	}
	if err := e.Close(); err != nil { // waits for the first
		t.Error(err)
	}
	if count(out, "SIGTERM came") != 1 {
		t.Error("no SIGTERM for a process that registered an extension")
	}
	if _, err := e.Invoke(t.Context(), lambdaemu.Call{}); !errors.Is(err, lambdaemu.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := e.InvokeAsync(lambdaemu.Call{}); !errors.Is(err, lambdaemu.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
