package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteMarkdown prints what a README tells: an entrant a line, the cold start of every model, and of the first the warm
// request, the requests a second of most clients and the memory.
func (r *Report) WriteMarkdown(w io.Writer) error {
	if len(r.Models) == 0 {
		return nil
	}
	first := r.Models[0]
	heads := []string{""}
	for _, m := range r.Models {
		if len(m.Cold) > 0 {
			heads = append(heads, fmt.Sprintf("cold start, ms, %s", m.Name))
		}
	}
	if len(first.Warm) > 0 {
		heads = append(heads, "warm, p50 / p99 µs", "requests/s", "RSS MB")
	}
	lines := []string{row(heads), strings.Repeat("|---", len(heads)) + "|"}
	for _, name := range r.names() {
		cells := []string{name}
		for _, m := range r.Models {
			if len(m.Cold) > 0 {
				cells = append(cells, m.coldCell(name))
			}
		}
		if len(first.Warm) > 0 {
			cells = append(cells, first.warmCells(name)...)
		}
		lines = append(lines, row(cells))
	}
	_, err := fmt.Fprintf(w, "%v; medians, in brackets how many times the C limit.\n\n%s\n", r.Machine, strings.Join(lines, "\n"))
	return err
}

func row(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }

// details is who is left to the table: what a reader of the README could not start.
var details = []string{"core in Go", "scorefn invoke", "C limit, baked", "lambda bootstrap, baked"}

// names is the entrants with a cold start, in their order in the model that has most.
func (r *Report) names() (names []string) {
	longest := r.Models[0]
	for _, m := range r.Models {
		if len(m.Cold) > len(longest.Cold) {
			longest = m
		}
	}
	for _, c := range longest.Cold {
		if !slices.Contains(details, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

func (m *Model) coldCell(name string) string {
	switch c := m.cold(name); {
	case c == nil:
		return ""
	case name == limitName:
		return short(c.MS.Median)
	default:
		return fmt.Sprintf("%s (%s)", short(c.MS.Median), times(c.Ratio.Median))
	}
}

func (m *Model) warmCells(name string) []string {
	for _, w := range m.Warm {
		if w.Name != name {
			continue
		}
		rate := ""
		if n := len(w.Throughput); n > 0 {
			rate = short(w.Throughput[n-1].PerSecond.Median)
		}
		return []string{short(w.P50) + " / " + short(w.P99), rate, known1(w.RSSMB)}
	}
	for _, run := range m.Runs {
		if run.Name == name {
			return []string{short(run.NS.Median/1e3) + " (the run)", "", known1(run.RSSMB)}
		}
	}
	return []string{"", "", ""}
}
