package azureapp_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/pack/azureapp"
)

// bundled is the app of this module.
const bundled = "../../../adapters/azure/app"

// good is a small app without a fault.
func good() map[string]string {
	return map[string]string{
		"host.json": `{"version": "2.0",
 "functionTimeout": "00:05:00",
 "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
 "customHandler": {"description": {"defaultExecutablePath": "handler", "workingDirectory": ""},
  "enableForwardingHttpRequest": true, "enableProxyingHttpRequest": true, "initializationTimeout": "00:02:00"},
 "extensions": {"queues": {"batchSize": 4, "maxDequeueCount": 5, "messageEncoding": "base64"}}}`,
		"web/function.json": `{"bindings": [
 {"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "function", "methods": ["post"], "route": "score"},
 {"type": "http", "direction": "out", "name": "res"}]}`,
		"jobs/function.json": `{"bindings": [
 {"type": "queueTrigger", "direction": "in", "name": "msg", "queueName": "in", "connection": "AzureWebJobsStorage"},
 {"type": "queue", "direction": "out", "name": "result", "queueName": "out", "connection": "AzureWebJobsStorage"}]}`,
	}
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func planOf(t *testing.T, name string) azureapp.Plan {
	t.Helper()
	for _, p := range azureapp.Plans() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no plan %s", name)
	return azureapp.Plan{}
}

func TestTheBundledAppIsWithoutFault(t *testing.T) {
	t.Parallel()
	app, err := azureapp.Read(bundled)
	if err != nil {
		t.Fatal(err)
	}
	triggers := map[string]string{}
	for _, f := range app.Functions {
		triggers[f.Name] = f.Trigger().Type
	}
	for name, trigger := range map[string]string{
		"http": "httpTrigger", "queue": "queueTrigger", "blob": "blobTrigger", "eventgrid": "eventGridTrigger",
		"servicebus": "serviceBusTrigger", "eventhub": "eventHubTrigger", "timer": "timerTrigger",
	} {
		if triggers[name] != trigger {
			t.Errorf("%s has a %q, want a %s", name, triggers[name], trigger)
		}
		delete(triggers, name)
	}
	if len(triggers) > 0 || len(app.Others) > 0 {
		t.Errorf("there is more: %v, %v", triggers, app.Others)
	}
	for _, plan := range azureapp.Plans() {
		if r := app.Check(plan); r.Err() != nil || len(r.Warnings) > 0 {
			t.Errorf("%s: %v, %q", plan.Name, r.Err(), r.Warnings)
		}
	}
	for name, want := range map[string]string{
		"http": "", "queue": "AzureWebJobsStorage", "blob": "AzureWebJobsStorage", "eventgrid": "",
		"servicebus": "ServiceBusConnection", "eventhub": "EventHubConnection", "timer": "AzureWebJobsStorage",
	} {
		for _, f := range app.Functions {
			if got := strings.Join(f.Connections(), " "); f.Name == name && got != want {
				t.Errorf("%s is connected by %q, want %q", name, got, want)
			}
			if got := f.Forwarded(); f.Name == name && got != (name == "http") {
				t.Errorf("%s is forwarded: %v", name, got)
			}
		}
	}
}

// fault is one change to the good app.
type fault struct {
	file, old, text string // text in place of old; the whole file when old is ""
	plan            string // flex by default
	want            string // in the problem
}

func (f fault) app(t *testing.T) azureapp.App {
	t.Helper()
	files := good()
	if f.old != "" && !strings.Contains(files[f.file], f.old) {
		t.Fatalf("%s does not hold %s", f.file, f.old)
	}
	if f.file != "" {
		files[f.file] = strings.ReplaceAll(files[f.file], f.old, f.text)
	}
	if f.old == "" && f.file != "" {
		files[f.file] = f.text
	}
	app, err := azureapp.Read(folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func (f fault) check(t *testing.T) azureapp.Report {
	t.Helper()
	plan := f.plan
	if plan == "" {
		plan = "flex"
	}
	app := f.app(t)
	return app.Check(planOf(t, plan))
}

func TestTheGoodAppIsWithoutFault(t *testing.T) {
	t.Parallel()
	if r := (fault{}).check(t); r.Err() != nil || len(r.Warnings) > 0 {
		t.Errorf("%v, %q", r.Err(), r.Warnings)
	}
}

func TestFilesAsTheHostTakesThem(t *testing.T) {
	t.Parallel()
	app, err := azureapp.Read(folder(t, map[string]string{
		"host.json":         "\ufeff// mine\n" + `{"version": "2.0", /* no bundle */}`,
		"web/function.json": `{"bindings": [{"type": "httpTrigger", "route": "a//b"},]}`,
	}))
	if err != nil || app.Host.Version != "2.0" || len(app.Functions) != 1 || app.Functions[0].Route() != "a//b" {
		t.Errorf("%+v, %v", app, err)
	}
}

const (
	host = "host.json"
	web  = "web/function.json"
	jobs = "jobs/function.json"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	blob := `{"bindings": [{"type": "blobTrigger", "direction": "in", "name": "b", "path": "in/{name}"}]}`
	for name, f := range map[string]fault{
		"version":            {file: host, old: `"2.0"`, text: `"1.0"`, want: `version is "1.0", expected "2.0"`},
		"no bundle":          {file: host, old: `"extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},`, want: `knows no trigger like that of jobs`},
		"bundle id":          {file: host, old: `Functions.ExtensionBundle`, text: `Functions.Bundle`, want: "extensionBundle.id is"},
		"old bundle":         {file: host, old: `[4.*, 5.0.0)`, text: `[3.*, 4.0.0)`, want: "expected [4.*, 5.0.0)"},
		"bundle no range":    {file: host, old: `[4.*, 5.0.0)`, text: `4.5.0`, want: "expected a range"},
		"executable":         {file: host, old: `"handler"`, text: `"bin/server"`, want: `defaultExecutablePath is "bin/server"`},
		"working directory":  {file: host, old: `"workingDirectory": ""`, text: `"workingDirectory": "app"`, want: `workingDirectory is "app"`},
		"no forwarding":      {file: host, old: `"enableForwardingHttpRequest": true, `, want: "enableForwardingHttpRequest and enableProxyingHttpRequest"},
		"no proxying":        {file: host, old: `"enableProxyingHttpRequest": true`, text: `"enableProxyingHttpRequest": false`, want: "callers of web"},
		"routes":             {file: host, old: `"enableForwardingHttpRequest"`, text: `"http": {"routes": [{"route": "x"}]}, "enableForwardingHttpRequest"`, want: "customHandler.http.routes"},
		"init timeout":       {file: host, old: `00:02:00`, text: `2m`, want: `initializationTimeout is "2m"`},
		"init minutes":       {file: host, old: `00:02:00`, text: `00:99:00`, want: `initializationTimeout is "00:99:00"`},
		"timeout":            {file: host, old: `00:05:00`, text: `5`, want: `functionTimeout is "5"`},
		"timeout of none":    {file: host, old: `00:05:00`, text: `00:00:00`, want: `functionTimeout is "00:00:00"`},
		"long timeout":       {file: host, old: `00:05:00`, text: `00:10:01`, plan: "consumption", want: "runs for 00:10:00 at most"},
		"no timeout":         {file: host, old: `00:05:00`, text: `-1`, plan: "consumption", want: "functionTimeout is -1"},
		"batch size":         {file: host, old: `"batchSize": 4`, text: `"batchSize": 33`, want: "batchSize is 33, expected 1 to 32"},
		"dequeue count":      {file: host, old: `"maxDequeueCount": 5`, text: `"maxDequeueCount": 0`, want: "maxDequeueCount is 0"},
		"encoding":           {file: host, old: `"base64"`, text: `"hex"`, want: `messageEncoding is "hex"`},
		"name":               {file: "1st/function.json", text: good()[jobs], want: "1st: a function's folder is named by a letter"},
		"reserved name":      {file: "Host/function.json", text: good()[jobs], want: `and not "host"`},
		"more in the folder": {file: "web/index.js", text: "x", want: "move index.js elsewhere"},
		"no bindings":        {file: web, text: `{}`, want: "web: 0 triggers, expected one"},
		"two triggers":       {file: jobs, old: `"type": "queue", "direction": "out"`, text: `"type": "timerTrigger", "direction": "in"`, want: "jobs: 2 triggers, expected one"},
		"no type":            {file: jobs, old: `"type": "queue", `, want: "jobs: bindings[1] has no type"},
		"binding name":       {file: jobs, old: `"name": "msg"`, text: `"name": "my msg"`, want: `bindings[0]: the name "my msg"`},
		"binding twice":      {file: jobs, old: `"name": "result"`, text: `"name": "Msg"`, want: `the name "Msg" is taken`},
		"direction":          {file: jobs, old: `"direction": "out", "name": "result"`, text: `"name": "result"`, want: `the direction is ""`},
		"trigger direction":  {file: jobs, old: `"direction": "in"`, text: `"direction": "out"`, want: `a trigger's direction is "in"`},
		"no HTTP output":     {file: web, old: `{"type": "http", "direction": "out", "name": "res"}`, text: `{"type": "queue", "direction": "out", "name": "res"}`, want: "which is missing"},
		"blobs without grid": {file: "blobs/function.json", text: blob, want: `add "source": "EventGrid"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := f.check(t)
			if r.Err() == nil || !strings.Contains(r.Err().Error(), f.want) {
				t.Errorf("got  %v\nwant %s", r.Err(), f.want)
			}
			if len(r.Problems) != 1 {
				t.Errorf("one fault, %d problems: %v", len(r.Problems), r.Problems)
			}
		})
	}
}

func TestAllProblemsAreTold(t *testing.T) {
	t.Parallel()
	app, err := azureapp.Read(folder(t, map[string]string{"host.json": `{}`, "a b/function.json": `{}`}))
	if err != nil {
		t.Fatal(err)
	}
	r := app.Check(planOf(t, "flex"))
	for _, want := range []string{"version is", "defaultExecutablePath is", "a b: a function's folder", "a b: 0 triggers"} {
		if !strings.Contains(r.Err().Error(), want) {
			t.Errorf("%s is not told: %v", want, r.Err())
		}
	}
	app.Functions = append(app.Functions, azureapp.Function{Name: "A B"}) // not on disk: not every file system has both
	if r := app.Check(planOf(t, "flex")); !strings.Contains(r.Err().Error(), "a b and A B are one function") {
		t.Errorf("got %v", r.Err())
	}
	none := azureapp.App{Dir: "d", Host: app.Host}
	if r := none.Check(planOf(t, "flex")); !strings.Contains(r.Err().Error(), "d holds no function") {
		t.Errorf("got %v", r.Err())
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{
		"no init timeout":    {file: host, old: `, "initializationTimeout": "00:02:00"`, want: "initializationTimeout is not set"},
		"short init timeout": {file: host, old: `00:02:00`, text: `00:00:10`, want: "is 10s, less than the 30s"},
		"unknown trigger":    {file: "k/function.json", text: `{"bindings": [{"type": "kafkaTrigger", "direction": "in", "name": "e"}]}`, want: "a kafkaTrigger are not known"},
		"blobs by search": {
			file: "b/function.json", text: `{"bindings": [{"type": "blobTrigger", "direction": "in", "name": "b", "path": "in/{name}"}]}`,
			plan: "premium", want: "searches the container",
		},
		"HTTP and more": {
			file: web, old: `{"type": "http",`, text: `{"type": "queue", "direction": "out", "name": "q", "queueName": "q"}, {"type": "http",`,
			want: "gets its requests as JSON",
		},
		"events without type": {
			file: "e/function.json", text: `{"bindings": [{"type": "eventHubTrigger", "direction": "in", "name": "e"}], "retry": {"strategy": "fixedDelay"}}`,
			want: `add "dataType": "string"`,
		},
		"events without retry": {
			file: "e/function.json", text: `{"bindings": [{"type": "eventHubTrigger", "direction": "in", "name": "e", "cardinality": "one"}]}`,
			want: "the host skips what failed",
		},
		"one route": {file: "web2/function.json", text: good()[web], want: "web and web2 have one route, score"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := f.check(t)
			if r.Err() != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], f.want) {
				t.Errorf("got  %v, %q\nwant %s", r.Err(), r.Warnings, f.want)
			}
		})
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no host.json":       {map[string]string{"web/function.json": "{}"}, "holds no host.json"},
		"broken host.json":   {map[string]string{"host.json": `{"version"`}, "host.json: unexpected EOF"},
		"text after it":      {map[string]string{"host.json": `{} {}`}, "more after the JSON object"},
		"wrong type":         {map[string]string{"host.json": `{"version": 2}`}, "host.json: json: cannot unmarshal number"},
		"broken function":    {map[string]string{"host.json": `{}`, "web/function.json": `[`}, "function.json: unexpected EOF"},
		"huge":               {map[string]string{"host.json": strings.Repeat(" ", 1<<20) + `{}`}, "more than the 1048576"},
		"function is a list": {map[string]string{"host.json": `{}`, "web/function.json": `[]`}, "cannot unmarshal array"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := azureapp.Read(folder(t, tt.files)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := azureapp.Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that does not exist was read")
	}
}

func TestLinksAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"host.json", "web", "web/function.json"} {
		dir := folder(t, good())
		moved := filepath.Join(t.TempDir(), "moved")
		if err := os.Rename(filepath.Join(dir, name), moved); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(moved, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
		if _, err := azureapp.Read(dir); err == nil || !strings.Contains(err.Error(), "real files only") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	read := func(more ...string) azureapp.App {
		files := good()
		for _, name := range more {
			files[name] = "x"
		}
		app, err := azureapp.Read(folder(t, files))
		if err != nil {
			t.Fatal(err)
		}
		return app
	}
	app := read("local.settings.json", "notes/x.md")
	if got, want := app.Others, []string{"local.settings.json", "notes"}; !slices.Equal(got, want) {
		t.Errorf("besides there is %v, want %v", got, want)
	}
	if err := app.Select([]string{"jobs", "jobs"}); err != nil || len(app.Functions) != 1 || app.Functions[0].Name != "jobs" {
		t.Errorf("%v, %v", app.Functions, err)
	}
	app = read()
	if err := app.Select([]string{"jobs", "job"}); err == nil || !strings.Contains(err.Error(), `no function "job" in `+app.Dir+": there is jobs, web") {
		t.Errorf("got %v", err)
	}
	if len(app.Functions) != 2 {
		t.Error("a selection that failed changed the app")
	}
}
