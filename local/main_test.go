package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"scorefn": main})
}

// TestScripts runs testdata/*.txt: each is a session at a shell.
func TestScripts(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	library := onnx.LibraryPath()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("ONNXRUNTIME_LIB", library)
			e.Setenv("PATH", os.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code,
			"get":  get,
			"post": post,
		},
	})
}
