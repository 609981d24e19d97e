package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
)

func example() *Report {
	s := Spread{20, 18, 25, 17, 9}
	one := Spread{1, 1, 1, 1, 9}
	return &Report{
		Machine: Machine{
			Date: "2026-01-02 03:04 UTC", Scorefn: "1.2.3", Go: "1.26", ONNXRuntime: "1.27.0", OS: "linux/amd64", CPU: "A & B <processor>",
			CPUs: 4, Load: "0.10",
		},
		ColdRounds: 9, WarmRounds: 3, Slice: "300ms", Took: "1m0s",
		Models: []*Model{{
			Name: "digits", Bytes: 15949, Threads: 1, Body: 157,
			Cold: []Cold{
				{Name: limitName, MS: s, Ratio: one, CPU: s, OfCPU: one, Phases: []Phase{{"process", 0.8}, {"session", 3.456}}},
				{Name: "scorefn serve", MS: s.scaled(1.1), Ratio: Spread{1.1, 1.05, 1.2, 1, 9}},
				{Name: "FastAPI, uvicorn", Peer: true, MS: s.scaled(60), Ratio: Spread{60, 50, 70, 40, 2}},
			},
			Runs: []ModelRun{{Name: limitName, NS: s.scaled(100), Ratio: one, CPU: s, OfCPU: one, RSSMB: 31.4}},
			Warm: []Warm{
				{
					Name: floorName, P50: 20, P90: 30, P99: 90, N: 1000, RSSMB: 9,
					Throughput: []Throughput{{1, Spread{Median: 9000, N: 3}}, {16, Spread{Median: 20000, N: 3}}},
				},
				{Name: "scorefn serve", P50: 31, P90: 40, P99: 123.4, Ratio: Spread{1.2, 1.1, 1.3, 1, 3}, Growth: &Growth{100000, 16, 40, 0.3}},
			},
			Skipped: []string{"MLServer: answered 500\nsorry"},
		}},
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	must(t, example().WriteTable(&b))
	const want = `2026-01-02 03:04 UTC, scorefn 1.2.3, Go 1.26, ONNX Runtime 1.27.0, linux/amd64, 4 x A & B <processor>, load 0.10 at the start
Medians, in brackets from the lowest tenth of the rounds to the highest. Ratios are taken within a round: the entrants
take turns, in a new order every round. Cold: 9 rounds, files in memory; warm: 3 rounds of 300ms. Took 1m0s.

digits: 15.9 KB, 1 thread a run, request of 157 bytes

  cold start, to the first answer  ms                of the limit         CPU ms of the limit phases, ms
  C limit                          20.0 (18.0–25.0)  1.00x (1.00x–1.00x)  20.0 1.00x (1.00x–1.00x)   process 0.80 + session 3.46
  scorefn serve                    22.0 (19.8–27.5)  1.10x (1.05x–1.20x)  -   -    
  FastAPI, uvicorn                 1200 (1080–1500)  60.0x (50.0x–70.0x)  -  -     

  one run, without a server  µs                of the limit         CPU µs  of the limit         RSS MB
  C limit                    2.00 (1.80–2.50)  1.00x (1.00x–1.00x)  0.02    1.00x (1.00x–1.00x)  31.4

  warm request        p50 µs  p90   p99  of net/http + limit  of net/http and the run CPU µs  RSS MB  requests/s at 1, 16 clients
  net/http, no model  20.0    30.0  90.0 - -                    -       9.00    9000, 20000
  scorefn serve       31.0    40.0  123  1.20x (1.10x–1.30x) -  -       -       

  after 100000 requests of 16 shapes  RSS MB  grown MB
  scorefn serve                       40.0    +0.3
  left out: MLServer: answered 500 sorry
`
	if strip(b.String()) != strip(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// strip makes every run of blanks one: how wide a column is does not matter.
func strip(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func TestChartIsXML(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*Report{"whole": example(), "empty": {}} {
		var b strings.Builder
		must(t, r.WriteSVG(&b))
		circles, texts := 0, ""
		for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			switch x := token.(type) {
			case xml.StartElement:
				if x.Name.Local == "circle" {
					circles++
				}
			case xml.CharData:
				texts += string(x)
			}
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("%s: a place that is no number:\n%s", name, b.String())
		}
		if name == "whole" && (circles != 5 || !strings.Contains(texts, "A & B <processor>") || !strings.Contains(texts, "1200 ms, 60.0x")) {
			t.Errorf("%d dots, want 5; texts: %s", circles, texts)
		}
	}
}

func TestNumbersAsText(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"1.25x": times(1.25), "12.3x": times(12.34), "10.0x": times(9.999), "0.05": short(0.05), "9.99": short(9.994), "10.0": short(9.996), "100": short(99.96),
		"1234": short(1234.4), "15.9 KB": size(15_949), "157 bytes": size(157), "102 MB": size(102_131_760), "1 thread": count(1, "thread"),
		"2 threads": count(2, "thread"), "0.001": tick(-3), "1000": tick(3),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Whoever reads the JSON finds every field in the page that describes it.
func TestReadmeDescribesTheJSON(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	must(t, err)
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type)
	look = func(at reflect.Type) {
		if k := at.Kind(); k == reflect.Pointer || k == reflect.Slice {
			look(at.Elem())
			return
		}
		if at.Kind() != reflect.Struct || seen[at] {
			return
		}
		seen[at] = true
		for f := range at.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%v.%s: no word of `%s`", at, f.Name, name)
			}
			look(f.Type)
		}
	}
	look(reflect.TypeFor[Report]())
}
