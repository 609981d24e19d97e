package bench

import (
	"maps"
	"slices"

	"github.com/scorefn/scorefn/local/bench/proc"
)

// summarize makes the tables of everything that was measured.
func summarize(order []*entrant, tools map[*entrant]*toolRuns, running map[*entrant]*instance) (runs []ModelRun, warm []Warm) {
	var limit, limitCPU, floor, inside []float64
	for _, e := range order {
		switch e.name {
		case limitName:
			limit, limitCPU = tools[e].ns, tools[e].cpu
		case floorName:
			floor = running[e].p50
		case insideName:
			inside = running[e].p50
		}
	}
	base := make([]float64, min(len(limit), len(floor)))
	for r := range base {
		base[r] = floor[r] + limit[r]/1e3
	}
	for _, e := range order {
		if t := tools[e]; t != nil {
			runs = append(runs, ModelRun{
				Name: e.name, NS: SpreadOf(t.ns), Ratio: RatioOf(t.ns, limit), CPU: SpreadOf(t.cpu), OfCPU: RatioOf(t.cpu, limitCPU),
				RSSMB: SpreadOf(t.rssKB).Median * 1024 / 1e6,
			})
			continue
		}
		i := running[e]
		_, rss := proc.Of(i.pid)
		w := Warm{
			Name: e.name, Peer: e.peer, N: len(i.latency), Round: SpreadOf(i.p50), CPU: SpreadOf(i.cpu), RSSMB: float64(rss) / 1e6,
			P50: Quantile(i.latency, 0.5), P90: Quantile(i.latency, 0.9), P99: Quantile(i.latency, 0.99),
		}
		if e.lambda == nil && e.name != floorName {
			w.Ratio, w.OfInside = RatioOf(i.p50, base), RatioOf(i.p50, inside)
		}
		for _, n := range sortedKeys(i.rate) {
			w.Throughput = append(w.Throughput, Throughput{n, SpreadOf(i.rate[n])})
		}
		warm = append(warm, w)
	}
	return runs, warm
}

func sortedKeys[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }
