//go:build unix

package azureemu_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/azureemu"
	"github.com/scorefn/scorefn/local/process"
)

// TestProcess is case_process.json; a row that no test here is about fails.
func TestProcess(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T){
		"0": testExitZero, "200": testExitRestart, "other": testExitOther,
		"host stop, host.json change, timeout, restart": testStop,
		"function timeout": testTimeout, "stdout line": testLines, "stderr line": testLines,
	}
	for _, row := range table[struct {
		Code  any `json:"exit_code"`
		Event string
	}](t, "case_process.json") {
		name := row.Event
		if row.Code != nil {
			name = fmt.Sprint(row.Code)
		}
		test, ok := tests[name]
		if !ok {
			t.Errorf("no test for %q", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func testExitZero(t *testing.T) {
	t.Helper()
	r := start(t, setup{files: scoreHTTP, handler: func(http.ResponseWriter, *http.Request) {}})
	r.waitReady()
	r.next().tell("exit 0")
	r.log.wait(t, 1, "TRAP handler, exit-0")
	for range 2 {
		if w := r.ask("POST", "/api/score", "{}"); w.Code != 500 || w.Body.Len() != 0 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if !strings.Contains(r.log.String(), "connection refused") || len(r.starts) != 0 {
		t.Errorf("%d more starts", len(r.starts))
	}
}

func testExitRestart(t *testing.T) {
	t.Helper()
	r := start(t, setup{files: scoreHTTP, handler: func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, `{"Outputs":{"res":{"body":"ok"}}}`) }})
	for range 5 { // more often than errors are forgiven
		r.waitReady()
		r.next().tell("exit 200")
	}
	r.next()
	if w := r.ask("POST", "/api/score", "{}"); w.Body.String() != "ok" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func testExitOther(t *testing.T) {
	t.Helper()
	r := start(t, setup{files: scoreHTTP})
	for n := range 3 {
		c := r.next()
		r.log.wait(t, n+1, "Worker process started and initialized.")
		for _, line := range []string{"one", "two", "three", "four"} {
			c.tell("err " + line)
		}
		c.tell("exit 7")
	}
	<-r.Done()
	const sentence = "Exceeded http worker restart retry count. Shutting down Functions Host"
	if err := r.Err(); err == nil || err.Error() != sentence {
		t.Errorf("%v", err)
	}
	log := r.log.String()
	if strings.Count(log, "exit status 7: two / three / four") != 3 || strings.Count(log, sentence) != 1 {
		t.Error("the log does not say why")
	}
	if err := r.Ready(t.Context()); err == nil || err.Error() != sentence {
		t.Errorf("ready: %v", err)
	}
	if w := r.ask("POST", "/api/score", "{}"); w.Code != 500 {
		t.Errorf("%d", w.Code)
	}
}

func testStop(t *testing.T) {
	t.Helper()
	r := start(t, setup{files: scoreHTTP})
	c := r.next()
	r.waitReady()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if alive(c.pid) {
		t.Errorf("process %d is alive", c.pid)
	}
	if err := r.Ready(t.Context()); !errors.Is(err, azureemu.ErrClosed) {
		t.Errorf("ready after the end: %v", err)
	}
	if w := r.ask("POST", "/api/score", "{}"); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
	if len(r.starts) != 0 {
		t.Error("it was started again")
	}
}

// testTimeout is a function that takes too long, and takes its neighbour with it.
func testTimeout(t *testing.T) {
	t.Helper()
	slow, neighbour := make(chan struct{}, 1), make(chan struct{}, 1)
	r := start(t, setup{
		config: azureemu.Config{FunctionTimeout: 2500 * time.Millisecond},
		files:  map[string]string{"score/function.json": fmt.Sprintf(httpJSON, ""), "queue/function.json": queueJSON},
		host:   `,"initializationTimeout":"00:01:00"`,
		handler: func(w http.ResponseWriter, q *http.Request) {
			b, _ := io.ReadAll(q.Body)
			switch {
			case strings.Contains(string(b), "again"):
				answerJSON(w, `{"Outputs":{"res":{"body":"ok"}}}`)
			case q.URL.Path == "/queue":
				neighbour <- struct{}{}
				<-q.Context().Done()
			default:
				slow <- struct{}{}
				<-q.Context().Done()
			}
		},
	})
	first := r.next()
	type end struct {
		status int
		err    error
	}
	ends := make(chan end, 2)
	go func() {
		w := r.ask("POST", "/api/score", `{"data":1}`)
		ends <- end{status: w.Code}
	}()
	<-slow
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := r.tryDeliver(ctx, "queue", "x")
		ends <- end{err: err}
	}()
	<-neighbour
	second := r.next()
	cancel()
	for range 2 {
		if e := <-ends; e.status != 0 && e.status != 500 {
			t.Errorf("%+v", e)
		}
	}
	if second.pid == first.pid || alive(first.pid) {
		t.Error("the first process lives")
	}
	log := r.log.String()
	for _, want := range []string{ // which of the two is too late first is the scheduler's to say
		"Timeout value of 00:00:02.5000000 was exceeded by function: Functions.", "'Functions.score' (Failed", "'Functions.queue' (Failed",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is not in the log", want)
		}
	}
	if w := r.ask("POST", "/api/score", `{"data":"again"}`); w.Body.String() != "ok" {
		t.Errorf("after the restart: %d %s", w.Code, w.Body)
	}
}

func testLines(t *testing.T) {
	t.Helper()
	r := start(t, setup{files: scoreHTTP})
	c := r.next()
	for _, l := range []string{"out plain", "err broken", "err a WARNing"} {
		c.tell(l)
	}
	for _, line := range []string{"INFO  | plain", "ERROR | broken", "WARN  | a WARNing"} {
		r.log.wait(t, 1, line)
	}
}

// TestReadiness is case_readiness.json.
func TestReadiness(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T){
		"connection refused": testRefused, "any HTTP status for GET / (200, 404, 500)": testAnyStatus,
		"connection accepted, no answer yet": testHeld, "accepted, then closed without HTTP": testDropped,
		"never listening": testNeverListening, "invocation during start": testDuringStart,
	}
	for _, row := range table[struct{ Case string }](t, "case_readiness.json") {
		test, ok := tests[row.Case]
		if !ok {
			t.Errorf("no test for %q", row.Case)
			continue
		}
		t.Run(row.Case, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func testRefused(t *testing.T) {
	t.Helper()
	r := start(t, setup{manual: true, files: scoreHTTP})
	c := r.next() // connections are refused meanwhile
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ready before it listens: %v", err)
	}
	c.tell("listen")
	r.waitReady()
}

func testAnyStatus(t *testing.T) {
	t.Helper()
	for _, status := range []int{200, 404, 500} {
		r := start(t, setup{files: scoreHTTP, ping: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }})
		r.waitReady()
	}
}

// testHeld is an init that takes longer than the limit behind an open port; the time itself is in TestProbe.
func testHeld(t *testing.T) {
	t.Helper()
	held, release := make(chan struct{}, 1), make(chan struct{})
	r := start(t, setup{files: scoreHTTP, ping: func(_ http.ResponseWriter, _ *http.Request) {
		held <- struct{}{}
		<-release
	}})
	<-held
	if strings.Contains(r.log.String(), "initialized") {
		t.Error("ready before the answer")
	}
	close(release)
	r.waitReady()
}

func testDropped(t *testing.T) {
	t.Helper()
	r := start(t, setup{manual: true, files: scoreHTTP})
	r.next().tell("drop")
	r.waitReady()
	if w := r.ask("POST", "/api/score", "{}"); w.Code != 500 {
		t.Errorf("%d", w.Code)
	}
}

func testNeverListening(t *testing.T) {
	t.Helper()
	var starts atomic.Int32
	r := start(t, setup{manual: true, files: scoreHTTP, config: azureemu.Config{
		InitTimeout: 200 * time.Millisecond, Started: func(int) { starts.Add(1) },
	}})
	<-r.Done()
	if n := starts.Load(); n != 3 || strings.Count(r.log.String(), "Initializing HttpWorker timed out") != 3 || r.Err() == nil {
		t.Errorf("%d starts, %v", n, r.Err())
	}
}

func testDuringStart(t *testing.T) {
	t.Helper()
	r := start(t, setup{manual: true, files: scoreHTTP, handler: func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, `{"Outputs":{"res":{"body":"ok"}}}`)
	}})
	asked := make(chan string)
	go func() { asked <- r.ask("POST", "/api/score", "{}").Body.String() }()
	r.log.wait(t, 1, "Executing 'Functions.score'")
	r.next().tell("listen")
	if got := <-asked; got != "ok" {
		t.Errorf("%s", got)
	}

	// One that is held for too long stops the host: the first ping is answered never.
	r = start(t, setup{files: scoreHTTP, config: azureemu.Config{InitTimeout: 50 * time.Millisecond}, ping: func(_ http.ResponseWriter, q *http.Request) {
		<-q.Context().Done()
	}, manual: true})
	go func() {
		for {
			select {
			case c := <-r.starts:
				c.tell("listen")
			case <-r.Done():
				return
			}
		}
	}()
	if w := r.ask("POST", "/api/score", "{}"); w.Code != 500 {
		t.Errorf("%d", w.Code)
	}
	<-r.Done()
}

func TestWhatTheHandlerIsStartedWith(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host := fmt.Sprintf(`{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"%%HANDLER%%","workingDirectory":"work",
		"arguments":["--a=%%X%%","%%UNSET%%","two words","\"one word\""]}}}`)
	r := start(t, setup{
		manual: true, config: azureemu.Config{Env: []string{"HANDLER=" + self, "X=y"}},
		files: map[string]string{
			"host.json": host, "work/.keep": "", "score/function.json": fmt.Sprintf(httpJSON, ""),
			"local.settings.json": `{"Values":{"FROM_FILE":"1","X":"beaten"}}`,
		},
	})
	c := r.next()
	root := r.App().Root
	if got, want := c.dir, filepath.Join(root, "work"); got != want && filepath.Base(got) != "work" {
		t.Errorf("in %s, want %s", got, want)
	}
	if want := "--a=y,two,words,one word"; c.args != want {
		t.Errorf("arguments %s, want %s", c.args, want)
	}
	env := strings.Split(c.env, ",")
	for _, want := range []string{"FUNCTIONS_APP_ROOT_PATH=" + root, "FUNCTIONS_WORKER_RUNTIME=custom", "X=y", "FROM_FILE=1"} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in %s", want, c.env)
		}
	}
	value := func(name string) string {
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				return v
			}
		}
		return ""
	}
	if p := value("FUNCTIONS_CUSTOMHANDLER_PORT"); p == "" || p != value("FUNCTIONS_HTTPWORKER_PORT") {
		t.Errorf("port %q", p)
	}
	if id := value("FUNCTIONS_CUSTOMHANDLER_WORKER_ID"); len(id) != 36 || id != value("FUNCTIONS_HTTPWORKER_ID") {
		t.Errorf("id %q", id)
	}
}

func TestAPortOfHostJSON(t *testing.T) {
	t.Parallel()
	free, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	r := start(t, setup{manual: true, files: scoreHTTP, host: fmt.Sprintf(`,"port":%q`, port)})
	if c := r.next(); !strings.Contains(c.env, "FUNCTIONS_CUSTOMHANDLER_PORT="+port+",") {
		t.Errorf("%s", c.env)
	}
}

func TestInputBindingsAreWarnedOf(t *testing.T) {
	t.Parallel()
	r := start(t, setup{manual: true, files: map[string]string{"score/function.json": `{"bindings":[{"type":"timerTrigger","direction":"in","name":"t"},
		{"type":"blob","direction":"in","name":"extra","path":"a/b"},{"type":"table","direction":"in","name":"rows"}]}`}})
	r.log.wait(t, 1, `WARN  score: the input binding "extra" reads a blob, and there is no storage`)
	r.log.wait(t, 1, `WARN  score: the input binding "rows" of type table is not emulated`)
}

func TestGraceLetsTheHandlerEndByItself(t *testing.T) {
	t.Parallel()
	r := start(t, setup{files: scoreHTTP, config: azureemu.Config{Grace: long}})
	c := r.next()
	if err := r.Close(); err != nil || alive(c.pid) { // the fake has Go's default for SIGTERM: it ends
		t.Errorf("%v", err)
	}
}

// alive tells whether there is such a process.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
