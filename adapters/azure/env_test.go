package azure

import (
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/settings/settingstest"
)

func TestReadmeHasTheSettings(t *testing.T) {
	t.Parallel()
	settingstest.Listed(t, "README.md", Settings())
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, problem string }{
		{"SCOREFN_POISON", "fail", ""},
		{"SCOREFN_POISON", "Poison", ""},
		{"SCOREFN_POISON", " DROP ", ""},
		{"SCOREFN_POISON", "keep", `SCOREFN_POISON="keep": expected fail or drop`},
		{"SCOREFN_OUTPUT", "https://a.blob.core.windows.net/c/p", ""},
		{"SCOREFN_OUTPUT", "https://a.blob.core.windows.net/c", ""},
		{"SCOREFN_OUTPUT", "http://127.0.0.1:10000/devstoreaccount1/c/p", ""},
		{"SCOREFN_OUTPUT", "mem://c/p", ""},
		{"SCOREFN_OUTPUT", "https://a.blob.core.windows.net/", "SCOREFN_OUTPUT="},
		{"SCOREFN_OUTPUT", "c/p", "SCOREFN_OUTPUT="},
		{"SCOREFN_OUTPUT", "https://user:secret@a.blob.core.windows.net/c", "SCOREFN_OUTPUT="},
		{"SCOREFN_OUTPUT", "https://a.blob.core.windows.net/?sig=secret", "SCOREFN_OUTPUT="},
	} {
		_, err := readEnvironment(func(name string) string {
			if name == tt.name {
				return tt.value
			}
			return ""
		})
		if (err != nil) != (tt.problem != "") || err != nil && (!strings.Contains(err.Error(), tt.problem) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s=%s: got %v", tt.name, tt.value, err)
		}
	}
}

// What the adapter reads must stand in the table: whoever looks there finds all of it.
func TestEverythingThatIsReadIsInTheTable(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, s := range Settings() {
		if known[s.Name] || s.Doc == "" || s.Group != "Azure Functions" {
			t.Errorf("%+v", s)
		}
		known[s.Name] = true
	}
	getenv := func(name string) string {
		if !known[name] && !strings.HasPrefix(name, "AzureWebJobsStorage__") { // NAME__…, which stands there as such
			t.Errorf("%s is read", name)
		}
		return ""
	}
	if _, err := readEnvironment(getenv); err != nil {
		t.Error(err)
	}
	if _, err := readApp(t.TempDir(), getenv); err != nil {
		t.Error(err)
	}
	if _, err := newStore(getenv).(*blobStore).open(); err != nil {
		t.Error(err)
	}
}
