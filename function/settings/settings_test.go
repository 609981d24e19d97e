package settings_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/settings"
)

func load(env map[string]string) (settings.Settings, error) {
	return settings.Load(func(name string) string { return env[name] })
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Port != 8080 || s.ScoringTimeout != time.Hour || s.Queue != 64 || s.MaxBody != 100<<20 || s.NonFinite != "null" || s.VCPUs() < 1 {
		t.Errorf("got %+v", s)
	}
}

func TestBadValuesAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ value, want string }{
		"PORT":                {"http", `PORT="http": expected a whole number from 0 to 65535`},
		"SCORING_TIMEOUT_MS":  {"0", `SCORING_TIMEOUT_MS="0": expected a whole number of milliseconds, 1 or more`},
		"SCOREFN_QUEUE":       {"-1", `SCOREFN_QUEUE="-1": expected a whole number from 0`},
		"SCOREFN_NONFINITE":   {"zero", `SCOREFN_NONFINITE="zero": expected null or token`},
		"SCOREFN_LENIENT":     {"perhaps", `SCOREFN_LENIENT="perhaps": expected true or false`},
		"SCOREFN_LOG_LEVEL":   {"loud", `expected debug or info or warn or error`},
		"SCOREFN_MAX_BODY":    {"1e6", `SCOREFN_MAX_BODY="1e6"`},
		"SCOREFN_CONCURRENCY": {"9999", `from 0 to 4096`},
	} {
		_, err := load(map[string]string{name: tt.value, "SCOREFN_THREADS": "many"})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "SCOREFN_THREADS") {
			t.Errorf("%s=%s: got %v, want %q", name, tt.value, err, tt.want)
		}
	}
}

func TestValuesAreRead(t *testing.T) {
	t.Parallel()
	s, err := load(map[string]string{"SCORING_TIMEOUT_MS": " 250 ", "SCOREFN_NONFINITE": "TOKEN", "SCOREFN_LENIENT": "True", "MODEL_DIR": "m"})
	if err != nil || s.ScoringTimeout != 250*time.Millisecond || s.NonFinite != "token" || !s.Lenient || s.ModelDir != "m" {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestLambdaGrantsAVCPUForEvery1769MB(t *testing.T) {
	t.Parallel()
	for memory, want := range map[int]int{128: 1, 1769: 1, 2653: 1} {
		if got := (settings.Settings{LambdaMemoryMB: memory}).VCPUs(); got != want {
			t.Errorf("%d MB: %d vCPUs, want %d", memory, got, want)
		}
	}
}

func TestContextBeatsTheEnvironment(t *testing.T) {
	t.Parallel()
	s, err := settings.From(settings.With(t.Context(), settings.Settings{Threads: 3}))
	if err != nil || s.Threads != 3 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// The README's table is the one in code: a row a group.
func TestReadmeListsTheSettings(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	group := ""
	for _, s := range settings.Table() {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&want, "\n| %s | ", group)
		} else {
			want.WriteString("<br>")
		}
		fmt.Fprintf(&want, "`%s`", s.Name)
		if s.Default != "" {
			fmt.Fprintf(&want, " (%s)", s.Default)
		}
		fmt.Fprintf(&want, ": %s", s.Doc)
	}
	text := strings.ReplaceAll(want.String(), "\n| ", " |\n| ")[3:] + " |"
	if !strings.Contains(string(readme), text) {
		t.Errorf("README.md must contain this table:\n%s", text)
	}
}

func TestBatching(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]settings.Settings{
		"":          {},
		"off":       {},
		"16":        {BatchRows: 16},
		"16,2ms":    {BatchRows: 16, BatchDelay: 2 * time.Millisecond},
		" 2 , 1s ":  {BatchRows: 2, BatchDelay: time.Second},
		"1024,50us": {BatchRows: 1024, BatchDelay: 50 * time.Microsecond},
	} {
		s, err := load(map[string]string{"SCOREFN_BATCH": value})
		if err != nil || s.BatchRows != want.BatchRows || s.BatchDelay != want.BatchDelay {
			t.Errorf("%q: got %d, %v, %v", value, s.BatchRows, s.BatchDelay, err)
		}
	}
	for _, value := range []string{"on", "1", "0", "-4", "1025", "16,", "16,2", "16,-1ms", "16,2s", "16,2ms,1", ",2ms"} {
		if _, err := load(map[string]string{"SCOREFN_BATCH": value}); err == nil || !strings.Contains(err.Error(), "16,2ms") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
