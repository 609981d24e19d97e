package cloudfunctions

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	programs "github.com/scorefn/scorefn/local/process"
)

// What a cold start costs: the CPU time, from the start of the process to its first answer, of programs that start one after
// the other. Figures are what a program needs more than a bare net/http server, as medians: run it with -benchtime 40x.
func BenchmarkStart(b *testing.B) {
	names := []string{"bare", "core", "framework", "function", "server"}
	files, cpu := map[string]string{}, map[string][]float64{}
	for _, name := range names {
		files[name] = filepath.Join(b.TempDir(), name)
		cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", files[name], "./testdata/start/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	for b.Loop() {
		for _, name := range names {
			cpu[name] = append(cpu[name], startOnce(b, files[name]))
		}
	}
	median := func(name string) float64 {
		slices.Sort(cpu[name])
		return cpu[name][len(cpu[name])/2]
	}
	b.ReportMetric(median("bare"), "bare-ms")
	for _, name := range names[1:] {
		b.ReportMetric(median(name)-median("bare"), name+"-extra-ms")
	}
}

// startOnce starts a program, waits for its first answer and returns the milliseconds of CPU that it has taken.
func startOnce(b *testing.B, file string) float64 {
	b.Helper()
	free, err := programs.FreePort()
	if err != nil {
		b.Fatal(err)
	}
	port := strconv.Itoa(free)
	cmd := exec.CommandContext(b.Context(), file)
	cmd.Env = append(os.Environ(), "PORT="+port, "FUNCTION_TARGET=Score")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for tries := 0; ; tries++ {
		r, err := client.Get("http://127.0.0.1:" + port + "/")
		if err == nil {
			r.Body.Close()
			break
		}
		if tries == 50_000 {
			b.Fatalf("%s does not answer: %v", file, err)
		}
		<-tick.C
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	return float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / 1e3
}
