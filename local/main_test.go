package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/local/process"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"scorefn": main})
}

// What the commands do stands in one column, however long their arguments are.
func TestUsageHasOneColumn(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	usage(&b)
	_, list, _ := strings.Cut(b.String(), "[flags]\n\n")
	list, _, ok := strings.Cut(list, "\n\n")
	if !ok {
		t.Fatal(b.String())
	}
	var names []string
	for _, c := range commands() {
		names = append(names, strings.TrimSpace(c.name+" "+c.args))
	}
	said := map[string]bool{}
	for line := range strings.SplitSeq(list, "\n") {
		name, what := line, "…"
		if len(line) > usageColumn && line[usageColumn-1] == ' ' {
			name, what = line[:usageColumn], line[usageColumn:]
		}
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) || what == "" || len(line) > 130 {
			t.Errorf("out of the column: %q", line)
		}
		said[name] = true
	}
	for _, name := range names {
		if !said[name] {
			t.Errorf("not a word about %s", name)
		}
	}
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
			free, err := process.FreePort()
			e.Setenv("ADDR", "127.0.0.1:"+strconv.Itoa(free)) // for a program that serves
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code,
			"get":  get,
			"post": post,
		},
	})
}
