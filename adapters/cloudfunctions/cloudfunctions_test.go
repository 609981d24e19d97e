package cloudfunctions_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

// asFramework makes this test binary serve as a deployed function does.
const asFramework = "SCOREFN_TEST_FRAMEWORK"

func TestMain(m *testing.M) {
	if os.Getenv(asFramework) == "" {
		os.Exit(m.Run())
	}
	cloudfunctions.Register("Score", function.New(score.Init))
	if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestFrameworkAnswersTheGoldenVectors(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	url := startFramework(t)
	functiontest.Run(t, functiontest.Post(url))
}

// startFramework runs the Functions Framework in a process of its own and returns its URL once it answers.
func startFramework(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	ln.Close()
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asFramework+"=1", "PORT="+port, "FUNCTION_TARGET=Score")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.Get("http://" + addr + "/")
		if err == nil {
			r.Body.Close()
			return "http://" + addr
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the framework ended: %v\n%s", err, log.String())
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-tick.C:
		}
	}
}
