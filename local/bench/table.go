package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable prints the report for a person.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%v, load %s at the start\n", r.Machine, r.Machine.Load)
	fmt.Fprintf(w, "Medians, in brackets from the lowest tenth of the rounds to the highest. Ratios are taken within a round: the entrants\n"+
		"take turns, in a new order every round. Cold: %d rounds, files in memory; warm: %d rounds of %s. Took %s.\n",
		r.ColdRounds, r.WarmRounds, r.Slice, r.Took)
	for _, m := range r.Models {
		fmt.Fprintf(w, "\n%s: %s, %s a run, request of %s\n", m.Name, size(m.Bytes), count(m.Threads, "thread"), size(int64(m.Body)))
		for _, part := range []func(*tabwriter.Writer){m.coldTable, m.runTable, m.warmTable, m.growthTable, m.budgetTable} {
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			part(t)
			if err := t.Flush(); err != nil {
				return err
			}
		}
		for _, s := range m.Skipped {
			fmt.Fprintf(w, "  left out: %s\n", strings.ReplaceAll(s, "\n", " "))
		}
	}
	return nil
}

func (m *Model) coldTable(w *tabwriter.Writer) {
	if len(m.Cold) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  cold start, to the first answer\tms\tof the limit\tCPU ms\tof the limit\tphases, ms\n")
	for _, c := range m.Cold {
		var phases []string
		for _, p := range c.Phases {
			phases = append(phases, p.Name+" "+short(p.MS))
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", c.Name, c.MS.text(), c.Ratio.ratio(), known1(c.CPU.Median), c.OfCPU.ratio(),
			strings.Join(phases, " + "))
	}
}

func (m *Model) runTable(w *tabwriter.Writer) {
	if len(m.Runs) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  one run, without a server\tµs\tof the limit\tCPU µs\tof the limit\tRSS MB\n")
	for _, r := range m.Runs {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.NS.scaled(1e-3).text(), r.Ratio.ratio(), known1(r.CPU.Median/1e3),
			r.OfCPU.ratio(), known1(r.RSSMB))
	}
}

func (m *Model) warmTable(w *tabwriter.Writer) {
	if len(m.Warm) == 0 {
		return
	}
	var clients []string
	for _, t := range m.Warm[0].Throughput {
		clients = append(clients, strconv.Itoa(t.Clients))
	}
	fmt.Fprintf(w, "\n  warm request\tp50 µs\tp90\tp99\tof net/http + limit\tof net/http and the run\tCPU µs\tRSS MB\trequests/s at %s clients\n",
		strings.Join(clients, ", "))
	for _, v := range m.Warm {
		var rates []string
		for _, t := range v.Throughput {
			rates = append(rates, short(t.PerSecond.Median))
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Name, short(v.P50), short(v.P90), short(v.P99), v.Ratio.ratio(),
			v.OfInside.ratio(), known1(v.CPU.Median), known1(v.RSSMB), strings.Join(rates, ", "))
	}
}

func (m *Model) growthTable(w *tabwriter.Writer) {
	head := false
	for _, v := range m.Warm {
		g := v.Growth
		if g == nil {
			continue
		}
		if !head {
			fmt.Fprintf(w, "\n  after %d requests of %s\tRSS MB\tgrown MB\n", g.Requests, count(g.Shapes, "shape"))
			head = true
		}
		fmt.Fprintf(w, "  %s\t%s\t%+.1f\n", v.Name, known1(g.RSSMB), g.GrownMB)
	}
}

func (s Spread) text() string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s–%s)", short(s.Median), short(s.P10), short(s.P90))
}

func (s Spread) ratio() string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s–%s)", times(s.Median), times(s.P10), times(s.P90))
}

func (s Spread) scaled(by float64) Spread {
	return Spread{s.Median * by, s.P10 * by, s.P90 * by, s.Min * by, s.N}
}

// times is a ratio: two decimals as far as they say something.
func times(v float64) string {
	if v < 9.995 {
		return strconv.FormatFloat(v, 'f', 2, 64) + "x"
	}
	return short(v) + "x"
}

// short is v with three digits, or all of those before the point.
func short(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// known1 is a dash for what the system does not tell.
func known1(v float64) string {
	if v == 0 {
		return "-"
	}
	return short(v)
}

func size(n int64) string {
	switch {
	case n >= 1e6:
		return short(float64(n)/1e6) + " MB"
	case n >= 1e4:
		return short(float64(n)/1e3) + " KB"
	}
	return fmt.Sprintf("%d bytes", n)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
