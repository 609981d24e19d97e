package bench

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

// shared is the programs, built once for all tests; TestMain removes them.
var shared struct {
	dir   string
	build func() (programs, error)
}

func TestMain(m *testing.M) {
	if os.Getenv(asSlowFunction) != "" {
		slowFunction()
	}
	dir, err := os.MkdirTemp("", "bench-test-")
	if err != nil {
		panic(err)
	}
	shared.dir = dir
	shared.build = sync.OnceValues(func() (programs, error) {
		return build(context.Background(), root, dir, func(string, ...any) {})
	})
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built is a run whose programs are there; it skips where none can be built.
func built(t *testing.T) *bench {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs")
	}
	for _, name := range []string{"go", "cc"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s: %v", name, err)
		}
	}
	abs, err := filepath.Abs(root)
	must(t, err)
	b := newBench(Config{Root: abs, Dir: t.TempDir(), Progress: func(line string) { t.Log(line) }})
	made, err := shared.build()
	must(t, err)
	b.programs = maps.Clone(made)
	return b
}

func isBuilt() error { return nil }

// Everything that takes part, once: built, started, its answer compared, its requests counted. No time is judged.
func TestRun(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	b := built(t)
	b.Library, b.Models = onnx.LibraryPath(), []string{"digits=" + filepath.Join(b.Root, "model")}
	b.Cold, b.Warm, b.Slice, b.Requests, b.Clients = 1, 1, 10*time.Millisecond, 32, []int{1, 2}
	r, err := b.run(t.Context(), isBuilt)
	must(t, err)
	m := r.Models[0]
	if len(m.Skipped) > 0 {
		t.Errorf("left out: %q", m.Skipped)
	}
	var cold, warm []string
	for _, c := range m.Cold {
		cold = append(cold, c.Name)
		if ours := strings.HasPrefix(c.Name, "scorefn") || c.Name == "lambda bootstrap" || c.Name == limitName; ours && len(c.Phases) < 3 {
			t.Errorf("%s: phases %+v", c.Name, c.Phases)
		}
		if c.MS.N != 1 || c.MS.Median <= 0 || c.Ratio.Median <= 0 {
			t.Errorf("%s: cold %+v, ratio %+v", c.Name, c.MS, c.Ratio)
		}
	}
	for _, v := range m.Warm {
		warm = append(warm, v.Name)
		if v.N == 0 || v.P50 <= 0 || v.P50 > v.P90 || v.P90 > v.P99 {
			t.Errorf("%s: %d requests, %g, %g, %g µs", v.Name, v.N, v.P50, v.P90, v.P99)
		}
	}
	for _, name := range []string{
		limitName, "core in Go", "scorefn invoke", "scorefn serve", "lambda bootstrap", "cloudfunctions server", "azure handler",
		"onnxruntime_go, encoding/json",
	} {
		if !strings.Contains(strings.Join(cold, "\n"), name) {
			t.Errorf("no cold start of %s", name)
		}
	}
	for _, name := range []string{
		floorName, "scorefn serve", "scorefn serve, no log", "scorefn serve, runs of 16 rows", "lambda bootstrap", "cloudfunctions server", "azure handler",
	} {
		if !strings.Contains(strings.Join(warm, "\n"), name) {
			t.Errorf("no warm requests to %s", name)
		}
	}
	watched := 0
	for _, v := range m.Warm {
		if g := v.Growth; g != nil && g.Requests == 32 && g.Shapes == mostRows && g.RSSMB > 0 {
			watched++
		}
	}
	if watched != 4 {
		t.Errorf("the memory of %d was watched, want 4", watched)
	}
	if len(m.Runs) != 2 || m.Runs[0].Name != limitName || m.Runs[1].NS.Median <= 0 || m.Runs[1].RSSMB <= 0 {
		t.Errorf("runs: %+v", m.Runs)
	}
}

// A model that is written for the purpose; it is started baked as well.
func TestMadeModel(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	b := built(t)
	b.Library, b.Made, b.Cold = onnx.LibraryPath(), []string{"transformer-10mb"}, 1
	r, err := b.run(t.Context(), isBuilt)
	must(t, err)
	m := r.Models[0]
	if m.Name != "transformer-10mb" || m.Bytes < 10_000_000 || len(m.Skipped) > 0 {
		t.Errorf("%s of %d bytes, left out: %q", m.Name, m.Bytes, m.Skipped)
	}
	for _, name := range []string{"C limit, baked", "scorefn serve, baked", "lambda bootstrap, baked"} {
		if m.cold(name) == nil {
			t.Errorf("%s does not take part", name)
		}
	}
}

// An entrant of others that cannot serve a model is left out, with the reason; one of ours ends the run.
func TestWhoFails(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	b := built(t)
	b.Library = onnx.LibraryPath()
	dir := t.TempDir()
	onnxtest.Sum(2).Write(t, dir)
	s, err := newSubject(t.Context(), dir, b.Dir, b.Library, 0, 1)
	must(t, err)
	m := new(Model)
	able, err := b.check(t.Context(), s, m)
	must(t, err)
	if len(m.Skipped) != 1 || !strings.HasPrefix(m.Skipped[0], "onnxruntime_go, encoding/json: ") {
		t.Errorf("left out: %q", m.Skipped)
	}
	for _, e := range able {
		if strings.HasPrefix(e.name, "onnxruntime_go") {
			t.Errorf("%s takes part", e.name)
		}
	}
	b.programs["handler"] = filepath.Join(dir, "nothing")
	if _, err := b.check(t.Context(), s, m); err == nil || !strings.HasPrefix(err.Error(), "azure handler: ") {
		t.Errorf("got %v, want an error about the azure handler", err)
	}
}

// A server that ends instead of answering is reported with what it printed.
func TestServerThatEnds(t *testing.T) {
	t.Parallel()
	b := built(t)
	s := &subject{name: "none", file: "/nowhere/model.onnx", threads: 1}
	for _, e := range b.entrants(s) {
		if e.name != "scorefn serve" {
			continue
		}
		_, err := b.cold(t.Context(), e)
		if err == nil || !strings.Contains(err.Error(), "the process ended: exit status") || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.cold(ctx, e); err == nil {
			t.Error("no error after the caller went away")
		}
	}
}

// Before the programs are built, every model is looked at: a mistake is not told after minutes of measuring.
func TestModelsAreLookedAtFirst(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	digits, none := root+"/model", t.TempDir()
	for _, c := range []struct {
		name, want string
		models     []string
	}{
		{"no model", "no model", []string{digits, none}},
		{"one name for two", "two models are called digits", []string{digits, "digits=" + digits}},
		{"a name that is a path", "cannot be a name", []string{digits, "../x=" + digits}},
		{"no name", "cannot be a name", []string{"=" + digits}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(Config{Dir: t.TempDir(), Library: onnx.LibraryPath(), Models: c.models})
			_, err := b.run(t.Context(), func() error { return errors.New("was built") })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// What was measured before something failed is not lost.
func TestReportOfWhatWasMeasured(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	b := built(t)
	dir := t.TempDir()
	onnxtest.Affine(2, 1).Write(t, dir)
	b.Library, b.Models = onnx.LibraryPath(), []string{root + "/model", "late=" + dir}
	r, err := b.run(t.Context(), func() error { return os.WriteFile(filepath.Join(dir, "model.onnx"), []byte("no model"), 0o600) })
	if err == nil || !strings.Contains(err.Error(), "model late: ") {
		t.Errorf("got %v", err)
	}
	if r == nil || len(r.Models) != 1 || r.Models[0].Name != "digits" || r.Took == "" {
		t.Errorf("got %+v", r)
	}
}

// A command that is interrupted ends by itself: it removes what it made on the way.
func TestCommandsAreInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	file := filepath.Join(dir, "half")
	go func() {
		for !exists(file) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := output(ctx, dir, "sh", "-c", `trap 'rm half; exit 1' INT; touch half; while :; do sleep 0.05; done`)
	if err == nil || exists(file) {
		t.Errorf("got %v, the file is left: %v", err, exists(file))
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	s, err := newSubject(t.Context(), root+"/model", t.TempDir(), onnx.LibraryPath(), 0, 8)
	must(t, err)
	if s.name != "digits" || s.threads != 1 || s.bytes < 15_000 || s.bytes > 17_000 {
		t.Errorf("name %s, %d threads, %d bytes", s.name, s.threads, s.bytes)
	}
	var v2 struct {
		Inputs []struct {
			Name, Datatype string
			Shape          []int
			Data           []float64
		}
	}
	must(t, json.Unmarshal(s.v2, &v2))
	if in := v2.Inputs[0]; in.Name != "image" || in.Datatype != "FP32" || len(in.Data) != 64 || in.Shape[1] != 64 {
		t.Errorf("V2: %s", s.v2)
	}
	file, err := os.ReadFile(s.inputs)
	must(t, err)
	if head, data, _ := strings.Cut(string(file), "\n"); head != "image\t1\t256\t2\t1\t64" || len(data) != 256 {
		t.Errorf("inputs: %q and %d bytes", head, len(data))
	}
	for i, body := range s.varied {
		var r struct{ Data [][]float64 }
		must(t, json.Unmarshal(body, &r))
		if len(r.Data) != i+1 || len(r.Data[i]) != 64 {
			t.Errorf("request %d has %d rows", i, len(r.Data))
		}
	}
	if len(s.varied) != mostRows {
		t.Errorf("%d varied requests, want %d", len(s.varied), mostRows)
	}
}

func TestSubjectRefuses(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	for _, c := range []struct {
		name, sample, want string
	}{
		{"a request in another form", `{"inputs": [1]}`, `the request of bench must be {"data": …}`},
		{"no JSON", `{`, `the request of bench must be {"data": …}`},
		{"the wrong shape", `{"data": [[1, 2, 3]]}`, "expected 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			onnxtest.Affine(2, 1).Write(t, dir)
			must(t, os.WriteFile(filepath.Join(dir, "sample.json"), []byte(c.sample), 0o600))
			_, err := newSubject(t.Context(), dir, t.TempDir(), onnx.LibraryPath(), 0, 1)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestSameAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer, scorefn, want string
		v2                          bool
	}{
		{name: "equal", answer: "[2]", scorefn: "[2]"},
		{name: "rounded", answer: "[[0.33333, 1000.5]]", scorefn: "[[0.33333334, 1000]]"},
		{name: "another number", answer: "[3]", scorefn: "[2]", want: "answers 3 where scorefn answers 2"},
		{name: "more numbers", answer: "[2, 3]", scorefn: "[2]", want: "answers 2 numbers, scorefn 1"},
		{name: "labels alone", answer: `["cat"]`, scorefn: `["cat"]`},
		{name: "other labels", answer: `["dog"]`, scorefn: `["cat"]`, want: "holds no numbers"},
		{name: "no numbers", answer: `"Internal Server Error"`, scorefn: "[2]", want: "holds no numbers"},
		{name: "no JSON", answer: "<html>", scorefn: "[2]", want: "holds no numbers"},
		{name: "V2", v2: true, answer: `{"id": "1", "outputs": [{"shape": [1, 1], "data": [2]}]}`, scorefn: "[2]"},
		{name: "V2 without outputs", v2: true, answer: `{"error": "no"}`, scorefn: "[2]", want: "no outputs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := &entrant{values: numbers}
			if c.v2 {
				e.values = v2Numbers
			}
			err := e.same([]byte(c.answer), []byte(c.scorefn))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
