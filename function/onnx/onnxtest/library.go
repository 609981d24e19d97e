package onnxtest

import (
	"os"
	"testing"

	"github.com/scorefn/scorefn/function/onnx"
)

// Library skips the test when there is no ONNX Runtime library, as on a machine where "make setup" has not been run. With
// REQUIRE_ORT=1 in the environment, as in continuous integration, the test fails instead.
func Library(tb testing.TB) {
	tb.Helper()
	err := onnx.Load("")
	switch {
	case err == nil:
	case os.Getenv("REQUIRE_ORT") == "1":
		tb.Fatalf("REQUIRE_ORT=1: %v", err)
	default:
		tb.Skipf("needs ONNX Runtime: %v", err)
	}
}
