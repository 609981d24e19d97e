package cloudfunctions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

func sampleProject(context.Context) string { return "sample" }

func TestLogLinesHaveGooglesKeys(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newLogger(&out, "debug", sampleProject)
	i := ids{execution: "abc", trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331", sampled: true}
	ctx := withIDs(t.Context(), i)
	for level, severity := range map[slog.Level]string{
		slog.LevelDebug: "DEBUG", slog.LevelInfo: "INFO", slog.LevelWarn: "WARNING", slog.LevelError: "ERROR", slog.LevelError + 4: "CRITICAL",
	} {
		out.Reset()
		log.With("a", 1).Log(ctx, level, "text", "b", 2)
		var m map[string]any
		if err := json.Unmarshal(out.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		if m["time"] == nil {
			t.Errorf("no time: %s", &out)
		}
		delete(m, "time")
		want := map[string]any{
			"severity": severity, "message": "text", "a": 1.0, "b": 2.0,
			"logging.googleapis.com/trace":         "projects/sample/traces/" + i.trace,
			"logging.googleapis.com/spanId":        i.span,
			"logging.googleapis.com/trace_sampled": true,
			"logging.googleapis.com/labels":        map[string]any{"execution_id": "abc"},
		}
		if fmt.Sprint(m) != fmt.Sprint(want) {
			t.Errorf("got  %v\nwant %v", m, want)
		}
	}
	out.Reset()
	log.Info("outside of a request")
	if strings.Contains(out.String(), "googleapis") {
		t.Errorf("got %s", &out)
	}
	newLogger(&out, "warn", sampleProject).Info("below the level")
	if strings.Contains(out.String(), "below") {
		t.Errorf("got %s", &out)
	}
}

// Cloud Logging looks for its fields at the top of a line, wherever a script puts its own.
func TestGooglesFieldsAreInNoGroup(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ctx := withIDs(t.Context(), ids{execution: "abc", trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331"})
	log := newLogger(&out, "info", sampleProject).With("a", 1).WithGroup("g").With("b", 2).WithGroup("h")
	log.InfoContext(ctx, "text", "c", 3)
	log.InfoContext(t.Context(), "outside of a request", "c", 3)
	for line := range strings.Lines(out.String()) {
		if !strings.Contains(line, `"a":1,`) || !strings.Contains(line, `"g":{"b":2,"h":{"c":3}}`) {
			t.Errorf("got %s", line)
		}
	}
	if !strings.Contains(out.String(), `"logging.googleapis.com/labels":{"execution_id":"abc"},"g":{`) || !strings.Contains(out.String(), `"a":1,"logging.googleapis.com/trace":`) {
		t.Errorf("got %s", &out)
	}
}

func TestTraces(t *testing.T) {
	t.Parallel()
	const trace = "0af7651916cd43dd8448eb211c80319c"
	for _, tt := range []struct {
		name, parent, cloud string
		want                string // trace span sampled
	}{
		{"traceparent", "00-" + trace + "-b7ad6b7169203331-01", "", trace + " b7ad6b7169203331 true"},
		{"both", "00-" + trace + "-b7ad6b7169203331-00", "105445aa7843bc8bf206b12000100000/1;o=1", trace + " b7ad6b7169203331 false"},
		{"a later version", "01-" + trace + "-b7ad6b7169203331-01-more", "", trace + " b7ad6b7169203331 true"},
		{"Cloud Trace", "", "105445aa7843bc8bf206b12000100000/123;o=1", "105445aa7843bc8bf206b12000100000 000000000000007b true"},
		{"hexadecimal span", "", "105445aa7843bc8bf206b12000100000/b7ad6b7169203331;o=0", "105445aa7843bc8bf206b12000100000 b7ad6b7169203331 false"},
		{"no span", "", "105445aa7843bc8bf206b12000100000", "105445aa7843bc8bf206b12000100000  false"},
		{"span 0", "", "105445aa7843bc8bf206b12000100000/0;o=1", "105445aa7843bc8bf206b12000100000  true"},
		{"junk, then Cloud Trace", "junk", "105445aa7843bc8bf206b12000100000/1", "105445aa7843bc8bf206b12000100000 0000000000000001 false"},
		{"zeros", "00-" + strings.Repeat("0", 32) + "-b7ad6b7169203331-01", "", "  false"},
		{"upper case", "00-" + strings.ToUpper(trace) + "-b7ad6b7169203331-01", "", "  false"},
		{"too long", "00-" + trace + "-b7ad6b7169203331-01-x", "", "  false"},
		{"version ff", "ff-" + trace + "-b7ad6b7169203331-01", "", "  false"},
		{"short", "", "105445/1;o=1", "  false"},
		{"nothing", "", "", "  false"},
	} {
		h := http.Header{}
		h.Set("Traceparent", tt.parent)
		h.Set("X-Cloud-Trace-Context", tt.cloud)
		i := identify(h)
		if got := fmt.Sprint(i.trace, " ", i.span, " ", i.sampled); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Lines of the function, of the adapter and of the script have the ids, of requests and of events; bodies are in none.
func TestEveryLineOfARequestHasItsIDs(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newLogger(&out, "info", sampleProject)
	f := function.New(func(context.Context, modeldir.Model) (function.Script, error) { return talker{log}, nil },
		function.WithModel(modeldir.Model{Name: "talker"}), function.WithLogger(log))
	t.Cleanup(func() { _ = f.Close() })
	h, err := newHandler(f, []Option{WithEnv(func(string) string { return "" })})
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]map[string]string{"request": jsonBody, "event": ce("t")} {
		out.Reset()
		header = with(header, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		serve(t, h, sent{path: "/score", header: with(header, "Function-Execution-Id", "abc123"), body: `{"data":"in the body"}`})
		lines := 0
		for line := range strings.Lines(out.String()) {
			lines++
			for _, want := range []string{`"logging.googleapis.com/trace":"projects/sample/traces/0af7651916cd43dd8448eb211c80319c"`, `"execution_id":"abc123"`} {
				if !strings.Contains(line, want) {
					t.Errorf("%s: no %s in %s", name, want, line)
				}
			}
			if ofEvent := strings.Contains(line, `"event_id":"id-1","event_source":"//source.example/a","event_type":"t"`); ofEvent != (name == "event") {
				t.Errorf("%s: %s", name, line)
			}
		}
		if lines < 1 || !strings.Contains(out.String(), "said by the script") || strings.Contains(out.String(), "in the body") {
			t.Errorf("%s: got\n%s", name, &out)
		}
	}
}

// talker is a script that logs.
type talker struct{ log *slog.Logger }

func (s talker) Run(ctx context.Context, _ json.RawMessage) (any, error) {
	s.log.InfoContext(ctx, "said by the script")
	return 1, nil
}
