package azureemu_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/azureemu"
)

// asFake makes this test binary a handler that a test drives over a connection: its address is the variable's value.
const asFake = "SCOREFN_TEST_HANDLER"

func TestMain(m *testing.M) {
	switch addr := os.Getenv(asFake); addr {
	case "":
	case "example":
		example()
	default:
		fake(addr, os.Getenv("RELAY"))
	}
	os.Exit(m.Run())
}

// fake says who it is and does what it is told, a command a line, until the connection ends.
func fake(control, relay string) {
	c, err := net.Dial("tcp", control)
	if err != nil {
		panic(err)
	}
	dir, _ := os.Getwd()
	fmt.Fprintf(c, "%d|%s|%s|%s\n", os.Getpid(), dir, strings.Join(os.Args[1:], ","), strings.Join(os.Environ(), ","))
	for s := bufio.NewScanner(c); s.Scan(); {
		word, rest, _ := strings.Cut(s.Text(), " ")
		switch word {
		case "listen": // every connection is one to the test's own server
			fakeListen(func(from net.Conn) { pipe(from, relay) })
		case "drop": // accepted and closed
			fakeListen(func(from net.Conn) { from.Close() })
		case "out":
			fmt.Println(rest)
		case "err":
			fmt.Fprintln(os.Stderr, rest)
		case "exit":
			code, _ := strconv.Atoi(rest)
			os.Exit(code)
		}
	}
	select {}
}

func fakeListen(accepted func(net.Conn)) {
	ln, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"))
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				panic(err)
			}
			go accepted(c)
		}
	}()
}

func pipe(from net.Conn, to string) {
	defer from.Close()
	c, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer c.Close()
	ended := make(chan struct{}, 2)
	go func() { io.Copy(c, from); ended <- struct{}{} }()
	go func() { io.Copy(from, c); ended <- struct{}{} }()
	<-ended
}

// child is one start of the fake.
type child struct {
	net.Conn
	pid            int
	dir, args, env string
}

func (c *child) tell(command string) { fmt.Fprintln(c, command) }

// rig is an emulator, its log, and what stands behind the fake.
type rig struct {
	*azureemu.Emulator
	t      *testing.T
	log    *watched
	starts chan *child // of starts that are not told to listen by themselves
	ping   http.HandlerFunc
}

// setup changes what a rig is made of.
type setup struct {
	config  azureemu.Config
	host    string            // members of host.json beside the description
	files   map[string]string // of the app
	handler http.HandlerFunc
	ping    http.HandlerFunc
	manual  bool // the test tells the children what to do
}

const (
	httpJSON  = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req"%s},{"type":"http","direction":"out","name":"res"}]}`
	queueJSON = `{"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":"score-in","connection":"S"},
		{"type":"queue","direction":"out","name":"result","queueName":"score-out","connection":"S"}]}`
)

var scoreHTTP = map[string]string{"score/function.json": fmt.Sprintf(httpJSON, "")}

// hostJSON starts this test binary.
func hostJSON(t *testing.T, handler, more string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":%q}%s}%s}`, self, handler, more)
}

// write puts files into a folder.
func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func start(t *testing.T, s setup) *rig {
	t.Helper()
	r := &rig{t: t, log: newWatched(), starts: make(chan *child, 10), ping: s.ping}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Method == "GET" && q.RequestURI == "/":
			if r.ping != nil {
				r.ping(w, q)
			}
		case s.handler == nil:
			t.Errorf("unexpected %s %s", q.Method, q.RequestURI)
		default:
			s.handler(w, q)
		}
	}))
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go r.accept(control, s.manual)
	s.config.Root = t.TempDir()
	if _, ok := s.files["host.json"]; !ok {
		write(t, s.config.Root, map[string]string{"host.json": hostJSON(t, s.host, "")})
	}
	write(t, s.config.Root, s.files)
	s.config.Env = append(s.config.Env, asFake+"="+control.Addr().String(), "RELAY="+server.Listener.Addr().String(),
		"GOCOVERDIR="+t.TempDir()) // or the fake complains of it under -cover
	s.config.Output = r.log
	if r.Emulator, err = azureemu.New(s.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		control.Close()
		server.CloseClientConnections()
		server.Close()
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
	return r
}

func (r *rig) accept(control net.Listener, manual bool) {
	for {
		c, err := control.Accept()
		if err != nil {
			return
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			continue // it was killed before it could say who it is
		}
		f := strings.Split(strings.TrimSpace(line), "|")
		one := &child{Conn: c, dir: f[1], args: f[2], env: f[3]}
		one.pid, _ = strconv.Atoi(f[0])
		if !manual {
			one.tell("listen")
		}
		r.starts <- one
	}
}

// next waits for the next start of the fake.
func (r *rig) next() *child {
	r.t.Helper()
	select {
	case c := <-r.starts:
		return c
	case <-r.Done():
		r.t.Fatalf("the host has stopped: %v\n%s", r.Err(), r.log)
	case <-r.t.Context().Done():
		r.t.Fatal("no start")
	}
	return nil
}

func (r *rig) waitReady() {
	r.t.Helper()
	if err := r.Ready(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) function(name string) *azureemu.Function {
	r.t.Helper()
	f, err := r.App().Function(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// deliver sends data to the function score.
func (r *rig) deliver(data string) *azureemu.Delivery {
	r.t.Helper()
	d, err := r.tryDeliver(r.t.Context(), "score", data)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) tryDeliver(ctx context.Context, name, data string) (*azureemu.Delivery, error) {
	f, err := r.App().Function(name)
	if err != nil {
		return nil, err
	}
	e, err := azureemu.NewEvent(f, azureemu.Input{Data: []byte(data)})
	if err != nil {
		return nil, err
	}
	return r.Deliver(ctx, f, e)
}

// ask sends a request to the front.
func (r *rig) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	q := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	if host := q.Header.Get("Host"); host != "" {
		q.Host = host
		q.Header.Del("Host")
	}
	if body != "" {
		q.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, q)
	return w
}

// trapped are the names of the traps that were logged.
func (r *rig) trapped() string {
	var names []string
	for line := range strings.Lines(r.log.String()) {
		if _, trap, ok := strings.Cut(line, "TRAP "); ok {
			_, trap, _ = strings.Cut(trap, ", ")
			name, _, _ := strings.Cut(trap, ":")
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// watched is a stream that a test waits for texts in.
type watched struct {
	mu    sync.Mutex
	b     bytes.Buffer
	grown chan struct{}
}

func newWatched() *watched { return &watched{grown: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(p)
	close(w.grown)
	w.grown = make(chan struct{})
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// wait returns when the log has the text n times.
func (w *watched) wait(t *testing.T, n int, text string) {
	t.Helper()
	for {
		w.mu.Lock()
		have, grown := strings.Count(w.b.String(), text), w.grown
		w.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-grown:
		case <-t.Context().Done():
			t.Fatalf("%q is %d times in the log, not %d:\n%s", text, have, n, w)
		}
	}
}

func answerJSON(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, text)
}

const long = time.Minute
