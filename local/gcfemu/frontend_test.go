package gcfemu_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/gcfemu"
)

func TestTheTimeoutIsAnswered504(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/never": "504 upstream request timeout", "/never-ends": "0 unexpected EOF"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			url, e, out := emulate(t, func(cfg *gcfemu.Config) { cfg.Timeout = 500 * time.Millisecond })
			if err := e.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if status, answer := ask(t, url+path, ""); strconv.Itoa(status)+" "+answer != want {
				t.Errorf("%d %s", status, answer)
			}
			if want = "the caller gets 504"; path != "/never" {
				want = "broken off by the request timeout"
			}
			out.wait(t, want)
			if status, _ := ask(t, url+"/pid", ""); status != 200 { // it is free again
				t.Errorf("afterwards %d", status)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	url, e, _ := emulate(t, func(cfg *gcfemu.Config) { cfg.Concurrency = 10 })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	event := []string{"Ce-Id", "1"}
	structured := []string{"Content-Type", "application/cloudevents-batch+json; charset=utf-8"}
	const most, mostEvent = gcfemu.MaxBody, gcfemu.MaxEvent
	for name, c := range map[string]struct {
		path    string
		size    int
		headers []string
		want    string
	}{
		"largest request":            {"/count", most, nil, "200 33554432"},
		"request one larger":         {"/count", most + 1, nil, "413 Request Entity Too Large"},
		"largest event":              {"/count", mostEvent, event, "200 524288"},
		"event one larger":           {"/count", mostEvent + 1, event, "413 Request Entity Too Large"},
		"structured event":           {"/count", mostEvent + 1, structured, "413 Request Entity Too Large"},
		"largest answer":             {"/bytes?n=" + strconv.Itoa(most), 0, nil, "200 33554432 bytes"},
		"answer one larger":          {"/bytes?n=" + strconv.Itoa(most+1), 0, nil, "500 Response size was too large. Please consider reducing response size."},
		"streamed answer one larger": {"/bytes?chunked=1&n=" + strconv.Itoa(most+1), 0, nil, "200 33554433 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, answer := ask(t, url+c.path, strings.Repeat("x", c.size), c.headers...)
			if strings.HasPrefix(c.path, "/bytes") && status == 200 {
				answer = strconv.Itoa(len(answer)) + " bytes"
			}
			if got := strconv.Itoa(status) + " " + answer; got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestAChunkedRequestIsBoundedToo(t *testing.T) {
	t.Parallel()
	url, _, out := emulate(t, nil)
	r, err := http.NewRequest(http.MethodPost, url+"/count", struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", gcfemu.MaxBody+1))})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("%s", resp.Status)
	}
	out.wait(t, "whatever SCOREFN_MAX_BODY says")
}

func TestHTTP2HasNoSizes(t *testing.T) {
	t.Parallel()
	url, _, _ := emulate(t, func(cfg *gcfemu.Config) {
		cfg.Target, cfg.HTTP2, cfg.Env = "", true, []string{asFake + "=h2c"}
	})
	if status, answer := ask(t, url+"/count", strings.Repeat("x", gcfemu.MaxBody+1)); status != 200 || answer != "33554433" {
		t.Errorf("%d %s", status, answer)
	}
}

func TestHeadersAreTheFrontEnds(t *testing.T) {
	t.Parallel()
	url, _, _ := emulate(t, nil)
	_, answer := ask(t, url+"/headers", "", "X-Mine", "yes")
	var h map[string]any
	if err := json.Unmarshal([]byte(answer), &h); err != nil {
		t.Fatal(err)
	}
	get := func(name string) string {
		if list, ok := h[name].([]any); ok && len(list) == 1 {
			s, _ := list[0].(string)
			return s
		}
		return ""
	}
	for name, want := range map[string]string{
		"X-Mine": "^yes$", "Host": "^" + regexp.QuoteMeta(strings.TrimPrefix(url, "http://")) + "$",
		"X-Forwarded-For": `^127\.0\.0\.1$`, "X-Forwarded-Proto": "^https$", "Function-Execution-Id": "^[0-9a-f]{12}$",
		"Traceparent": "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", "X-Cloud-Trace-Context": `^[0-9a-f]{32}/\d+;o=0$`,
	} {
		if got := get(name); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	_, answer = ask(t, url+"/headers", "", "X-Cloud-Trace-Context", "abc/1", "Function-Execution-Id", "mine")
	if strings.Contains(answer, "Traceparent") || !strings.Contains(answer, `"abc/1"`) || !strings.Contains(answer, `["mine"]`) {
		t.Errorf("the caller's ids: %s", answer)
	}
}

func TestEventsThatComeAgainAreWarnedOf(t *testing.T) {
	t.Parallel()
	url, e, out := emulate(t, func(cfg *gcfemu.Config) { cfg.Concurrency = 10 })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for status, again := range map[int]bool{200: false, 201: false, 202: false, 204: false, 203: true, 302: true, 400: true, 500: true} {
		n := strconv.Itoa(status)
		ask(t, url+"/status?n="+n, "", "Ce-Id", "event-"+n)
		out.wait(t, "POST "+n+" ")
		if got := gcfemu.Acknowledged(status); got == again {
			t.Errorf("%d acknowledges: %v", status, got)
		}
		if again {
			out.wait(t, "warning: event event-"+n+" was answered "+n)
		}
	}
	ask(t, url+"/status?n=500", "") // a request is no event
	ask(t, url+"/pid", "")
	if n := strings.Count(out.String(), "warning"); n != 4 {
		t.Errorf("%d warnings\n%s", n, out)
	}
	if strings.Contains(out.String(), "\n\n") {
		t.Error("the framework's blank lines are in the log")
	}
}

func TestACallerThatLeavesEndsItsRequest(t *testing.T) {
	t.Parallel()
	url, e, out := emulate(t, nil)
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	path, arrived, open := gate(t)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := http.DefaultClient.Do(r); err == nil {
			resp.Body.Close()
		}
	}()
	select {
	case <-arrived:
	case <-done:
		t.Fatal("answered before the gate was opened")
	}
	leave()
	<-done
	out.wait(t, "POST 499 ")
	open()
}
