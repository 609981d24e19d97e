package cloudfunctions

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// barrier is what the script gate calls: it tells of each call, and answers all of them when it is opened.
type barrier struct {
	url     string
	entered chan struct{}
	open    chan struct{}
}

func newBarrier(t *testing.T) *barrier {
	t.Helper()
	b := &barrier{entered: make(chan struct{}, 100), open: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.entered <- struct{}{}
		select {
		case <-b.open:
			fmt.Fprint(w, "opened for ", r.URL.RawQuery)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	b.url = s.URL
	return b
}

// wait waits until n runs of p are inside at one time.
func (b *barrier) wait(t *testing.T, p *process, n int) {
	t.Helper()
	inside := 0
	p.until(t, "the runs overlapped", func() bool {
		for {
			select {
			case <-b.entered:
				inside++
			default:
				return inside >= n || t.Failed() // a call that failed will not come
			}
		}
	})
}

// Ten runs, none of which ends before all have begun.
func TestScoresRunInParallel(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		const n = 10
		p, b := start(t, kind, theGate+"=1", fmt.Sprintf("SCOREFN_CONCURRENCY=%d", n)), newBarrier(t)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				s := sent{header: jsonBody, body: fmt.Sprintf(`{"data":"%s/?%d"}`, b.url, i)}
				if i%2 == 1 {
					s.header = ce("com.example.request", "ce-id", fmt.Sprint(i))
				}
				status, body, _ := call(t, p.url, s)
				if status != 200 || !strings.Contains(body, fmt.Sprintf(`"opened for %d"`, i)) {
					t.Errorf("request %d: got %d %s", i, status, body)
				}
			})
		}
		b.wait(t, p, n)
		close(b.open)
		group.Wait()
	})
}

// A batch's events overlap as well.
func TestEventsOfABatchRunInParallel(t *testing.T) {
	t.Parallel()
	p, b := start(t, server, theGate+"=1", "SCOREFN_CONCURRENCY=3"), newBarrier(t)
	var list []string
	for i := range 3 {
		list = append(list, fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"s","type":"t","data":{"data":"%s/?%d"}}`, i, b.url, i))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if status, body, _ := call(t, p.url, sent{header: inABatch, body: "[" + strings.Join(list, ",") + "]"}); status != 200 || !strings.Contains(body, "opened for 2") {
			t.Errorf("got %d %s", status, body)
		}
	}()
	b.wait(t, p, 3)
	close(b.open)
	<-done
}

// Requests and events in flight when the instance ends are answered, whole, and then the process ends well.
func TestSIGTERMLosesNoAnswer(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		const n = 4
		p, b := start(t, kind, theGate+"=1", fmt.Sprintf("SCOREFN_CONCURRENCY=%d", n)), newBarrier(t)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				s := sent{header: jsonBody, body: fmt.Sprintf(`{"data":"%s/?%s%d"}`, b.url, strings.Repeat("x", 10_000), i)}
				if i%2 == 1 {
					s.header = ce("com.example.request", "ce-id", fmt.Sprint(i))
				}
				client := http.DefaultClient
				if kind == server && i >= 2 {
					client = h2c(t)
				}
				status, body, _ := callWith(t, client, p.url, s)
				if status != 200 || !strings.Contains(body, fmt.Sprintf(`xxx%d"`, i)) {
					t.Errorf("request %d: got %d %s", i, status, body)
				}
			})
		}
		b.wait(t, p, n)
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.until(t, "it has seen the signal", func() bool {
			if kind == framework {
				return strings.Contains(p.log.String(), `"message":"stopping: requests in flight are finished"`)
			}
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err == nil {
				conn.Close()
			}
			return err != nil
		})
		if err := p.Process.Signal(syscall.SIGTERM); err != nil { // whoever ends it may say so twice
			t.Fatal(err)
		}
		close(b.open)
		group.Wait()
		p.end(t)
		if code := p.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit status %d:\n%s", code, p.log.String())
		}
		p.lines(t)
	})
}

// A script that takes too long for the platform is stopped in time, and the caller is told.
func TestDeadlineOfAProcess(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		p, b := start(t, kind, theGate+"=1", "CLOUD_RUN_TIMEOUT_SECONDS=1"), newBarrier(t)
		for name, header := range map[string]map[string]string{"a request": jsonBody, "an event": ce("t")} {
			status, body, _ := call(t, p.url, sent{header: header, body: `{"data":"` + b.url + `"}`})
			if status != http.StatusGatewayTimeout || !strings.Contains(body, "within the time limit of the function") {
				t.Errorf("%s: got %d %s", name, status, body)
			}
		}
		p.lines(t)
	})
}

// h2c is a client that speaks HTTP/2 without TLS, as Cloud Run does with --use-http2.
func h2c(t *testing.T) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// One event that comes many times at once, as at-least-once delivery may have it, writes one result; it is the same for all.
func TestRetryStormWritesOneResult(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		g, url := newFakeGCS(t)
		p := start(t, kind, "STORAGE_EMULATOR_HOST="+url, "SCOREFN_OUTPUT=gs://out/results", "SCOREFN_DEAD_LETTER=gs://out/dead")
		generation := g.put("in/a.json", "", `{"data":[]}`)
		storm := []sent{
			{header: ce("com.example.request"), body: `{"data":[]}`},
			{header: ce(typeFinalized), body: fmt.Sprintf(`{"bucket":"in","name":"a.json","generation":%d}`, generation)},
			{header: ce("com.example.request", "ce-id", "wrong"), body: `{"data":"wrong"}`},
		}
		var group sync.WaitGroup
		for i := range 30 * len(storm) {
			group.Go(func() {
				if status, body, _ := call(t, p.url, storm[i%len(storm)]); status != 200 {
					t.Errorf("got %d %s", status, body)
				}
			})
		}
		group.Wait()
		g.mu.Lock()
		defer g.mu.Unlock()
		var names []string
		for name, n := range g.creates {
			names = append(names, name)
			if n != 1 {
				t.Errorf("%s was made %d times", name, n)
			}
		}
		slices.Sort(names)
		if len(names) != 3 || !strings.HasPrefix(names[0], "out/dead/wrong-") || !strings.HasPrefix(names[1], "out/results/in/a.json@") {
			t.Errorf("made %q", names)
		}
	})
}
