package score_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// batching is a function of a network with SCOREFN_BATCH, and its log.
func batching(t *testing.T, value string, m modeldir.Model, init function.Init) (*function.Function, *bytes.Buffer) {
	t.Helper()
	s, err := settings.Load(func(name string) string {
		return map[string]string{"SCOREFN_BATCH": value, "SCOREFN_CONCURRENCY": "1", "SCOREFN_ACCESS_LOG": "false"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o := []function.Option{function.WithSettings(s), function.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))}
	if m.File != "" {
		o = append(o, function.WithModel(m))
	}
	f := function.New(init, o...)
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(function.Reason(err))
	}
	return f, &log
}

// executions is how often the model has run, and for how many requests.
func executions(t *testing.T, f *function.Function) (runs, requests int) {
	t.Helper()
	var stats struct {
		Models []struct {
			Inferences int `json:"inference_count"`
			Executions int `json:"execution_count"`
		} `json:"model_stats"`
	}
	if err := json.Unmarshal(get(t, function.Handler(f), "/v2/models/stats"), &stats); err != nil || len(stats.Models) != 1 {
		t.Fatal(err, stats)
	}
	return stats.Models[0].Executions, stats.Models[0].Inferences
}

// The held-out digits as the items of one event: the answers are those of one request each, from far fewer runs.
func TestItemsOfAnEventShareRuns(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	images, labels := heldOut(t)
	f, log := batching(t, "16", modeldir.Model{Name: "digits", Dir: "../../model/digits/1", File: digitsModel}, score.Init)
	if !strings.Contains(log.String(), `msg="requests may share runs"`) {
		t.Fatal(log)
	}
	var items []function.Item
	for i, image := range images {
		body := `{"data": [` + image + `]}`
		if i%10 == 9 {
			body = `{"data": [[1, 2]]}` // a poisoned one
		}
		items = append(items, function.Item{ID: fmt.Sprint(i), Request: function.Request{Body: []byte(body)}})
	}
	failed := 0
	for i, r := range f.Each(t.Context(), items, function.Events{}) {
		switch {
		case i%10 == 9:
			if function.AsError(r.Err).Kind != function.Invalid {
				t.Errorf("item %d: %v, %s", i, r.Err, r.Response.Body)
			}
			failed++
		case r.Err != nil || string(r.Response.Body) != "["+labels[i].predicted+"]":
			t.Errorf("item %d: got %s, %v, want %s", i, r.Response.Body, r.Err, labels[i].predicted)
		}
	}
	runs, requests := executions(t, f)
	t.Logf("%d items in %d runs", requests, runs)
	if requests != len(items)-failed || runs > requests/2 {
		t.Errorf("%d items in %d runs", requests, runs)
	}
}

// Requests of every body format share runs; each is answered in its own format.
func TestRequestsShareRunsWhateverTheirFormat(t *testing.T) {
	t.Parallel()
	f, _ := batching(t, "16,2ms", model(t, digitsModel, ""), score.Init)
	single := newFunction(t, function.WithModel(model(t, digitsModel, "")))
	images, _ := heldOut(t)
	server := httptest.NewServer(function.Handler(f))
	t.Cleanup(server.Close)
	plain := httptest.NewServer(function.Handler(single))
	t.Cleanup(plain.Close)
	v2 := func(image string) string {
		return `{"inputs": [{"name": "image", "shape": [1, 64], "datatype": "FP32", "data": ` + image + `}]}`
	}
	var group sync.WaitGroup
	for i := range 60 {
		path, media, body := "/score", "application/json", `{"data": [`+images[i]+`]}`
		switch i % 3 {
		case 1:
			media, body = "text/csv", strings.Trim(images[i], "[]")
		case 2:
			path, body = "/v2/models/m/infer", v2(images[i])
		}
		group.Go(func() {
			got, want := post(t, server.URL+path, media, body), post(t, plain.URL+path, media, body)
			if !nearly(got, want) {
				t.Errorf("request %d: got %s, want %s", i, got, want)
			}
		})
	}
	group.Wait()
}

func post(t *testing.T, url, media, body string) string {
	t.Helper()
	r, err := http.Post(url, media, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(r.Body); err != nil || r.StatusCode != 200 {
		t.Error(r.Status, err, text.String())
	}
	return text.String()
}

// nearly compares answers, whose floats may differ by a last digit.
func nearly(a, b string) bool {
	round := func(text string) any {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err.Error()
		}
		return v
	}
	return close64(round(a), round(b))
}

func close64(a, b any) bool {
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		return ok && x-y < 1e-5 && y-x < 1e-5
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !close64(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if !close64(x[k], y[k]) {
				return false
			}
		}
		return true
	}
	return a == b
}

func TestWhyRequestsDoNotShareRunsIsLoggedOnce(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	for name, test := range map[string]struct {
		m    build
		want string
	}{
		"a fixed first dimension": {network(onnxtest.Identity(onnxtest.T(tensor.Float32, 1, 3)), nil), `input \"x\" is float32[1,3]`},
		"the sum of all rows": {network(onnxtest.Model{Graph: onnxtest.Graph{
			Inputs:  []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Float32, "N", 2))},
			Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.T(tensor.Float32, "N", 2))},
			Nodes: []onnxtest.Node{
				{Op: "Softmax", Inputs: []string{"x"}, Outputs: []string{"s"}, Attrs: []onnxtest.Attr{onnxtest.Int("axis", 0)}},
				{Op: "Mul", Inputs: []string{"x", "s"}, Outputs: []string{"y"}},
			},
		}}, map[string]string{"sample.json": `{"data": [[1, 2], [3, 4]]}`}), "row 0 of 2: output 0"},
		"a script without a model": {script(runFunc(func(data json.RawMessage) (any, error) { return string(data), nil })), "no model whose runs can be shared"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			init, m := test.m(t)
			if m.File == "" {
				m.File = "none"
			}
			f, log := batching(t, "4", m, init)
			for range 3 {
				if _, err := f.Run(t.Context(), function.Request{Body: []byte(`{"data": [[1, 2, 3]]}`)}); err != nil && name != "the sum of all rows" {
					t.Error(err)
				}
			}
			if text := log.String(); strings.Count(text, "batching is off") != 1 || !strings.Contains(text, test.want) {
				t.Errorf("got %s, want %q once", text, test.want)
			}
		})
	}
}

// A request that is cancelled while it waits for a run is answered as such, and its neighbours are scored.
func TestACancelledRequestHurtsNoNeighbour(t *testing.T) {
	t.Parallel()
	f, _ := batching(t, "8,1ms", model(t, digitsModel, ""), score.Init)
	images, labels := heldOut(t)
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				go cancel()
			}
			r, err := f.Run(ctx, function.Request{Body: []byte(`{"data": [` + images[i] + `]}`)})
			switch {
			case err == nil && !strings.Contains(string(r.Body), `"label":[`+labels[i].predicted+`]`):
				t.Errorf("request %d: %s", i, r.Body)
			case err != nil && i%2 == 1:
				t.Errorf("request %d: %v", i, err)
			}
		})
	}
	group.Wait()
}
