//go:build conformance

package conformance

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
)

var only = flag.String("case", "", "regular `expression`: score only the cases whose name fits")

// suiteSize is how many cases libonnx-testdata 1.12 has: fewer mean that something is not found.
const suiteSize = 1072

func TestConformance(t *testing.T) {
	onnxtest.Library(t)
	cases := findCases(t)
	if len(cases) != suiteSize {
		t.Errorf("%d cases, want %d: the lists of this test are for libonnx-testdata 1.12", len(cases), suiteSize)
	}
	if list := unknown(cases); list != nil {
		t.Errorf("expected failures of cases that do not exist: %q", list)
	}
	if *only != "" {
		fits := regexp.MustCompile(*only)
		cases = slices.DeleteFunc(cases, func(c testCase) bool { return !fits.MatchString(c.name) })
		if len(cases) == 0 {
			t.Fatalf("no case is called %s", *only)
		}
	}
	// One thread a run, as in the direct run: sums may depend on their number.
	env := map[string]string{"SCOREFN_NONFINITE": "token", "SCOREFN_THREADS": "1", "SCOREFN_ACCESS_LOG": "false"}
	set, err := settings.Load(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	served, missing := servedForms(set)
	start := time.Now()
	outcomes := make([]map[string]error, len(cases))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				outcomes[i] = cases[i].score(t.Context(), set, served)
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	workers.Wait()
	took := time.Since(start)

	r := report{skipped: map[string]map[string]int{}}
	for _, name := range append([]string{direct}, names(served)...) {
		r.form(t, name, cases, outcomes)
	}
	for _, f := range missing {
		fmt.Fprintf(&r.table, "%-20s %7d   not served yet: there is no %s\n", f.name, len(cases), f.route)
	}
	t.Logf("%d cases in %.1f s\n%s", len(cases), took.Seconds(), r.String())
}

// servedForms tells the forms that the handler has a route for from those that it does not have yet.
func servedForms(set settings.Settings) (served, missing []form) {
	h := function.Handler(function.New(score.Init, function.WithSettings(set)))
	for _, f := range forms {
		w := httptest.NewRecorder()
		if f.route != "" {
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, f.route, nil))
		}
		if w.Code == http.StatusNotFound {
			missing = append(missing, f)
		} else {
			served = append(served, f)
		}
	}
	return served, missing
}

func names(list []form) (names []string) {
	for _, f := range list {
		names = append(names, f.name)
	}
	return names
}

// report is the tables that are printed.
type report struct {
	table   strings.Builder
	skipped map[string]map[string]int // form, reason
	order   []string
}

// form compares what became of every case in one form with the lists of expected failures. Subtests are for what is wrong
// alone: a thousand that pass would hide it.
func (r *report) form(t *testing.T, name string, cases []testCase, outcomes []map[string]error) {
	t.Helper()
	if len(r.order) == 0 {
		fmt.Fprintf(&r.table, "%-20s %7s %7s %7s %7s\n", "", "cases", "passed", "skipped", "failed")
	}
	r.order = append(r.order, name)
	r.skipped[name] = map[string]int{}
	passed, skipped, failed := 0, 0, 0
	for i, errs := range outcomes {
		key := name + "/" + cases[i].name
		why := expected[key]
		problem := verdict(errs[name], why)
		switch {
		case problem != "":
			failed++
			t.Run(key, func(t *testing.T) { t.Error(problem) })
		case why != nil:
			skipped++
			r.skipped[name][why.text]++
		default:
			passed++
		}
	}
	fmt.Fprintf(&r.table, "%-20s %7d %7d %7d %7d\n", name, len(outcomes), passed, skipped, failed)
}

// verdict is what is wrong with an outcome, "" for nothing.
func verdict(err error, why *reason) string {
	switch {
	case err == nil && why == nil:
		return ""
	case err == nil:
		return fmt.Sprintf("passes now: take it off the list %q", why.text)
	case why == nil && strings.Contains(err.Error(), "Failed to construct locale"):
		return "ONNX Runtime needs the locale en_US.UTF-8: run this test by .ci/conformance, which makes it"
	case why == nil:
		return fmt.Sprintf("%.600s", err.Error())
	case !why.fits(err):
		return fmt.Sprintf("is on the list %q, but fails otherwise: %.600s", why.text, err.Error())
	}
	return ""
}

// String is the tables: forms, then why cases were skipped. Reasons that hold for the direct run hold for every form.
func (r *report) String() string {
	var b strings.Builder
	b.WriteString(r.table.String())
	for i, form := range r.order {
		title := "skipped, " + form + ":\n"
		if i > 0 {
			title = "skipped, " + form + ", besides those of the direct run:\n"
		}
		for _, why := range reasons {
			if n := r.skipped[form][why.text]; n > 0 && (i == 0 || why.forms != nil) {
				fmt.Fprintf(&b, "%s%7d  %s\n", title, n, why.text)
				title = ""
			}
		}
	}
	return b.String()
}
