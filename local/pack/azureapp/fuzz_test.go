package azureapp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Any configuration is read and checked, or refused, and one that passes has what the host cannot do without.
func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("../../../adapters/azure/app/*/" + FunctionFile)
	if err != nil || len(files) == 0 {
		f.Fatalf("there are no seeds: %v", err)
	}
	host, err := os.ReadFile("../../../adapters/azure/app/" + HostFile)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(host, filepath.Base(filepath.Dir(file)), b)
	}
	f.Fuzz(func(t *testing.T, host []byte, name string, function []byte) {
		app, fn := App{Dir: "app"}, Function{}
		if parse(host, &app.Host) != nil || parse(function, &fn) != nil {
			return
		}
		fn.Name = name
		app.Functions = []Function{fn}
		for _, plan := range Plans() {
			r := app.Check(plan)
			if r.Err() != nil {
				continue
			}
			if app.Host.Version != "2.0" || !isName(name, "_-") || fn.Trigger().Type == "" || fn.Route() == "" {
				t.Errorf("%s passes: %q", plan.Name, r.Warnings)
			}
			if d, err := timeSpan(app.Host.FunctionTimeout); plan.MaxTimeout > 0 && err == nil && d > plan.MaxTimeout {
				t.Errorf("%s passes with a timeout of %s", plan.Name, d)
			}
			if fn.Forwarded() && !strings.EqualFold(fn.Trigger().Type, "httpTrigger") {
				t.Errorf("a %s is forwarded", fn.Trigger().Type)
			}
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxName)
	for name, want := range map[string]bool{
		"": false, "a": true, "Score-1_x": true, "1a": false, "-a": false, "ä": false, "aä": false, "a b": false, "a.b": false, "a/b": false,
		long: true, long + "a": false, "a\n": false,
	} {
		if got := isName(name, "_-"); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if isName("a_b", "") {
		t.Error("a binding's name has an underscore")
	}
}
