package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// builderMain is the main that Google's builder adds to a function: it imports the root package for what that registers.
const builderMain = `package main

import (
	"log"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ "MODULE"
)

func main() {
	if err := funcframework.Start(os.Getenv("PORT")); err != nil {
		log.Fatal(err)
	}
}
`

// offline is the environment of a go command that has neither network nor module cache.
func offline(t *testing.T) []string {
	t.Helper()
	return append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOMODCACHE="+t.TempDir(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=1")
}

func inFolder(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// buildpack does with a copy of the folder what Google's Go buildpack does with a vendored function
// (GoogleCloudPlatform/buildpacks, cmd/go/functions_framework, createMainGoModVendored), and returns the working directory
// of the function and its program.
func buildpack(t *testing.T, dir string) (workspace, program string) {
	t.Helper()
	root := t.TempDir()
	workspace = filepath.Join(root, "workspace")
	source := filepath.Join(workspace, "serverless_function_source_code")
	if err := os.CopyFS(source, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	env := offline(t)
	module := inFolder(t, source, env, "go", "list", "-m")
	if version := inFolder(t, source, env, "go", "list", "-m", "-f", "{{.Version}}", "github.com/GoogleCloudPlatform/functions-framework-go"); version != "v1.9.2" {
		t.Errorf("functions framework %s", version)
	}
	app := filepath.Join(source, "functions.local", "app")
	if err := os.MkdirAll(app, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(app, "main.go"), []byte(strings.Replace(builderMain, "MODULE", module, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(root, "layers", "google.go.build", "bin", "main")
	// The builder does without -trimpath, which is here for Go's build cache: no other folder's objects fit.
	inFolder(t, source, env, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, app)
	return workspace, program
}

// dockerBuild follows the Dockerfile of a copy of the folder, each stage in a folder of its own, and returns the last stage
// with its program.
func dockerBuild(t *testing.T, dir string) (image, program string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]string{} // the root folder of each by its name
	var workdir string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		rest := strings.TrimSpace(strings.TrimPrefix(line, words[0]))
		switch words[0] {
		case "FROM":
			image, workdir = t.TempDir(), ""
			stages[words[len(words)-1]] = image
		case "WORKDIR":
			workdir = filepath.Join(image, words[1])
			if err := os.MkdirAll(workdir, 0o755); err != nil {
				t.Fatal(err)
			}
		case "COPY":
			from, args := dir, words[1:]
			if name, ok := strings.CutPrefix(args[0], "--from="); ok {
				from, args = stages[name], args[1:]
			}
			dockerCopy(t, from, image, workdir, args)
		case "RUN":
			inFolder(t, workdir, offline(t), "sh", "-ec", strings.ReplaceAll(rest, " /out/", " "+image+"/out/"))
		case "USER":
			if rest == "0" || strings.HasPrefix(rest, "0:") || rest == "root" {
				t.Errorf("it runs as %s", rest)
			}
		case "ENTRYPOINT":
			var argv []string
			if err := json.Unmarshal([]byte(rest), &argv); err != nil || len(argv) != 1 {
				t.Fatalf("%s: %v: not an entry point that does without a shell", rest, err)
			}
			program = filepath.Join(image, argv[0])
		case "ENV", "EXPOSE":
		default:
			t.Fatalf("unknown instruction %s", line)
		}
	}
	return image, program
}

// dockerCopy copies files to a name that ends in /, and else the content of one folder, or one file.
func dockerCopy(t *testing.T, from, image, workdir string, args []string) {
	t.Helper()
	names, to := args[:len(args)-1], args[len(args)-1]
	target := filepath.Join(image, to)
	if !filepath.IsAbs(to) {
		target = filepath.Join(workdir, to)
	}
	for _, name := range names {
		at := filepath.Join(from, name)
		if name == "/etc/ssl/certs/ca-certificates.crt" {
			continue // of the base image, which is not here
		}
		info, err := os.Stat(at)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			if err := os.CopyFS(target, os.DirFS(at)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		file := target
		if strings.HasSuffix(to, "/") {
			file = filepath.Join(target, filepath.Base(name))
		}
		b, err := os.ReadFile(at)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(file), 0o755)
		}
		if err == nil {
			err = os.WriteFile(file, b, info.Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// server is a program that serves.
type server struct {
	url string
	pid int
}

// startProgram runs a program that serves at PORT with nothing else in its environment but env, and waits until it answers.
func startProgram(t *testing.T, dir, program string, env ...string) server {
	t.Helper()
	free, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	addr := "127.0.0.1:" + port
	var log bytes.Buffer // complete once the process has ended
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir, cmd.Env = dir, append(env, "PORT="+port)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	patience := time.After(2 * time.Minute) // nothing takes so long
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.Get("http://" + addr + "/")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case <-ended:
			t.Fatalf("it ended: %v", cmd.ProcessState)
		case <-patience:
			t.Fatal("it does not answer")
		case <-tick.C:
		}
	}
	return server{"http://" + addr, cmd.Process.Pid}
}

// loaded makes sure that the library below dir is the one that was loaded.
func (s server) loaded(t *testing.T, dir string) {
	t.Helper()
	if !slices.ContainsFunc(mapped(t, s.pid), func(file string) bool {
		rel, err := filepath.Rel(dir, file)
		return err == nil && filepath.IsLocal(rel) && strings.HasSuffix(rel, filepath.Join("lib", "libonnxruntime.so"))
	}) {
		t.Errorf("no library in %s is loaded", dir)
	}
}

// mapped is the files in the memory of a process.
func mapped(t *testing.T, pid int) []string {
	t.Helper()
	maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "maps"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 5 {
			files = append(files, words[5])
		}
	}
	return files
}
