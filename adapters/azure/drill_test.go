package azure_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

// drill is the function of this test binary as a handler. The environment says how its init goes.
func drill() *function.Function {
	return function.New(func(context.Context, modeldir.Model) (function.Script, error) {
		switch how, file, _ := strings.Cut(os.Getenv(asDrill), ":"); how {
		case "wait": // until the other end of a pipe is opened and closed
			_, err := os.ReadFile(file)
			return obedient{}, err
		case "fail":
			return nil, function.Errorf(function.Invalid, "the model\nis broken")
		case "flaky": // once for each process, then never again
			if f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				return nil, errors.Join(errors.New("the share is not mounted yet"), f.Close())
			}
		}
		return obedient{}, nil
	}, function.WithModel(modeldir.Model{Name: "drill", Version: "1"}))
}

// holdPipe is the pipe of the command "hold".
const holdPipe = "SCOREFN_TEST_PIPE"

// hold has a run take the only slot, and returns when it has; release ends it.
func (p *process) hold(t *testing.T, pipe string) (release func()) {
	t.Helper()
	held := make(chan error, 1)
	go func() {
		r, err := post(t.Context(), p.url+"/api/score", []byte(`{"data":"hold"}`), length, nil)
		if err == nil && string(r.body) != `"released"` {
			err = fmt.Errorf("%d %s", r.status, r.body)
		}
		held <- err
	}()
	w := p.reads(t, pipe)
	return func() {
		if err := errors.Join(w.Close(), <-held); err != nil {
			t.Error(err)
		}
	}
}

// reads waits until the process has opened a pipe that newPipe made: it then reads until the end that is returned is closed.
func (p *process) reads(t *testing.T, pipe string) io.Closer {
	t.Helper()
	type end struct {
		file *os.File
		err  error
	}
	opened := make(chan end, 1)
	go func() {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		opened <- end{w, err}
	}()
	select {
	case w := <-opened:
		if w.err != nil {
			t.Fatal(w.err)
		}
		return w.file
	case <-p.ended:
		t.Fatalf("the handler ended: %s", p.stderr.String())
	case <-time.After(time.Minute):
		t.Fatalf("the handler does not open the pipe:\n%s", p.out.String())
	}
	panic("not reached")
}

func newPipe(t *testing.T) string {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	return pipe
}

// obedient is a script that does what it is told.
type obedient struct{}

func (obedient) Run(ctx context.Context, data json.RawMessage) (any, error) {
	switch text := string(data); text {
	case `"panic"`:
		panic("secret of the panic")
	case `"slow"`:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case `"deaf"`:
		select {} // no context stops it
	case `"broken"`:
		return nil, errors.New("secret of the script")
	case `"hold"`: // until the other end of a pipe is opened and closed
		_, err := os.ReadFile(os.Getenv(holdPipe))
		return "released", err
	default:
		return data, nil
	}
}

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// startDrill starts this test binary as a handler.
func startDrill(t *testing.T, how string, files map[string]string, env ...string) *process {
	t.Helper()
	if files == nil {
		files = map[string]string{"host.json": forwarding, "score/function.json": httpFunction, "queue/function.json": queueFunction, "mixed/function.json": mixedFunction}
	}
	return start(t, os.Args[0], appFolder(t, files), append(env, asDrill+"="+how)...)
}

func (p *process) ping() (status int, err error) {
	r, err := http.Get(p.url + "/")
	if err != nil {
		return 0, err
	}
	return r.StatusCode, r.Body.Close()
}

func (p *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	panic("not reached")
}

// Its outputs are not known, so that nobody gets the answer: that must not happen without a word.
func TestAFunctionWithoutItsFileIsWarnedOf(t *testing.T) {
	t.Parallel()
	p := startDrill(t, "ok", nil).ready(t)
	if r := p.post(t, "/lost", invocationOf(t, "msg", asText(`{"data":7}`), nil), chunked, nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if log := p.log(t); !strings.Contains(log, "the answer goes nowhere") || !strings.Contains(log, `"function":"lost"`) {
		t.Errorf("log:\n%s", log)
	}
}

func TestAPanicIsOneFailedRequest(t *testing.T) {
	t.Parallel()
	p := startDrill(t, "ok", nil).ready(t)
	if r := p.post(t, "/api/score", []byte(`{"data":"panic"}`), length, nil); r.status != 500 || strings.Contains(string(r.body), "secret") {
		t.Errorf("forwarded: %d %s", r.status, r.body)
	}
	for _, data := range []string{"panic", "broken"} {
		r := p.post(t, "/queue", invocationOf(t, "msg", asText(`{"data":"`+data+`"}`), nil), chunked, nil)
		if _, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body); err == nil || r.status != 500 || strings.Contains(string(r.body), "secret") {
			t.Errorf("queue, %s: %d %s", data, r.status, r.body)
		}
	}
	if r := p.post(t, "/api/score", []byte(`{"data":7}`), length, nil); r.status != 200 {
		t.Errorf("after it: %d %s", r.status, r.body)
	}
	if log := p.log(t); !strings.Contains(log, "secret of the panic") || !strings.Contains(log, "secret of the script") {
		t.Errorf("log:\n%s", log)
	}
}

// At functionTimeout the host would kill the process, and with it every other request.
func TestARunPastTheDeadlineFailsAlone(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"host.json": strings.Replace(forwarding, "00:05:00", "00:00:02", 1), "score/function.json": httpFunction,
		"queue/function.json": queueFunction, "mixed/function.json": mixedFunction,
	}
	p := startDrill(t, "ok", files, "SCOREFN_CONCURRENCY=8").ready(t)
	var group sync.WaitGroup
	for _, data := range []string{"slow", "deaf"} {
		group.Go(func() {
			r, err := post(t.Context(), p.url+"/api/score", []byte(`{"data":"`+data+`"}`), length, nil)
			if err != nil || r.status != 500 || !strings.Contains(string(r.body), "functionTimeout") {
				t.Errorf("forwarded %s: %d %s, %v", data, r.status, r.body, err)
			}
		})
		group.Go(func() {
			r, err := post(t.Context(), p.url+"/queue", invocationOf(t, "msg", asText(`{"data":"`+data+`"}`), nil), chunked, nil)
			if err != nil || r.status != 500 {
				t.Errorf("queue %s: %d %s, %v", data, r.status, r.body, err)
			}
		})
	}
	group.Go(func() { // the neighbours
		for i := range 200 {
			want := fmt.Sprint(i)
			if r, err := post(t.Context(), p.url+"/api/score", []byte(`{"data":`+want+`}`), length, nil); err != nil || string(r.body) != want {
				t.Errorf("a neighbour: %d %s, %v", r.status, r.body, err)
				return
			}
		}
	})
	group.Wait()
	if r := p.post(t, "/api/score", []byte(`{"data":7}`), length, nil); r.status != 200 {
		t.Errorf("after it: %d %s", r.status, r.body)
	}
	if log := p.log(t); !strings.Contains(log, "a run was left behind") {
		t.Errorf("log:\n%s", log)
	}
}

// A message that is refused counts as tried, and is poison after some: events wait. HTTP requests are refused.
func Test200ParallelMessagesWithOneSlotAreAllScored(t *testing.T) {
	t.Parallel()
	pipe := newPipe(t)
	p := startDrill(t, "ok", nil, "SCOREFN_CONCURRENCY=1", "SCOREFN_QUEUE=8", holdPipe+"="+pipe).ready(t)
	release := p.hold(t, pipe)
	var group, sent sync.WaitGroup
	for i := range 200 {
		sent.Add(1)
		done := sync.OnceFunc(sent.Done)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { done() }})
		group.Go(func() {
			defer done()
			r, err := post(ctx, p.url+"/queue", invocationOf(t, "msg", asText(fmt.Sprintf(`{"data":%d}`, i)), map[string]any{"Id": fmt.Sprintf(`"m%d"`, i)}), length, nil)
			if err != nil {
				t.Error(err)
				return
			}
			outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
			want := fmt.Sprintf(`{"id":"m%d","result":%d}`, i, i)
			if written, trap := hostWrites("queue", "", outputs["result"]); err != nil || trap != "" || written[0] != want {
				t.Errorf("got %q %s, %v; want %s", written, trap, err, want)
			}
		})
	}
	sent.Wait() // all of them wait for the slot
	release()
	group.Wait()
}

func TestTooManyRequestsAreRefused(t *testing.T) {
	t.Parallel()
	pipe := newPipe(t)
	p := startDrill(t, "ok", nil, "SCOREFN_CONCURRENCY=1", "SCOREFN_QUEUE=0", holdPipe+"="+pipe).ready(t)
	release := p.hold(t, pipe)
	defer release()
	if r := p.post(t, "/api/score", []byte(`{"data":1}`), length, nil); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("forwarded: %d %v", r.status, r.header)
	}
	request := map[string]any{"Url": "http://x/api/mixed", "Method": "POST", "Headers": map[string]any{}, "Body": `{"data":1}`}
	r := p.post(t, "/mixed", invocationOf(t, "req", request, nil), chunked, nil)
	outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
	if err != nil {
		t.Fatal(err)
	}
	if status, header, _, err := hostHTTP(outputs["res"]); status != 503 || header["retry-after"] == "" || err != nil {
		t.Errorf("payload mode: %s %v", outputs["res"], err)
	}
	if r := p.post(t, "/queue", invocationOf(t, "msg", asText(`{"data":1}`), nil), chunked, nil); r.status != 500 {
		t.Errorf("a message without a queue to wait in: %d %s", r.status, r.body)
	}
}
