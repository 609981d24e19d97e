package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

// TestPackageCloudFunctions packages this source once; its subtests share the folder.
func TestPackageCloudFunctions(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("builds and runs what is made for linux/amd64")
	}
	onnxtest.Library(t)
	if testing.Short() {
		t.Skip("compiles cgo code")
	}
	dir := filepath.Join(t.TempDir(), "dist", "function")
	said := packageGoogle(t, dir)
	t.Run("every rule of the builder is kept", func(t *testing.T) {
		t.Parallel()
		if broken := brokenRules(t, os.DirFS(dir)); len(broken) > 0 {
			t.Errorf("%s", strings.Join(broken, "\n"))
		}
	})
	t.Run("what to type", func(t *testing.T) {
		t.Parallel()
		for _, want := range []string{
			"--runtime go" + strings.ReplaceAll(goDirective(t, dir), ".", "") + " --source " + dir, "--entry-point Score", "--trigger-http", "--trigger-bucket INPUT_BUCKET",
			"SCOREFN_OUTPUT=gs://OUTPUT_BUCKET/", "gcloud run deploy scorefn ", "gcloud run deploy scorefn-objects ",
			"gcloud eventarc triggers create scorefn-objects ", "--event-filters bucket=INPUT_BUCKET", "--memory 1Gi --cpu 1 --concurrency 8", "/model/digits/1/sample.json",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("without %q:\n%s", want, said)
			}
		}
	})
	t.Run("the same source makes the same folder", func(t *testing.T) {
		t.Parallel()
		again := filepath.Join(t.TempDir(), "again")
		packageGoogle(t, again)
		if one, two := digests(t, dir), digests(t, again); !maps.Equal(one, two) {
			t.Errorf("%d files, then %d, and they differ", len(one), len(two))
		}
	})
	t.Run("gcloud uploads all of it", func(t *testing.T) {
		t.Parallel()
		uploads(t, dir)
	})
	t.Run("built by the builder", func(t *testing.T) {
		t.Parallel()
		workspace, program := buildpack(t, dir)
		scores(t, workspace, startProgram(t, workspace, program, "FUNCTION_TARGET=Score"))
	})
	t.Run("built by the Dockerfile", func(t *testing.T) {
		t.Parallel()
		image, program := dockerBuild(t, dir)
		scores(t, image, startProgram(t, image, program))
	})
}

// scores sends the golden vectors, the first alone so that the model is loaded.
func scores(t *testing.T, dir string, s server) {
	t.Helper()
	invoke := functiontest.Post(s.url)
	invoke(t, functiontest.Vectors(t)[0].Body)
	s.loaded(t, dir)
	functiontest.Run(t, invoke)
}

// goDirective is the version of Go in the folder's go.mod.
func goDirective(t *testing.T, dir string) string {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(mod), "\ngo ")
	version, _, _ := strings.Cut(rest, "\n")
	return version
}

// packageGoogle runs the command, and returns what it prints.
func packageGoogle(t *testing.T, dir string, flags ...string) string {
	t.Helper()
	var out, progress bytes.Buffer
	args := append([]string{"package", "cloudfunctions", "--docker", "--out", dir}, flags...)
	if code := run(args, streams{nil, &out, &progress}, os.Getenv); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, progress.String())
	}
	return out.String()
}

func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		all[name] = fmt.Sprintf("%v %x", info.Mode(), sha256.Sum256(b))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// uploads asks gcloud itself, which knows without a network what it would send.
func uploads(t *testing.T, dir string) {
	t.Helper()
	gcloud, err := exec.LookPath("gcloud")
	if err != nil {
		t.Skip("gcloud is not installed")
	}
	cmd := exec.CommandContext(t.Context(), gcloud, "meta", "list-files-for-upload", dir)
	cmd.Env = append(os.Environ(), "CLOUDSDK_CONFIG="+t.TempDir(), "CLOUDSDK_CORE_DISABLE_PROMPTS=1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	sent := map[string]bool{}
	for name := range strings.Lines(string(out)) {
		sent[strings.TrimSpace(name)] = true
	}
	for name := range digests(t, dir) {
		if !sent[name] && name != ".gcloudignore" {
			t.Errorf("not sent: %s", name)
		}
	}
}

func TestRulesOfTheBuilderAreSeenToBreak(t *testing.T) {
	t.Parallel()
	const (
		root = "package f\n\nimport (\n_ \"" + functionsFramework + "funcframework\"\n_ \"" + functionsFramework + "functions\"\n)\n"
		mod  = "module a.b/c\n\ngo 1.26\n\nrequire (\n\tgithub.com/GoogleCloudPlatform/functions-framework-go v1.9.2\n)\n"
		list = "# github.com/GoogleCloudPlatform/functions-framework-go v1.9.2\n## explicit; go 1.21\n" +
			functionsFramework + "funcframework\n" + functionsFramework + "functions\n"
	)
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }
	good := fstest.MapFS{
		"f.go": file(root), "go.mod": file(mod), "vendor/modules.txt": file(list), ".gcloudignore": file("# all\n.gcloudignore\n"),
		"vendor/" + functionsFramework + "funcframework/a.go": file("package a"), "vendor/" + functionsFramework + "functions/b.go": file("package b"),
		"lib/libonnxruntime.so": file("elf"), "model/digits/1/model.onnx": file("onnx"),
	}
	if broken := brokenRules(t, good); len(broken) > 0 {
		t.Fatalf("%q", broken)
	}
	for _, tt := range []struct {
		name, text, want string
	}{
		{"x_test.go", "package f_test", "2 packages at the root"},
		{"x_test.go", "package f", "a test at the root"},
		{"tool.go", "//go:build ignore\n\npackage f", "a build constraint at the root"},
		{"f.go", "package main", "package main at the root"},
		{"f.go", "", "f.go:1:1"},
		{"f.go", strings.Replace(root, "functions\"\n", "registry\"\n", 1), "does not import functions"},
		{"f.go", strings.Replace(root, "funcframework\"", "other\"", 1), "does not import funcframework"},
		{"go.mod", strings.Replace(mod, "a.b/c", "scorefn", 1), "no dot in the module path"},
		{"go.mod", strings.Replace(mod, "1.26", "1.26.8", 1), "a patch level"},
		{"go.mod", mod + "replace x => ../x\n", "a directive replace"},
		{"go.mod", strings.Replace(mod, "v1.9.2", "v1.9.1", 1), "disagree"},
		{"vendor/modules.txt", strings.Replace(list, "/functions\n", "/f\n", 1), "does not list"},
		{"vendor/" + functionsFramework + "functions/b.go", "package b\n\nimport \"a.b/d\"", "imports a.b/d, which is not vendored"},
		{"vendor/" + functionsFramework + "functions/b_test.go", "package b", "vendored for nothing"},
		{".gcloudignore", "*.so\n", "not uploaded: lib/libonnxruntime.so"},
		{".gcloudignore", "/model/\n", "not uploaded: model/digits/1/model.onnx"},
		{".gcloudignore", "#!include:.gitignore\n", "includes another file"},
		{".gitignore", "lib\n", "ignores files"},
	} {
		bad := maps.Clone(good)
		bad[tt.name] = file(tt.text)
		if broken := strings.Join(brokenRules(t, bad), "\n"); !strings.Contains(broken, tt.want) {
			t.Errorf("%s %q: got %q, want %q", tt.name, tt.text, broken, tt.want)
		}
	}
	bad := maps.Clone(good)
	bad["lib/libonnxruntime.so"] = &fstest.MapFile{Mode: fs.ModeSymlink | 0o777, Data: []byte("/usr/lib/x.so")}
	if broken := strings.Join(brokenRules(t, bad), "\n"); !strings.Contains(broken, "not a regular file") {
		t.Errorf("a link: %q", broken)
	}
}

func TestInstanceFitsTheModel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		megabytes int64
		want      needs
	}{{0, needs{1, 1, false}}, {170, needs{1, 1, false}}, {180, needs{2, 1, false}}, {600, needs{4, 1, true}}, {2000, needs{8, 2, true}}, {5000, needs{16, 4, true}}, {10000, needs{32, 8, true}}} {
		if got, err := needsOf(tt.megabytes << 20); err != nil || got != tt.want {
			t.Errorf("%d MB: got %+v, %v, want %+v", tt.megabytes, got, err, tt.want)
		}
	}
	for _, size := range []int64{11000 << 20, 1 << 62} {
		if _, err := needsOf(size); err == nil || !strings.Contains(err.Error(), "32 GiB") {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestQuotedForAShell(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"dist/cloudfunctions": "dist/cloudfunctions", "my dist": "'my dist'", "it's": `'it'\''s'`, "a$b": "'a$b'"} {
		if got := quoted(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
