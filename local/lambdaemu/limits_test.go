package lambdaemu_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

func TestLargestResponse(t *testing.T) {
	t.Parallel()
	e, out := start(t, nil)
	before := pid(t, e)
	if a := invoke(t, e, order{Do: "bytes", Bytes: lambdaemu.MaxPayload}); a.FunctionError != "" || len(a.Payload) != lambdaemu.MaxPayload {
		t.Errorf("%d bytes, %s", len(a.Payload), a.ErrorType)
	}
	if pid(t, e) != before {
		t.Error("the process is another")
	}
	a := invoke(t, e, order{Do: "bytes", Bytes: lambdaemu.MaxPayload + 1})
	wantError(t, a, "Function.ResponseSizeTooLarge", `6291557 bytes.*6291556 bytes`)
	if !strings.Contains(out.String(), `response answered 413 {"errorType":"RequestEntityTooLarge"`) {
		t.Error("the process did not read its 413")
	}
	if pid(t, e) == before {
		t.Error("the process lives on")
	}
}

// padded is an event of n bytes.
func padded(n int) []byte {
	o := order{Do: "pid", Pad: "x"}
	o.Pad = strings.Repeat("x", n-len(o.json())+1)
	return o.json()
}

func TestLargestRequest(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	h := e.Handler()
	if w := post(t, h, lambdaemu.InvokePath, padded(lambdaemu.MaxPayload)); w.Code != 200 || w.Header().Get("X-Amz-Function-Error") != "" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w := post(t, h, lambdaemu.InvokePath, padded(lambdaemu.MaxPayload+1))
	if w.Code != 413 || w.Header().Get("X-Amzn-Errortype") != "RequestTooLargeException" || !strings.Contains(w.Body.String(), "6291557 byte payload is too large") {
		t.Errorf("got %d %q %s", w.Code, w.Header(), w.Body)
	}
	if w := post(t, h, lambdaemu.InvokePath, padded(lambdaemu.MaxAsyncPayload+1), "X-Amz-Invocation-Type", "Event"); w.Code != 413 {
		t.Errorf("asynchronous: got %d %s", w.Code, w.Body)
	}
	if w := post(t, h, lambdaemu.InvokePath, padded(lambdaemu.MaxAsyncPayload), "X-Amz-Invocation-Type", "Event"); w.Code != 202 {
		t.Errorf("asynchronous: got %d %s", w.Code, w.Body)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []lambdaemu.Config{{}, {Command: []string{"x"}, Timeout: -1}, {Command: []string{"x"}, Concurrency: -1}} {
		if _, err := lambdaemu.New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	_, err := e.Invoke(t.Context(), lambdaemu.Call{Payload: []byte(`{"a":`)})
	if r, ok := errors.AsType[*lambdaemu.RejectedError](err); !ok || r.Type != "InvalidRequestContentException" || r.Status != 400 {
		t.Errorf("broken JSON: %v", err)
	}
	h := e.Handler()
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"dry run", []string{"X-Amz-Invocation-Type", "DryRun"}, 204},
		{"unknown type", []string{"X-Amz-Invocation-Type", "Sometimes"}, 400},
		{"client context", []string{"X-Amz-Client-Context", "!"}, 400},
		{"client context that is no JSON", []string{"X-Amz-Client-Context", "YQ=="}, 400},
	} {
		if w := post(t, h, lambdaemu.InvokePath, []byte("{}"), c.headers...); w.Code != c.status {
			t.Errorf("%s: got %d %s", c.name, w.Code, w.Body)
		}
	}
}
