package bench

import (
	"math"
	"slices"
)

// Spread is what is told of a series of measurements.
type Spread struct {
	Median float64 `json:"median"`
	P10    float64 `json:"p10"`
	P90    float64 `json:"p90"`
	Min    float64 `json:"min"`
	N      int     `json:"n"`
}

// SpreadOf describes values, which stay as they are. Without any it is the zero Spread.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	s := slices.Sorted(slices.Values(values))
	return Spread{Median: quantile(s, 0.5), P10: quantile(s, 0.1), P90: quantile(s, 0.9), Min: s[0], N: len(s)}
}

// Quantile is the value that the part q of values does not exceed, between neighbours in proportion; NaN without values.
func Quantile(values []float64, q float64) float64 {
	return quantile(slices.Sorted(slices.Values(values)), q)
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// RatioOf compares two series that were measured in turns, round by round: what disturbed both in a round cancels out. A
// round that either series lacks (NaN) or whose base is 0 does not count.
func RatioOf(values, base []float64) Spread {
	var r []float64
	for i := range min(len(values), len(base)) {
		if x := values[i] / base[i]; !math.IsNaN(x) && !math.IsInf(x, 0) {
			r = append(r, x)
		}
	}
	return SpreadOf(r)
}

// known is values without the rounds that were left out.
func known(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}
