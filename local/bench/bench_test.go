// These benchmarks compare scorefn with a C program that does the same through ONNX Runtime's C API (limit.c). Every figure
// is a ratio of medians of runs that alternate in one process: machines are noisy, ratios are less so.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/tensor"
	"github.com/scorefn/scorefn/local/lambdaemu"
)

const (
	root  = "../.."
	model = root + "/model/digits/1/model.onnx"
)

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// output runs a command and returns what it printed.
func output(b *testing.B, name string, args ...string) string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), name, args...).Output()
	if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it unwrapped
		b.Fatalf("%s: %v\n%s", name, err, e.Stderr)
	}
	must(b, err)
	return strings.TrimSpace(string(out))
}

// library is the path of ONNX Runtime.
func library(b *testing.B) string {
	b.Helper()
	onnxtest.Library(b)
	return onnx.LibraryPath()
}

// limit builds limit.c.
func limit(b *testing.B) string {
	b.Helper()
	headers := output(b, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go")
	bin := filepath.Join(b.TempDir(), "limit")
	output(b, "cc", "-O2", "-I", headers, "-o", bin, "limit.c", "-ldl")
	return bin
}

// program builds a main package as it is shipped.
func program(b *testing.B, dir string, flags ...string) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "program")
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", bin}, flags...)
	output(b, "go", append(args, root+"/"+dir)...)
	return bin
}

func median(d []float64) float64 {
	slices.Sort(d)
	return d[len(d)/2]
}

// firstLine is the time from the start of a process to the first line that it prints.
func firstLine(b *testing.B, name string, args ...string) float64 {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), name, args...)
	out, err := cmd.StdoutPipe()
	must(b, err)
	start := time.Now()
	must(b, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	d := time.Since(start)
	must(b, err)
	_, err = io.Copy(io.Discard, out)
	must(b, err)
	must(b, cmd.Wait())
	return float64(d)
}

// firstAnswer is the time from the start of a server process to its first scored answer over HTTP.
func firstAnswer(b *testing.B, bin string, sample []byte) float64 {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	addr := ln.Addr().String()
	must(b, ln.Close())
	cmd := exec.CommandContext(b.Context(), bin, "serve", "--addr", addr, "--model-dir", root+"/model")
	start := time.Now()
	must(b, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(start) < time.Minute {
		r, err := client.Post("http://"+addr+"/score", "application/json", bytes.NewReader(sample))
		if err != nil { // not listening yet
			time.Sleep(200 * time.Microsecond)
			continue
		}
		_, err = io.Copy(io.Discard, r.Body)
		d := time.Since(start)
		must(b, err)
		must(b, r.Body.Close())
		if r.StatusCode != http.StatusOK {
			b.Fatal(r.Status)
		}
		return float64(d)
	}
	b.Fatal("the server did not answer")
	return 0
}

// firstCall is the time of the first call of a Lambda function, from the start of its process to its answer.
func firstCall(b *testing.B, bootstrap string, sample []byte) float64 {
	b.Helper()
	e, err := lambdaemu.New(lambdaemu.Config{Command: []string{bootstrap}, Dir: root})
	must(b, err)
	start := time.Now()
	a, err := e.Invoke(b.Context(), lambdaemu.Call{Payload: sample})
	d := time.Since(start)
	must(b, err)
	must(b, e.Close())
	if string(a.Payload) != "[2]" {
		b.Fatalf("answered %s", a.Payload)
	}
	return float64(d)
}

func sampleBody(b *testing.B) []byte {
	b.Helper()
	body, err := os.ReadFile(root + "/model/digits/1/sample.json")
	must(b, err)
	return body
}

// BenchmarkColdStart: process start to first result. Use -benchtime 25x.
func BenchmarkColdStart(b *testing.B) {
	library := library(b)
	b.Setenv("ONNXRUNTIME_LIB", library)
	c, bin, bootstrap, body := limit(b), program(b, "local"), program(b, "adapters/lambda/bootstrap", "-tags=lambda.norpc"), sampleBody(b)
	var inC, invoke, serve, lambda []float64
	for b.Loop() {
		inC = append(inC, firstLine(b, c, library, model))
		invoke = append(invoke, firstLine(b, bin, "invoke", "--model-dir", root+"/model"))
		serve = append(serve, firstAnswer(b, bin, body))
		lambda = append(lambda, firstCall(b, bootstrap, body))
	}
	m := median(inC)
	b.ReportMetric(m/1e6, "C-ms")
	b.ReportMetric(median(invoke)/m, "invoke/C")
	b.ReportMetric(median(serve)/m, "http/C")
	b.ReportMetric(median(lambda)/m, "lambda/C")
	b.ReportMetric(median(lambda)/median(invoke), "lambda/invoke")
	b.ReportMetric(0, "ns/op")
}

const runs = 20000

// BenchmarkRun: one warm run, tensors in to tensors out, against C's with a new input and an output of its own.
func BenchmarkRun(b *testing.B) {
	library := library(b)
	c := limit(b)
	s, err := onnx.Open(b.Context(), model, onnx.Options{Library: library, Threads: 1})
	must(b, err)
	defer s.Close()
	in, out := []tensor.Value{tensor.Of(make([]float32, 64), 1, 64)}, tensor.GetBatch()
	defer out.Release()
	var inC, inGo []float64
	for b.Loop() {
		inC = append(inC, cRun(b, c, library))
		start := time.Now()
		for range runs {
			must(b, s.InferBatch(context.Background(), in, out))
		}
		inGo = append(inGo, float64(time.Since(start))/runs)
	}
	m := median(inC)
	b.ReportMetric(m, "C-ns")
	b.ReportMetric(median(inGo)/m, "run/C")
	b.ReportMetric(testing.AllocsPerRun(100, func() { must(b, s.InferBatch(context.Background(), in, out)) }), "allocs/run")
	b.ReportMetric(0, "ns/op")
}

func cRun(b *testing.B, bin, library string) float64 {
	b.Helper()
	_, text, _ := strings.Cut(output(b, bin, library, model, strconv.Itoa(runs)), "\n")
	ns, err := strconv.ParseFloat(text, 64)
	must(b, err)
	return ns
}

// BenchmarkRequest: one warm HTTP request over a kept connection, against a handler that does nothing plus C's run, and
// against one that runs the model on ready tensors: between two requests the processor's caches forget the model, which a
// loop in C never sees. The access log is off.
func BenchmarkRequest(b *testing.B) {
	library := library(b)
	c, body := limit(b), sampleBody(b)
	b.Setenv("ONNXRUNTIME_LIB", library)
	f := function.New(score.Init, function.WithLogger(slog.New(slog.DiscardHandler)), function.WithModel(modeldir.Model{Name: "digits", Dir: root + "/model/digits/1", File: model}))
	defer f.Close()
	must(b, f.Init(b.Context()))
	trivial := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[2]")
	}))
	defer trivial.Close()
	s, err := onnx.Open(b.Context(), model, onnx.Options{Library: library, Threads: 1})
	must(b, err)
	defer s.Close()
	in := []tensor.Value{tensor.Of(make([]float32, 64), 1, 64)}
	running := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		out := tensor.GetBatch()
		defer out.Release()
		if err := s.InferBatch(context.Background(), in, out); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[2]")
	}))
	defer running.Close()
	full := httptest.NewServer(function.Handler(f))
	defer full.Close()
	var inC, bare, inside, whole []float64
	const n = 2000
	for b.Loop() {
		inC = append(inC, cRun(b, c, library))
		bare = append(bare, requests(b, trivial.URL+"/score", body, n))
		inside = append(inside, requests(b, running.URL+"/score", body, n))
		whole = append(whole, requests(b, full.URL+"/score", body, n))
	}
	m, r := median(inC), median(bare)
	b.ReportMetric(r/1e3, "trivial-µs")
	b.ReportMetric(median(whole)/1e3, "request-µs")
	b.ReportMetric(median(whole)/(r+m), "request/(trivial+C)")
	b.ReportMetric(median(whole)/median(inside), "request/(trivial-with-the-run-inside)")
	b.ReportMetric(0, "ns/op")
}

// requests is the time of one of n requests, one after the other over one raw connection: a client that costs little.
func requests(b *testing.B, url string, body []byte, n int) float64 {
	b.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	conn, err := net.Dial("tcp", host)
	must(b, err)
	defer conn.Close()
	request := fmt.Appendf(nil, "POST /%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	r := bufio.NewReader(conn)
	start := time.Now()
	for range n {
		_, err := conn.Write(request)
		must(b, err)
		response, err := http.ReadResponse(r, nil)
		must(b, err)
		_, err = io.Copy(io.Discard, response.Body)
		must(b, err)
		must(b, response.Body.Close())
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
	}
	return float64(time.Since(start)) / float64(n)
}
