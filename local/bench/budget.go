package bench

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Budget is a limit that scorefn sets itself, and what was measured.
type Budget struct {
	What string  `json:"what"`
	Got  float64 `json:"got"`
	Most float64 `json:"most"`
	Unit string  `json:"unit"` // "x" of the limit, "ms", "MB"
	Met  bool    `json:"met"`
}

// The budgets. A large model is one whose weights, not ONNX Runtime's own start, are what takes time.
const (
	mostCold       = 1.15
	mostColdLarge  = 1.06
	mostRun        = 1.1
	mostRequest    = 1.3
	mostAdapterCPU = 1.0 // ms more than "scorefn serve", at cold start
	mostRSS        = 10. // MB more than the limit
	mostGrowth     = 2.  // MB over many requests: a page more or less is no growth
	largeModel     = 9_000_000
)

const serveName = "scorefn serve"

// budgets compares what was measured with the budgets.
func (m *Model) budgets() (all []Budget) {
	add := func(what string, got, most float64, unit string) {
		all = append(all, Budget{m.Name + ": " + what, got, most, unit, got <= most})
	}
	most := mostCold
	if m.Bytes >= largeModel {
		most = mostColdLarge
	}
	if serve := m.cold(serveName); serve != nil && serve.Ratio.N > 0 {
		add("cold start over HTTP", serve.Ratio.Median, most, "x")
		for _, name := range []string{"lambda bootstrap", "cloudfunctions server", "azure handler"} {
			if c := m.cold(name); c != nil && c.CPU.Median > 0 {
				add("CPU of a cold start, "+name+" over scorefn serve", c.CPU.Median-serve.CPU.Median, mostAdapterCPU, "ms")
			}
		}
	}
	if len(m.Runs) > 1 {
		add("one warm run", m.Runs[1].Ratio.Median, mostRun, "x")
	}
	for _, w := range m.Warm {
		if w.Name == serveName {
			if w.Ratio.N > 0 {
				add("warm request, of net/http and the limit's run", w.Ratio.Median, mostRequest, "x")
			}
			if len(m.Runs) > 0 && w.RSSMB > 0 && m.Runs[0].RSSMB > 0 {
				add("memory over the limit's", w.RSSMB-m.Runs[0].RSSMB, mostRSS, "MB")
			}
		}
		if g := w.Growth; g != nil && g.RSSMB > 0 {
			add(fmt.Sprintf("growth over %d requests, %s", g.Requests, w.Name), g.GrownMB, mostGrowth, "MB")
		}
	}
	return all
}

func (m *Model) cold(name string) *Cold {
	for i := range m.Cold {
		if m.Cold[i].Name == name {
			return &m.Cold[i]
		}
	}
	return nil
}

func (m *Model) budgetTable(w *tabwriter.Writer) {
	if len(m.Budgets) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  budget\tmeasured\tat most\t\n")
	for _, b := range m.Budgets {
		verdict := "met"
		if !b.Met {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", strings.TrimPrefix(b.What, m.Name+": "), b.text(b.Got), b.text(b.Most), verdict)
	}
}

func (b *Budget) text(v float64) string {
	if b.Unit == "x" {
		return times(v)
	}
	return short(v) + " " + b.Unit
}
