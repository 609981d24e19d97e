package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

// ownScript is the script of somebody who imports scorefn.
const ownScript = `package score

import (
	"context"
	"encoding/json"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

type constant struct{}

func Init(context.Context, modeldir.Model) (function.Script, error) { return constant{}, nil }

func (constant) Run(context.Context, json.RawMessage) (any, error) { return "mine", nil }
`

// TestPackageCloudFunctionsOfAnotherModule packages a script that lies in a module of its own, with its own model, and scores
// with what the builder makes of it.
func TestPackageCloudFunctionsOfAnotherModule(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("builds and runs what is made for linux/amd64")
	}
	onnxtest.Library(t)
	if testing.Short() {
		t.Skip("compiles cgo code")
	}
	dir := ownModule(t)
	for _, tt := range []struct {
		script, want string
		code         int
	}{
		{"", "is no clone of scorefn: name the package of your Init", exitUsage},
		{"./cmd", "which Go cannot import", exitUsage},
		{"./internal/score", "move the package out of it", exitUsage},
		{"./none", "go list", exitFailed},
		{"./broken", "it does not compile, so nothing was written", exitFailed},
		{"./score", "", exitOK},
	} {
		args := []string{"package", "cloudfunctions"}
		if tt.script != "" {
			args = append(args, "--script", tt.script)
		}
		cmd := exec.CommandContext(t.Context(), "scorefn", args...)
		cmd.Dir = dir
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != tt.code || !strings.Contains(stderr.String(), tt.want) {
			t.Fatalf("--script %s: %v, want exit code %d and %q\n%s", tt.script, err, tt.code, tt.want, stderr.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "dist", "cloudfunctions")); (err == nil) != (tt.code == exitOK) {
			t.Errorf("--script %s: the folder: %v", tt.script, err)
		}
		if said := "gcloud run deploy scorefn --region REGION --source dist/cloudfunctions --function Score --base-image go1"; strings.Contains(stdout.String(), said) != (tt.code == exitOK) {
			t.Errorf("--script %s:\n%s", tt.script, stdout.String())
		}
	}
	if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || strings.Contains(string(mod), framework) {
		t.Errorf("the user's go.mod was changed: %v\n%s", err, mod)
	}
	out := filepath.Join(dir, "dist", "cloudfunctions")
	if broken := brokenRules(t, os.DirFS(out)); len(broken) > 0 {
		t.Errorf("%s", strings.Join(broken, "\n"))
	}
	workspace, program := buildpack(t, out)
	served := startProgram(t, workspace, program, "FUNCTION_TARGET=Score")
	if status, answer := functiontest.Post(served.url)(t, []byte(`{"data": 1}`)); status != 200 || string(answer) != `"mine"` {
		t.Errorf("got %d %s", status, answer)
	}
}

// ownModule is a module that requires scorefn and nothing else, and whose name has no dot.
func ownModule(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(filepath.Join(root, "model", "digits", "1", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":                    "module mine\n\ngo 1.26\n\nrequire " + scorefnModule + " v0.0.0\n\nreplace " + scorefnModule + " => " + root + "\n",
		"go.sum":                    string(sum),
		"score/score.go":            ownScript,
		"internal/score/score.go":   ownScript,
		"broken/score.go":           strings.Replace(ownScript, "Init(context.Context, modeldir.Model)", "Init(modeldir.Model)", 1),
		"cmd/main.go":               "package main\n\nfunc main() {}\n",
		"model/fraud/7/fraud.onnx":  string(model),
		"model/fraud/7/sample.json": `{"data": 1}`,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(root, "lib"), filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	return dir
}
