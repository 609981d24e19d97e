package bench

import (
	"math"
	"testing"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		name string
		got  Spread
		want Spread
	}{
		{"nothing", SpreadOf(nil), Spread{}},
		{"one", SpreadOf([]float64{7}), Spread{7, 7, 7, 7, 1}},
		{"even count lies between", SpreadOf([]float64{4, 1, 3, 2}), Spread{2.5, 1.3, 3.7, 1, 4}},
		{"eleven", SpreadOf([]float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}), Spread{5, 1, 9, 0, 11}},
		{"ratio by round", RatioOf([]float64{2, 20, 6}, []float64{1, 10, 2}), Spread{2, 2, 2.8, 2, 3}},
		{"ratio skips rounds without both", RatioOf([]float64{nan, 3, 5, 9}, []float64{1, nan, 5, 0}), Spread{1, 1, 1, 1, 1}},
		{"ratio of unequal lengths", RatioOf([]float64{4}, []float64{2, 2}), Spread{2, 2, 2, 2, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
			g, w := c.got, c.want
			if !near(g.Median, w.Median) || !near(g.P10, w.P10) || !near(g.P90, w.P90) || !near(g.Min, w.Min) || g.N != w.N {
				t.Errorf("got %+v, want %+v", g, w)
			}
		})
	}
}

func TestSpreadLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	v := []float64{3, 1, 2}
	SpreadOf(v)
	Quantile(v, 0.5)
	if v[0] != 3 || v[1] != 1 || v[2] != 2 {
		t.Errorf("changed to %v", v)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	v := []float64{10, 30, 20, 40, 50}
	for q, want := range map[float64]float64{0: 10, 0.25: 20, 0.5: 30, 0.9: 46, 1: 50} {
		if got := Quantile(v, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("Quantile(%v) = %v, want %v", q, got, want)
		}
	}
	if got := Quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("Quantile of nothing = %v, want NaN", got)
	}
}
