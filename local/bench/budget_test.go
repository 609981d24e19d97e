package bench

import (
	"strings"
	"testing"
)

func TestBudgets(t *testing.T) {
	t.Parallel()
	at := func(v float64) Spread { return Spread{v, v, v, v, 3} }
	m := &Model{
		Name: "m", Bytes: 16_000,
		Cold: []Cold{
			{Name: limitName, Ratio: at(1), CPU: at(20)},
			{Name: serveName, Ratio: at(1.15), CPU: at(22)},
			{Name: "lambda bootstrap", Ratio: at(1.2), CPU: at(22.5)},
			{Name: "azure handler", Ratio: at(1.2), CPU: at(23.5)},
		},
		Runs: []ModelRun{{Name: limitName, Ratio: at(1), RSSMB: 30}, {Name: "core in Go", Ratio: at(1.2)}},
		Warm: []Warm{
			{Name: serveName, Ratio: at(1.25), RSSMB: 39, Growth: &Growth{100, 1, 39, -0.5}},
			{Name: "lambda bootstrap", RSSMB: 90, Growth: &Growth{100, 1, 90, 50}},
		},
	}
	want := map[string]bool{
		"m: cold start over HTTP":                                     true,
		"m: CPU of a cold start, lambda bootstrap over scorefn serve": true,
		"m: CPU of a cold start, azure handler over scorefn serve":    false,
		"m: one warm run": false,
		"m: warm request, of net/http and the limit's run": true,
		"m: memory over the limit's":                       true,
		"m: growth over 100 requests, scorefn serve":       true,
		"m: growth over 100 requests, lambda bootstrap":    false,
	}
	got := m.budgets()
	for _, b := range got {
		if met, known := want[b.What]; !known || met != b.Met {
			t.Errorf("%s: %g of %g, met %v, want %v", b.What, b.Got, b.Most, b.Met, met)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d budgets, want %d", len(got), len(want))
	}
	m.Bytes = 20_000_000
	if b := m.budgets()[0]; b.Met || b.Most != mostColdLarge {
		t.Errorf("a large model: %+v", b)
	}
	if b := new(Model).budgets(); len(b) != 0 {
		t.Errorf("nothing was measured: %+v", b)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := example()
	large := *r.Models[0]
	large.Name, large.Cold = "large", append(large.Cold[:2:2], Cold{Name: "scorefn serve, baked", MS: Spread{Median: 12.3}, Ratio: Spread{Median: 0.5}})
	large.Cold = append(large.Cold, r.Models[0].Cold[2], Cold{Name: "core in Go"})
	r.Models = append(r.Models, &large)
	var b strings.Builder
	must(t, r.WriteMarkdown(&b))
	const want = `2026-01-02 03:04 UTC, scorefn 1.2.3, Go 1.26, ONNX Runtime 1.27.0, linux/amd64, 4 x A & B <processor>; medians, in brackets how many times the C limit.

|  | cold start, ms, digits | cold start, ms, large | warm, p50 / p99 µs | requests/s | RSS MB |
|---|---|---|---|---|---|
| C limit | 20.0 | 20.0 | 2.00 (the run) |  | 31.4 |
| scorefn serve | 22.0 (1.10x) | 22.0 (1.10x) | 31.0 / 123 |  | - |
| scorefn serve, baked |  | 12.3 (0.50x) |  |  |  |
| FastAPI, uvicorn | 1200 (60.0x) | 1200 (60.0x) |  |  |  |
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	must(t, new(Report).WriteMarkdown(&b))
	if b.String() != "" {
		t.Errorf("an empty report: %q", b.String())
	}
}
