package azureemu

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const someHost = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}`

func TestHostDefaults(t *testing.T) {
	t.Parallel()
	h, err := parseHost([]byte(someHost), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := QueueOptions{BatchSize: 16, NewBatchThreshold: 8, MaxDequeueCount: 5}
	if h.RoutePrefix != "api" || h.FunctionTimeout != 5*time.Minute || h.InitTimeout != 30*time.Second || h.Queue != want || h.BlobTries != 5 {
		t.Errorf("%+v", h)
	}
}

func TestAppSettingsBeatHostJSON(t *testing.T) {
	t.Parallel()
	h, err := parseHost([]byte(someHost), []string{
		"AzureFunctionsJobHost__functionTimeout=-1",
		"AzureFunctionsJobHost__CustomHandler__initializationTimeout=00:02:00.5",
		"azurefunctionsjobhost__customHandler__enableForwardingHttpRequest=true",
		`AzureFunctionsJobHost__customHandler__description__arguments=["a","b c"]`,
		"AzureFunctionsJobHost__extensions__http__routePrefix=/v1/",
		"AzureFunctionsJobHost__extensions__queues__batchSize=4",
		"AzureFunctionsJobHost__extensions__queues__messageEncoding=none",
		"OTHER__functionTimeout=00:00:01",
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.FunctionTimeout != 0 || h.InitTimeout != 120500*time.Millisecond || !h.Forward || h.Proxy || !slices.Equal(h.Arguments, []string{"a", "b c"}) ||
		h.RoutePrefix != "v1" || h.Queue.BatchSize != 4 || h.Queue.NewBatchThreshold != 2 || !h.Queue.Plain {
		t.Errorf("%+v", h)
	}
}

func TestHostJSONThatIsRefused(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{`:                                    "host.json: ",
		`{"version":"1.0"}`:                    `"version" must be "2.0"`,
		`{"version":"2.0"}`:                    "nothing to start",
		`{"version":"2.0","customHandler":{}}`: "defaultExecutablePath is required",
		strings.Replace(someHost, `}}}`, `},"initializationTimeout":"soon"}}`, 1):           `"soon" is no time`,
		strings.Replace(someHost, `}}}`, `},"initializationTimeout":"00:00:00"}}`, 1):       "must be more than 0",
		strings.Replace(someHost, `}}}`, `},"http":{"routes":[{}]}}}`, 1):                   "customHandler.http.routes is not emulated",
		strings.Replace(someHost, `}}}`, `},"port":"http"}}`, 1):                            "invalid number",
		strings.Replace(someHost, `}}}`, `},"port":"70000"}}`, 1):                           `port "70000" is no port`,
		strings.Replace(someHost, `}}}`, `}},"extensions":{"queues":{"batchSize":33}}}`, 1): "batchSize must be 1 to 32",
	} {
		if _, err := parseHost([]byte(in), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

func TestTimespans(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		`"00:05:00"`: 5 * time.Minute, `"1.02:03:04.5"`: 26*time.Hour + 3*time.Minute + 4500*time.Millisecond, `"00:10"`: 10 * time.Minute,
		`"-1"`: -24 * time.Hour, `-1`: -24 * time.Hour, `"2"`: 48 * time.Hour, `"-00:00:01"`: -time.Second, `null`: 0,
	} {
		var got timespan
		if err := got.UnmarshalJSON([]byte(in)); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %s %v, want %s", in, time.Duration(got), err, want)
		}
	}
}

func TestAppsThatAreRefused(t *testing.T) {
	t.Parallel()
	const trigger = `{"type":"timerTrigger","direction":"in","name":"t"}`
	for _, tt := range []struct {
		name, function, want string
	}{
		{"1st", `{"bindings":[` + trigger + `]}`, "is no name of a function"},
		{"host", `{"bindings":[` + trigger + `]}`, "is no name of a function"},
		{"f", `{"bindings":[]}`, "no binding is a trigger"},
		{"f", `{"bindings":[` + trigger + `,` + trigger + `]}`, "every binding needs a name of its own"},
		{"f", `{"bindings":[` + trigger + `,` + strings.Replace(trigger, `"t"`, `"u"`, 1) + `]}`, "this one has two"},
		{"f", `{"bindings":[{"type":"kafkaTrigger","direction":"in","name":"t"}]}`, "kafkaTrigger is not emulated"},
		{"f", `{"bindings":1}`, "function.json: "},
		{"f", `{"disabled":true}`, "there is no function in"},
		{"f", strings.Repeat(" ", maxFile) + "{}", "more than 1048576 bytes"},
	} {
		root := t.TempDir()
		for name, text := range map[string]string{"host.json": someHost, tt.name + "/function.json": tt.function} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := LoadApp(root, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %.60s: %v, want %s", tt.name, tt.function, err, tt.want)
		}
	}
	root := t.TempDir()
	if _, err := LoadApp(root, nil); err == nil || !strings.Contains(err.Error(), "there is no host.json in") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "host.json"), []byte("\ufeff"+someHost), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadApp(root, nil); err == nil || !strings.Contains(err.Error(), "there is no function in") {
		t.Errorf("%v", err)
	}
}

// TestFilesAsTheHostTakesThem has a folder whose name is a pattern, and files that are JSON to .NET alone.
func TestFilesAsTheHostTakesThem(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "my [app]*")
	if err := os.MkdirAll(filepath.Join(root, "f"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"host.json":           "// mine\n" + strings.Replace(someHost, "{", "{/* the only one */", 1),
		"f/function.json":     `{"bindings":[{"type":"timerTrigger","direction":"in","name":"t"},]} // every night`,
		"local.settings.json": "\ufeff" + `{"Values":{"A":"//b",}}`,
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := LoadApp(root, nil)
	if err != nil || len(a.Functions) != 1 || a.Functions[0].Name != "f" || !slices.Contains(a.Settings, "A=//b") {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestWhichExecutable is the host's HttpWorkerOptionsSetup.
func TestWhichExecutable(t *testing.T) {
	t.Parallel()
	root, bin := t.TempDir(), t.TempDir()
	for _, name := range []string{filepath.Join(root, "sub", "handler"), filepath.Join(bin, "python")} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o700); err != nil { //nolint:gosec // it is looked up as an executable
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + bin, "WHERE=sub"}
	for _, tt := range []struct {
		host Host
		argv string
		dir  string
	}{
		{Host{Executable: "/bin/true"}, "/bin/true", root},
		{Host{Executable: "sub/handler"}, filepath.Join(root, "sub/handler"), root},
		{Host{Executable: "%WHERE%/handler", Arguments: []string{`x "y z"`, "%NONE%w"}}, filepath.Join(root, "sub/handler") + "|x|y z|w", root},
		{Host{Executable: "handler", WorkerDir: "sub", WorkingDir: "sub"}, filepath.Join(root, "sub/handler"), filepath.Join(root, "sub")},
		{Host{Executable: "python"}, filepath.Join(bin, "python"), root},
		{Host{Executable: "handler", WorkingDir: "sub"}, "", ""},
	} {
		argv, dir, err := (&App{Root: root, Host: tt.host}).command(env)
		if got := strings.Join(argv, "|"); got != tt.argv || dir != tt.dir || (err != nil) != (tt.argv == "") {
			t.Errorf("%+v: %s in %s, %v; want %s in %s", tt.host, got, dir, err, tt.argv, tt.dir)
		}
	}
}

func TestBlobPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ pattern, blob, want string }{
		{"in/{name}", "in/a.json", "name=a.json"},
		{"in/{name}", "in/a/b.json", "name=a/b.json"},
		{"in/{name}.json", "in/a.csv", "no"},
		{"in/{dir}/{name}.{ext}", "in/d/a.b.json", "dir=d ext=json name=a.b"},
		{"in", "in/a", ""},
		{"in", "into/a", "no"},
		{"in/{name}", "in/", "no"},
		{"in/a+b/{n}", "in/a+b/c", "n=c"},
	} {
		tokens, ok := matchPath(tt.pattern, tt.blob)
		var got []string
		for name, v := range tokens {
			got = append(got, name+"="+v)
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); !ok && tt.want != "no" || ok && text != tt.want {
			t.Errorf("%s %s: %q %v, want %q", tt.pattern, tt.blob, text, ok, tt.want)
		}
	}
}

func TestDelaysOfRetryPolicies(t *testing.T) {
	t.Parallel()
	fixed := RetryPolicy{Strategy: "fixedDelay", DelayInterval: timespan(time.Second)}
	growing := RetryPolicy{Strategy: "exponentialBackoff", MinimumInterval: timespan(time.Second), MaximumInterval: timespan(10 * time.Second)}
	for n, want := range []int{0, 1, 2, 4, 8, 10, 10} {
		if n == 0 {
			continue
		}
		if got := growing.delay(n); got != time.Duration(want)*time.Second || fixed.delay(n) != time.Second {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := growing.delay(1 << 30); got != 10*time.Second {
		t.Errorf("%s", got)
	}
}
