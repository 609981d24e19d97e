package lambdaemu_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// tail is X-Amz-Log-Result of a call that prints.
func tail(t *testing.T, e *lambdaemu.Emulator, text string) string {
	t.Helper()
	w := post(t, e.Handler(), lambdaemu.InvokePath, order{Do: "print", Text: text}.json(), "X-Amz-Log-Type", "Tail")
	b, err := base64.StdEncoding.DecodeString(w.Header().Get("X-Amz-Log-Result"))
	if err != nil || w.Code != 200 || w.Body.String() != "null" || w.Header().Get("X-Amz-Executed-Version") != "$LATEST" {
		t.Fatalf("%d %q %s %v", w.Code, w.Header(), w.Body, err)
	}
	return string(b)
}

func TestLogResultIsTheCallsOwn(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	tail(t, e, "of the call before\n")
	for range 20 {
		got := tail(t, e, "one\ntwo, without an end")
		want := `^START RequestId: [0-9a-f-]{36} Version: \$LATEST\none\ntwo, without an end\nEND RequestId: [0-9a-f-]{36}\nREPORT RequestId: .*\n$`
		if !regexp.MustCompile(want).MatchString(got) {
			t.Fatalf("got %s", got)
		}
	}
}

func TestLogResultIsTheEnd(t *testing.T) {
	t.Parallel()
	e, out := start(t, nil)
	long := strings.Repeat("a line of the function's\n", 4000)
	got := tail(t, e, long+"\x00scorefn mark 999\x00\n")
	if len(got) != 4096 || !strings.Contains(got, "REPORT RequestId") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if n := count(out, "a line of the function's\n"); n != 4000 {
		t.Errorf("%d lines have come out", n)
	}
}
