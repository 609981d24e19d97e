package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/functiontest"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/local/pack"
	"github.com/scorefn/scorefn/local/pack/azureapp"
	"github.com/scorefn/scorefn/local/process"
)

// packageAzure is "scorefn package azure" with flags; it returns what was printed.
func packageAzure(t *testing.T, flags ...string) (out, log string, err error) {
	t.Helper()
	var o, l bytes.Buffer
	err = start(t.Context(), packageCommand(), append([]string{"azure"}, flags...), streams{nil, &o, &l}, os.Getenv)
	return o.String(), l.String(), err
}

// hostsHave is the flags of a plan that runs on this machine.
func hostsHave(t *testing.T) []string {
	t.Helper()
	onnxtest.Library(t)
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("hosts run on Linux, on amd64 or arm64")
	}
	if _, err := os.Stat(filepath.Join("..", "lib", "linux-"+runtime.GOARCH, "libonnxruntime.so")); err != nil {
		t.Skip("the library is not in lib/: make setup")
	}
	if runtime.GOARCH == "amd64" {
		return []string{"--plan", "flex"}
	}
	return []string{"--plan", "container", "--arch", runtime.GOARCH}
}

func TestPackageAzure(t *testing.T) {
	t.Parallel()
	plan := hostsHave(t)
	dir := t.TempDir()
	file, scorefn := filepath.Join(dir, "app.zip"), filepath.Join(dir, "scorefn")
	// The program itself: under the race detector the library is packed ten times as long.
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", scorefn, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), scorefn, with([]string{"package", "azure", "--functions", "queue, http", "--out", file}, plan...)...)
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if !bytes.HasPrefix(out, []byte(file+"  9 files, ")) {
		t.Errorf("printed %s", out)
	}
	dir = t.TempDir()
	unzip(t, file, dir)
	handler := filepath.Join(dir, azureapp.Handler)
	for _, program := range []string{handler, filepath.Join(dir, "lib", "libonnxruntime.so")} {
		if v, err := pack.NewestGLIBC(program); err != nil || pack.NewerThan(v, azureapp.Plans()[0].GLIBC) {
			t.Errorf("%s asks for GLIBC %s, %v", program, v, err)
		}
	}
	t.Run("scores", func(t *testing.T) {
		t.Parallel()
		functiontest.Run(t, functiontest.Post(hosted(t, dir)+"/api/score"))
	})
	t.Run("into a folder", func(t *testing.T) {
		t.Parallel()
		to := t.TempDir() + "/"
		source := filepath.Join("..", "adapters", "azure", "handler")
		out, log, err := packageAzure(t, with(plan, "--functions", "all", "--handler", source, "--out", to)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		if info, err := os.Stat(to + azureapp.Handler); err != nil || info.Mode() != 0o755 {
			t.Errorf("%v, %v", info, err)
		}
		if !bytes.Equal(read(t, to+azureapp.Handler), read(t, handler)) {
			t.Error("the same program, built again, is another")
		}
		app, err := azureapp.Read(to)
		if err != nil || len(app.Functions) != 7 || strings.Join(app.Others, " ") != "handler lib model" {
			t.Errorf("%v, %v", app, err)
		}
		if !strings.HasPrefix(out, to+"  14 files, ") {
			t.Errorf("printed %s", out)
		}
		if _, _, err := packageAzure(t, with(plan, "--functions", "http", "--handler", handler, "--out", to)...); err == nil || !strings.Contains(err.Error(), "blob/function.json is not of this package") {
			t.Errorf("over another package: %v", err)
		}
	})
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unzip does what a host does with a package, and checks what is in it.
func unzip(t *testing.T, file, dir string) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	want := map[string]fs.FileMode{
		"handler": 0o755, "lib/libonnxruntime.so": 0o755, "host.json": 0o644, "http/function.json": 0o644, "queue/function.json": 0o644,
		"lib/NOTICE.txt": 0o644, "model/digits/1/model.onnx": 0o644, "model/digits/1/sample.json": 0o644, "model/digits/1/score.json": 0o644,
	}
	for _, f := range z.File {
		if mode, ok := want[f.Name]; !ok || f.Mode() != mode {
			t.Errorf("%s is packed with mode %s, want %s (0: not at all)", f.Name, f.Mode(), mode)
		}
		delete(want, f.Name)
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, f.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) > 0 {
		t.Errorf("not packed: %v", want)
	}
}

// hosted starts the handler of an unpacked app as the host does, and waits for it as the host does: any answer is one.
func hosted(t *testing.T, dir string) (url string) {
	t.Helper()
	free, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free)
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(dir, azureapp.Handler))
	cmd.Dir = dir
	cmd.Env = []string{"FUNCTIONS_CUSTOMHANDLER_PORT=" + port, "FUNCTIONS_HTTPWORKER_PORT=" + port, "FUNCTIONS_APP_ROOT_PATH=" + dir, "FUNCTIONS_WORKER_RUNTIME=custom"}
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed, as the host does it
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("handler:\n%s", log.String())
		}
	})
	for end := time.Now().Add(patience); ; {
		r, err := http.Get("http://127.0.0.1:" + port + "/")
		if err == nil {
			_ = r.Body.Close()
			return "http://127.0.0.1:" + port
		}
		select {
		case <-ended:
			t.Fatal("the handler ended")
		case <-time.After(25 * time.Millisecond): // the host's own interval
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func TestPackageAzureRefusesAHandlerThatCannotStart(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	arch, err := pack.Arch(exe)
	if err != nil {
		t.Skip("not Linux: ", err)
	}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[arch]
	plan := azureapp.Plan{Name: "flex", GLIBC: "2.0"}
	for want, p := range map[string]*packaging{
		"is built for \"" + arch + "\", not for " + other: {arch: other, az: azureFlags{handler: exe}},
		"a host of Azure Functions may have no more":      {arch: arch, az: azureFlags{handler: exe}},
		"no such file": {arch: arch, az: azureFlags{handler: exe + ".none"}},
	} {
		var files pack.Files
		if err := p.addHandler(t.Context(), &call{}, plan, t.TempDir(), &files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if len(files) > 0 {
			t.Errorf("%s: it is packed all the same", want)
		}
	}
}

func TestPackageAzureKnowsTheRoomOfAPlan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size, room int64
		ok         bool
	}{{800 << 20, 800 << 20, true}, {800<<20 + 1, 800 << 20, false}, {5 << 30, 0, true}} {
		if err := fits(tt.size, azureapp.Plan{Name: "flex", MaxSize: tt.room}); (err == nil) != tt.ok {
			t.Errorf("%d of %d: %v", tt.size, tt.room, err)
		}
	}
}
