package gcfemu_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// asFake makes this test binary the function of a test; its value says how it behaves.
const asFake = "SCOREFN_TEST_FAKE"

func TestMain(m *testing.M) {
	if os.Getenv(asFake) == "" {
		os.Exit(m.Run())
	}
	if err := fake(os.Getenv(asFake)); err != nil {
		fmt.Println(err)
		os.Exit(9)
	}
}

// fake serves at PORT until SIGTERM and ends with the requests in flight answered.
func fake(kind string) error {
	host := ""
	switch kind {
	case "exit":
		return fmt.Errorf("no model in %s", os.Getenv("AZUREML_MODEL_DIR"))
	case "deaf":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		for range c { // and goes on
		}
	case "loopback":
		host = "127.0.0.1"
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	ln, err := net.Listen("tcp", net.JoinHostPort(host, os.Getenv("PORT")))
	if err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(kind != "h2c")
	protocols.SetUnencryptedHTTP2(kind == "h2c")
	server := &http.Server{Handler: http.HandlerFunc(answer), Protocols: protocols}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	for {
		select {
		case err := <-ended:
			return err
		case <-term:
			if kind == "stubborn" {
				continue
			}
			fmt.Println("draining")
			return server.Shutdown(context.Background())
		}
	}
}

var inFlight atomic.Int64

// answer does what the path says.
func answer(w http.ResponseWriter, r *http.Request) {
	n := inFlight.Add(1)
	defer inFlight.Add(-1)
	fmt.Println() // as the framework does
	switch r.URL.Path {
	case "/env":
		_ = json.NewEncoder(w).Encode(os.Environ())
	case "/headers":
		r.Header.Set("Host", r.Host)
		_ = json.NewEncoder(w).Encode(r.Header)
	case "/pid":
		fmt.Fprint(w, os.Getpid())
	case "/exit":
		fmt.Println("out of luck")
		os.Exit(9)
	case "/gate": // waits until the test opens it, and says how many are in here
		if r, err := http.Get(r.URL.Query().Get("url")); err == nil {
			_ = r.Body.Close()
		}
		fmt.Fprint(w, n)
	case "/never":
		<-r.Context().Done()
	case "/never-ends":
		fmt.Fprint(w, "begin")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case "/count":
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, n)
	case "/bytes":
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if r.URL.Query().Get("chunked") == "" {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		_, _ = io.Copy(w, io.LimitReader(strings.NewReader(strings.Repeat("x", n)), int64(n)))
	case "/status":
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.WriteHeader(n)
	}
}
