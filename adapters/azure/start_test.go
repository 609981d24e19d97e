package azure_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// The host takes any answer to its probe as a sign that it may send requests, and does not count the time that one is held.
func TestTheProbeIsHeldUntilTheModelIsLoaded(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "readiness") {
		if textOf(c["case"]) == "connection accepted, no answer yet" && !strings.Contains(textOf(c["host"]), "not counted in initializationTimeout") {
			t.Errorf("the host: %s", c["host"])
		}
	}
	pipe := newPipe(t)
	p := startDrill(t, "wait:"+pipe, nil)
	loaded := p.reads(t, pipe) // the process listens before init
	answered, scored := make(chan error, 1), make(chan error, 1)
	var written sync.WaitGroup
	written.Add(2)
	ask := func(method, path, body string, done chan<- error) {
		sent := sync.OnceFunc(written.Done)
		defer sent()
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent() }})
		q, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(body))
		if err != nil {
			done <- err
			return
		}
		r, err := http.DefaultClient.Do(q)
		if err == nil && r.StatusCode != 200 {
			err = fmt.Errorf("status %d", r.StatusCode)
		}
		if err == nil {
			err = r.Body.Close()
		}
		done <- err
	}
	go ask(http.MethodGet, "/", "", answered)
	go ask(http.MethodPost, "/queue", `{"Data":{"msg":"\"{\\\"data\\\":1}\""},"Metadata":{}}`, scored)
	written.Wait()
	if len(answered)+len(scored) > 0 {
		t.Error("answered before the model was loaded")
	}
	if err := loaded.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := <-scored; err != nil {
		t.Errorf("an invocation during start: %v", err)
	}
	for range 3 { // the later pings of the scale controller
		if status, err := p.ping(); err != nil || status != 200 {
			t.Errorf("got %d, %v", status, err)
		}
	}
	if log := p.log(t); strings.Contains(log, `"route":"/"`) {
		t.Errorf("pings are in the log:\n%s", log)
	}
}

func TestAFailedInitIsOneLineAndStatus1(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, how, env, want string
	}{
		{"of the script", "fail", "", "init failed: the model | is broken"},
		{"setting", "", "SCOREFN_POISON=keep", "SCOREFN_POISON"},
		{"setting of the core", "", "SCOREFN_QUEUE=many", "SCOREFN_QUEUE"},
		{"output without a credential", "", "SCOREFN_OUTPUT=https://a.blob.core.windows.net/c/p", "there is no credential for https://a.blob.core.windows.net/c/p"},
		{"output elsewhere", "", "SCOREFN_OUTPUT=https://example.com/c/p", "neither a blob of the configured account nor of Azure's storage"},
		{"no port", "", "FUNCTIONS_CUSTOMHANDLER_PORT=", "FUNCTIONS_CUSTOMHANDLER_PORT is not set"},
		{"no number", "", "FUNCTIONS_CUSTOMHANDLER_PORT=http", `FUNCTIONS_CUSTOMHANDLER_PORT="http": expected a port`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startDrill(t, tt.how+":", nil, tt.env)
			if code := p.exit(t); code != 1 {
				t.Errorf("exit status %d", code)
			}
			if got := p.stderr.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "scorefn: ") || !strings.Contains(got, tt.want) {
				t.Errorf("standard error: %q", got)
			}
		})
	}
	t.Run("host.json", func(t *testing.T) {
		t.Parallel()
		p := startDrill(t, "ok", map[string]string{"host.json": `{"functionTimeout":"soon"}`})
		if code := p.exit(t); code != 1 || !strings.Contains(p.stderr.String(), `functionTimeout "soon": expected hh:mm:ss`) {
			t.Errorf("%d %s", code, p.stderr.String())
		}
	})
}

// What may pass is tried again in the process: the host would start it three times at once and then end itself.
func TestAFailedInitThatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := startDrill(t, "flaky:"+filepath.Join(t.TempDir(), "once"), nil).ready(t)
	if r := p.post(t, "/api/score", []byte(`{"data":7}`), length, nil); r.status != 200 || string(r.body) != "7" {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if log := p.log(t); !strings.Contains(log, "init failed and is tried again") {
		t.Errorf("log:\n%s", log)
	}
}

// After 0 the host does nothing: the app would be dead. 200 is no error and has the process started again.
func TestASignalEndsWithStatus200(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "process") {
		if code := string(c["exit_code"]); code == "200" && !strings.Contains(textOf(c["host"]), "not counted as an error") {
			t.Errorf("the host: %s", c["host"])
		}
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		p := startDrill(t, "ok", nil).ready(t)
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if code := p.exit(t); code != 200 || p.stderr.String() != "" {
			t.Errorf("%v: exit status %d, %q", signal, code, p.stderr.String())
		}
	}
}

// A load cannot be stopped: the process goes without it, and without what waits for it.
func TestASignalEndsALoadThatGoesOn(t *testing.T) {
	t.Parallel()
	pipe := newPipe(t)
	p := startDrill(t, "wait:"+pipe, nil)
	loaded := p.reads(t, pipe)
	defer loaded.Close()
	probe, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	if _, err := io.WriteString(probe, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != 200 || p.stderr.String() != "" {
		t.Errorf("exit status %d, %q", code, p.stderr.String())
	}
	if answer, _ := io.ReadAll(probe); len(answer) > 0 {
		t.Errorf("the host is told that it may send requests: %s", answer)
	}
}
