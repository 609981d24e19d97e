package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// asSlowFunction makes this test binary a Lambda function: see slowFunction.
const asSlowFunction = "SCOREFN_TEST_SLOW_FUNCTION"

// slowFunction answers at once, but takes longer to be free again than the emulator lets a caller wait by default.
func slowFunction() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			os.Exit(0)
		}
		_, _ = io.Copy(io.Discard, next.Body)
		next.Body.Close()
		answered, err := http.Post(api+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", strings.NewReader("[1]"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answered.Body.Close()
		time.Sleep(150 * time.Millisecond)
	}
}

// A machine may be so busy that a function is long on its way to its next call: that is no reason to give up.
func TestCallsOfASlowFunctionFollowOneAnother(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	f, err := newFunction(self, t.TempDir(), []string{asSlowFunction + "=1"})
	must(t, err)
	defer f.stop()
	for range 3 {
		if answer, err := f.do(t.Context(), []byte("{}")); err != nil || string(answer) != "[1]" {
			t.Fatalf("got %q, %v", answer, err)
		}
	}
}
