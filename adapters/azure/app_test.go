package azure

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func newApp(t *testing.T, files, env map[string]string) (*app, error) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return readApp(root, func(name string) string { return env[name] })
}

func TestHostJSON(t *testing.T) {
	t.Parallel()
	const override = "AzureFunctionsJobHost__"
	for _, tt := range []struct {
		name, host string
		env        map[string]string
		want       app
	}{
		{"missing", "", nil, app{prefix: "api", timeout: 5 * time.Minute, initTimeout: 30 * time.Second}},
		{"another plan", `{}`, map[string]string{"WEBSITE_SKU": "FlexConsumption"}, app{prefix: "api", timeout: 30 * time.Minute, initTimeout: 30 * time.Second}},
		{"consumption", `{}`, map[string]string{"WEBSITE_SKU": "Dynamic"}, app{prefix: "api", timeout: 5 * time.Minute, initTimeout: 30 * time.Second}},
		{"no limit", `{"functionTimeout":"-1"}`, nil, app{prefix: "api", initTimeout: 30 * time.Second}},
		{
			"all", "\xef\xbb\xbf" + `{"functionTimeout":"1.02:03:04.5", /* a comment */ "customHandler":{"enableForwardingHttpRequest":true,` + // one of Go
				`"enableProxyingHttpRequest":true,"initializationTimeout":"00:02:00"}, // to the end "of" the line` + "\n" +
				`"extensions":{"http":{"routePrefix":"v1//x"},"queues":{"messageEncoding":"none"}}}`, nil,
			app{prefix: "v1//x", timeout: 26*time.Hour + 3*time.Minute + 4500*time.Millisecond, initTimeout: 2 * time.Minute, forward: true, proxy: true, plainQueue: true},
		},
		{"no prefix", `{"extensions":{"http":{"routePrefix":""}}}`, nil, app{timeout: 5 * time.Minute, initTimeout: 30 * time.Second}},
		{
			"settings of the app beat it", `{"functionTimeout":"00:01:00","customHandler":{"enableForwardingHttpRequest":true}}`,
			map[string]string{override + "functionTimeout": "00:00:30", override + "extensions__http__routePrefix": "/x/", override + "customHandler__enableForwardingHttpRequest": "False", override + "customHandler__enableProxyingHttpRequest": "true", override + "customHandler__initializationTimeout": "00:00:10"},
			app{prefix: "x", timeout: 30 * time.Second, initTimeout: 10 * time.Second, proxy: true},
		},
	} {
		files := map[string]string{}
		if tt.host != "" {
			files["host.json"] = tt.host
		}
		got, err := newApp(t, files, tt.env)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got.functions, got.routes = nil, nil
		if g, w := dump(got), dump(&tt.want); g != w {
			t.Errorf("%s: got %s, want %s", tt.name, g, w)
		}
	}
	for _, host := range []string{`{`, `{"functionTimeout":"5"}`, `{"functionTimeout":"24:00:00"}`, `{"functionTimeout":"00:00:00"}`, `{"customHandler":{"initializationTimeout":"x"}}`, `[]`, `{"functionTimeout":"00:05:00"`} {
		if _, err := newApp(t, map[string]string{"host.json": host}, nil); err == nil {
			t.Errorf("%s: no error", host)
		}
	}
}

func dump(a *app) string {
	b, _ := json.Marshal([]any{a.prefix, a.timeout, a.initTimeout, a.forward, a.proxy, a.plainQueue}) // plain values
	return string(b)
}

func TestFunctionJSON(t *testing.T) {
	t.Parallel()
	const http = `{"type":"httpTrigger","direction":"in","name":"req"}`
	a, err := newApp(t, map[string]string{
		"simple/function.json":    functionJSON(http, "http:res"),
		"more/function.json":      functionJSON(http, "http:res", "queue"),
		"input/function.json":     functionJSON(http+`,{"type":"blob","direction":"in","name":"b","path":"x"}`, "http:res"),
		"queue/function.json":     functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"}`),
		"hub/function.json":       functionJSON(`{"type":"eventHubTrigger","direction":"in","name":"msg"}`),
		"retry/function.json":     `{"retry":{"strategy":"fixedDelay"},"bindings":[{"type":"eventHubTrigger","direction":"in","name":"msg"}]}`,
		"none/function.json":      `{"bindings":[{"type":"queue","direction":"out","name":"x"}]}`,
		"broken/function.json":    `{`,
		"1digit/function.json":    functionJSON(http, "http:res"),
		"host/function.json":      functionJSON(http, "http:res"),
		"x/y/function.json":       functionJSON(http, "http:res"),
		"model/1/model.onnx":      "",
		"simple/readme.txt":       "",
		"host.json":               `{"customHandler":{"http":{"routes":[{"route":"ignored"}]}}}`,
		"large/function.json":     string(make([]byte, maxFile+1)),
		"Capital-1/function.json": functionJSON(http, "http:res"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ simple, again bool }{
		"simple": {true, false}, "more": {}, "input": {}, "queue": {false, true}, "hub": {}, "retry": {false, true}, "Capital-1": {true, false},
	} {
		if f := a.functions[name]; f == nil || f.simple != want.simple || f.again != want.again {
			t.Errorf("%s: got %+v", name, f)
		}
		delete(a.functions, name)
	}
	if len(a.functions) != 0 {
		t.Errorf("more functions: %v", a.functions)
	}
	a, err = newApp(t, map[string]string{"host.json": `{"retry":{"strategy":"fixedDelay"},"customHandler":{"http":{"routes":[{"route":"score"},{"route":"models/{*rest}"}]}}}`}, nil)
	if err != nil || len(a.routes) != 2 || a.functions["http-handler1"] == nil {
		t.Errorf("routes of host.json: %+v, %v", a, err)
	}
	if f, path := a.find("POST", "/api/models/iris/score"); f == nil || f.name != "http-handler2" || path != "/models/iris/score" {
		t.Errorf("got %v %s", f, path)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	function := func(route, methods string) string {
		return functionJSON(`{"type":"httpTrigger","direction":"in","name":"req","methods":[`+methods+`],"route":"`+route+`"}`, "http:res")
	}
	files := map[string]string{
		"score/function.json":    function("score", `"post"`),
		"model/function.json":    function("models/{name:alpha}/score", ``),
		"classify/function.json": function("classify/{kind}/{size?}", ``),
		"all/function.json":      function("v2/{*rest}", ``),
		"doc/function.json":      function("swagger.json", `"get"`),
		"special/function.json":  function("classify/best", ``),
		"Predict/function.json":  functionJSON(`{"type":"httpTrigger","direction":"in","name":"req"}`, "http:res"),
		"root/function.json":     function("", `"post"`),
	}
	for _, tt := range []struct{ prefix, method, path, fn, core string }{
		{"api", "POST", "/api/score", "score", "/score"},
		{"api", "POST", "/API/Score/", "score", "/score"},
		{"api", "GET", "/api/score", "", "/score"},
		{"api", "POST", "/api/models/iris/score", "model", "/models/iris/score"},
		{"api", "POST", "/api/Models/a%2Fb/SCORE", "model", "/models/a%2Fb/score"},
		{"api", "POST", "/api/classify/x", "classify", "/score"},
		{"api", "POST", "/api/classify/x/1", "classify", "/score"},
		{"api", "POST", "/api/classify/best", "special", "/score"},
		{"api", "POST", "/api/classify/x/1/2", "", "/classify/x/1/2"},
		{"api", "GET", "/api/v2/models/iris", "all", "/v2/models/iris"},
		{"api", "GET", "/api/v2", "all", "/v2"},
		{"api", "GET", "/api/v2/nothing//at%20all", "all", "/v2/nothing//at%20all"},
		{"api", "GET", "/api/swagger.json", "doc", "/swagger.json"},
		{"api", "POST", "/api/predict", "Predict", "/score"},
		{"api", "POST", "/api", "root", "/"},
		{"api", "POST", "/api/", "root", "/"},
		{"api", "POST", "/apis/score", "", "/apis/score"},
		{"api", "POST", "/score", "", "/score"},
		{"", "POST", "/score", "score", "/score"},
		{"", "POST", "/", "root", "/"},
		{"a/b", "POST", "/a/b/score", "score", "/score"},
		{"a/b", "POST", "/a/score", "", "/a/score"},
	} {
		files["host.json"] = `{"extensions":{"http":{"routePrefix":"` + tt.prefix + `"}}}`
		a, err := newApp(t, files, nil)
		if err != nil {
			t.Fatal(err)
		}
		name := ""
		f, core := a.find(tt.method, tt.path)
		if f != nil {
			name = f.name
		}
		if name != tt.fn || core != tt.core {
			t.Errorf("%s %s below %q: got %q %q, want %q %q", tt.method, tt.path, tt.prefix, name, core, tt.fn, tt.core)
		}
	}
}

func TestWithoutKey(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"": "", "code=x": "", "a=1&code=x&b=2": "a=1&b=2", "CODE=x&a=1": "a=1", "%63ode=x&a=1": "a=1", "encode=1": "encode=1",
		"a=code": "a=code", "code": "", "a=%zz&code=x": "a=%zz", "code=1&code=2": "",
	} {
		if got := withoutKey(query); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
	if u := withPath(&url.URL{Path: "/api/x", RawQuery: "q"}, "/a%2Fb"); u.String() != "/a%2Fb?q" || u.Path != "/a/b" {
		t.Errorf("got %v", u)
	}
}

// The paths that the host's own tests fix: case_paths.json.
func TestPathsOfTheHost(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/case_paths.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Type, Note  string
		Forward     bool
		RequestPath string `json:"request_path"`
		HandlerPath string `json:"handler_path"`
	}
	if err := json.Unmarshal(b, &list); err != nil || len(list) < 9 {
		t.Fatalf("%d cases, %v", len(list), err)
	}
	for _, c := range list {
		if c.Note != "" {
			continue
		}
		host := `{}`
		if c.Forward {
			host = `{"customHandler":{"enableForwardingHttpRequest":true}}`
		}
		route := c.RequestPath
		if route == "/api/hello" {
			route = "hello"
		}
		trigger := `{"type":"httpTrigger","direction":"in","name":"req","route":"` + route + `"}`
		outputs := []string{"http:res"}
		if c.Type != "http" { // the section httpWorker forwards nothing: the function's is a payload, whatever the flag says
			outputs = append(outputs, "queue")
		}
		h, _ := newTest(t, map[string]string{"host.json": host, "someFunctionName/function.json": functionJSON(trigger, outputs...)}, nil)
		body, want := `{"data":2}`, `4`
		if !c.Forward || c.Type != "http" {
			request := `{"Url":"https://x` + c.RequestPath + `","Method":"POST","Headers":{},"Body":"{\"data\":2}"}`
			body, want = `{"Data":{"req":`+request+`},"Metadata":{}}`, `"statusCode":200`
		}
		if status, answer := invoke(t, h, c.HandlerPath, body); status != 200 || !contains(answer, want) {
			t.Errorf("%+v: got %d %s", c, status, answer)
		}
	}
}

func TestTimeSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"-1": 0, "00:05:00": 5 * time.Minute, "00:30": 30 * time.Minute, "1.00:00:00": 24 * time.Hour, "0:0:1": time.Second,
		"00:00:00.5": 500 * time.Millisecond, "23:59:59.9999999": 24*time.Hour - 100, "10000.00:00:00": 240_000 * time.Hour,
	} {
		if got, err := timeSpan(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "00:00:00", "24:00:00", "00:60:00", "00:00:60", "a:b:c", "00:00:00:00", "-00:05:00", "00:00:-1", "10001.00:00:00", "00:00:00.1234567890", "1.2.3:00:00", " 00:05:00"} {
		if got, err := timeSpan(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// The files that "scorefn package azure" ships are understood, and HTTP is forwarded.
func TestTheShippedApp(t *testing.T) {
	t.Parallel()
	a, err := readApp("app", func(string) string { return "" })
	if err != nil || !a.forward || !a.proxy || a.prefix != "api" || a.timeout <= 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	files, err := filepath.Glob("app/*/function.json")
	if err != nil || len(files) == 0 || len(a.functions) != len(files) {
		t.Errorf("%d functions of %d files, %v", len(a.functions), len(files), err)
	}
	f, path := a.find("POST", "/api/score")
	if f == nil || !f.simple || path != "/score" {
		t.Errorf("got %+v %s", f, path)
	}
	for name, f := range a.functions {
		if !f.http() && !f.nothing() && !f.again {
			t.Errorf("%s: a failed event does not come again", name)
		}
	}
}
