package score_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// BenchmarkBatching: SCOREFN_BATCH against none, over HTTP, with 1, 4 and 16 clients that ask one request after the other.
// The servers take turns; every figure is a ratio of one round, batched to plain: the median of the rounds, with the least
// and the largest. Rate above 1 is more requests a second; cpu (of a request, the client's share with it), p50 and p99 below
// 1 are less. On a machine with other work, cpu is the figure to go by. Use -benchtime 15x.
func BenchmarkBatching(b *testing.B) {
	onnxtest.Library(b)
	digits, err := os.ReadFile("../../model/digits/1/sample.json")
	must(b, err)
	for _, m := range []struct {
		name, file, media string
		body              []byte
		requests          int // of each round
	}{
		{"digits", digitsModel, "application/json", digits, 1600},
		{"perceptron-784-2048", onnxtest.MLP(784, 2048, 10, 1).Temp(b), "application/octet-stream", noise(784), 800},
		{"convolution-3x32x32", convolution().Temp(b), "application/octet-stream", noise(3 * 32 * 32), 160},
	} {
		for _, value := range []string{"16", "16,2ms"} {
			for _, clients := range []int{1, 4, 16} {
				b.Run(fmt.Sprintf("%s/%s/clients=%d", m.name, value, clients), func(b *testing.B) {
					plain, _ := scoring(b, m.file, "off")
					batched, runs := scoring(b, m.file, value)
					request := httpRequest(m.media, m.body)
					crowd(b, plain, request, clients, m.requests/4) // warm
					crowd(b, batched, request, clients, m.requests/4)
					var rate, cpu, p50, p99 []float64
					from := runs()
					for b.Loop() {
						a, c := crowd(b, plain, request, clients, m.requests), crowd(b, batched, request, clients, m.requests)
						rate, cpu = append(rate, c.rate/a.rate), append(cpu, c.cpu/a.cpu)
						p50, p99 = append(p50, c.p50/a.p50), append(p99, c.p99/a.p99)
					}
					b.ReportMetric(float64(b.N*m.requests)/float64(runs()-from), "rows/run")
					report(b, "rate", rate)
					report(b, "cpu", cpu)
					report(b, "p50", p50)
					report(b, "p99", p99)
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// BenchmarkEventBatching: an event of 100 messages, and one of an object of 1000 JSON lines, with SCOREFN_BATCH=16 against none.
// The figures are those of BenchmarkBatching. Use -benchtime 25x.
func BenchmarkEventBatching(b *testing.B) {
	onnxtest.Library(b)
	digits, err := os.ReadFile("../../model/digits/1/sample.json")
	must(b, err)
	var line bytes.Buffer
	must(b, json.Compact(&line, digits))
	line.WriteByte('\n')
	store := blob.Mem()
	must(b, store.Put(b.Context(), "mem://in/digits.jsonl", "", bytes.Repeat(line.Bytes(), 1000)))
	var messages []function.Item
	for i := range 100 {
		messages = append(messages, function.Item{ID: strconv.Itoa(i), Request: function.Request{Body: digits}})
	}
	for name, items := range map[string][]function.Item{"messages": messages, "lines": {{ID: "o", URL: "mem://in/digits.jsonl"}}} {
		b.Run(name, func(b *testing.B) {
			plain, batched := scorer(b, digitsModel, "off"), scorer(b, digitsModel, "16")
			event := func(f *function.Function) (rate, used float64) {
				start, from := time.Now(), cpu(b)
				for range 10 {
					for _, r := range f.Each(b.Context(), items, function.Events{Store: store}) {
						must(b, r.Err)
						if !bytes.HasPrefix(r.Response.Body, []byte("{\"label\":[2]")) {
							b.Fatalf("answered %.100s", r.Response.Body)
						}
					}
				}
				return 1 / time.Since(start).Seconds(), cpu(b) - from
			}
			event(plain)
			event(batched)
			var rates, used []float64
			for b.Loop() {
				r0, c0 := event(plain)
				r1, c1 := event(batched)
				rates, used = append(rates, r1/r0), append(used, c1/c0)
			}
			report(b, "rate", rates)
			report(b, "cpu", used)
			b.ReportMetric(0, "ns/op")
		})
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// report gives the median of ratios, which it sorts, with the least and the largest.
func report(b *testing.B, name string, ratios []float64) {
	b.Helper()
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], name)
	b.ReportMetric(ratios[0], name+"-min")
	b.ReportMetric(ratios[len(ratios)-1], name+"-max")
}

// scorer is a function of a model file.
func scorer(b *testing.B, file, batching string) *function.Function {
	b.Helper()
	s, err := settings.Load(func(name string) string {
		switch name {
		case "SCOREFN_BATCH":
			return batching
		case "SCOREFN_THREADS":
			return "1"
		}
		return os.Getenv(name)
	})
	must(b, err)
	f := function.New(score.Init, function.WithSettings(s), function.WithLogger(slog.New(slog.DiscardHandler)),
		function.WithModel(modeldir.Model{Name: "m", File: file}))
	b.Cleanup(func() { _ = f.Close() })
	must(b, f.Init(b.Context()))
	return f
}

// scoring is the address of a server of a model file, and how often the model has run.
func scoring(b *testing.B, file, batching string) (addr string, runs func() int) {
	b.Helper()
	f := scorer(b, file, batching)
	server := httptest.NewServer(function.Handler(f))
	b.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), func() int {
		r, err := http.Get(server.URL + "/v2/models/stats")
		must(b, err)
		defer r.Body.Close()
		var stats struct {
			Models []struct {
				Executions int `json:"execution_count"`
			} `json:"model_stats"`
		}
		must(b, json.NewDecoder(r.Body).Decode(&stats))
		return stats.Models[0].Executions
	}
}

// cpu is the time that the process has had.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// noise is n floats as bytes.
func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(5, 6))
	x := make([]float32, n)
	for i := range x {
		x[i] = rng.Float32()
	}
	return bytes.Clone(tensor.Of(x).Data)
}

// convolution is a small picture classifier: two convolutions, an average, a layer.
func convolution() onnxtest.Model {
	rng := rand.New(rand.NewPCG(7, 8))
	weights := func(name string, shape ...int64) onnxtest.Initializer {
		n, _ := tensor.Elements(shape)
		w := make([]float32, n)
		for i := range w {
			w[i] = rng.Float32() - 0.5
		}
		return onnxtest.Init(name, tensor.Of(w, shape...))
	}
	pads := onnxtest.Ints("pads", 1, 1, 1, 1)
	return onnxtest.Model{Graph: onnxtest.Graph{
		Inputs:  []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Float32, "N", 3, 32, 32))},
		Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.T(tensor.Float32, "N", 10))},
		Nodes: []onnxtest.Node{
			{Op: "Conv", Inputs: []string{"x", "w1"}, Outputs: []string{"c1"}, Attrs: []onnxtest.Attr{pads}},
			{Op: "Relu", Inputs: []string{"c1"}, Outputs: []string{"r1"}},
			{Op: "Conv", Inputs: []string{"r1", "w2"}, Outputs: []string{"c2"}, Attrs: []onnxtest.Attr{pads, onnxtest.Ints("strides", 2, 2)}},
			{Op: "Relu", Inputs: []string{"c2"}, Outputs: []string{"r2"}},
			{Op: "GlobalAveragePool", Inputs: []string{"r2"}, Outputs: []string{"g"}},
			{Op: "Flatten", Inputs: []string{"g"}, Outputs: []string{"f"}},
			{Op: "MatMul", Inputs: []string{"f", "w3"}, Outputs: []string{"y"}},
		},
		Initializers: []onnxtest.Initializer{weights("w1", 32, 3, 3, 3), weights("w2", 64, 32, 3, 3), weights("w3", 64, 10)},
	}}
}

func httpRequest(media string, body []byte) []byte {
	return fmt.Appendf(nil, "POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", media, len(body), body)
}

// figures is requests a second, and nanoseconds: of the processor for a request, and as the clients saw them.
type figures struct{ rate, cpu, p50, p99 float64 }

// crowd asks n requests by some clients at one time.
func crowd(b *testing.B, addr string, request []byte, clients, n int) figures {
	b.Helper()
	took := make([][]float64, clients)
	var group sync.WaitGroup
	start, used := time.Now(), cpu(b)
	for i := range clients {
		group.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for range n / clients {
				from := time.Now()
				if err := ask(conn, r, request); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], float64(time.Since(from)))
			}
		})
	}
	group.Wait()
	d := time.Since(start)
	used = cpu(b) - used
	all := slices.Concat(took...)
	if len(all) == 0 {
		b.Fatal("no answer")
	}
	slices.Sort(all)
	return figures{float64(len(all)) / d.Seconds(), used / float64(len(all)), all[len(all)/2], all[len(all)*99/100]}
}

func ask(conn net.Conn, r *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}
