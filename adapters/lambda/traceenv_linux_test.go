//go:build cgo

package lambda

import (
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// The C library's own view of the environment is what a child of C would get; Go keeps a copy. Both must be right.
func TestTraceIDIsSetForEveryInvocationInTheSameMemory(t *testing.T) {
	const name = "_X_AMZN_TRACE_ID"
	t.Setenv(name, "before")
	rss := func() int {
		debug.FreeOSMemory() // Go's own garbage is not what is measured
		status, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip(err)
		}
		pages, err := strconv.Atoi(strings.Fields(string(status))[1])
		if err != nil {
			t.Fatal(err)
		}
		return pages * os.Getpagesize()
	}
	start := rss()
	const times, each = 400_000, 145
	for i := range times {
		//nolint:usetesting // t.Setenv would keep every value, to set them back
		if err := os.Setenv(name, "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1;Lineage="+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if grown := rss() - start; grown > times*each/4 {
		t.Errorf("%d settings cost %d bytes", times, grown)
	}
	for _, value := range []string{"short", strings.Repeat("x", 5000), ""} {
		t.Setenv(name, value)
		t.Setenv("SCOREFN_OTHER", value)
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s-%s \"$"+name+"\" \"$SCOREFN_OTHER\"").Output()
		if err != nil || string(out) != value+"-"+value {
			t.Errorf("%d bytes: got %.100q, %v", len(value), out, err)
		}
	}
}
