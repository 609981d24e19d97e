// Package settingstest compares a README's table of settings with the one in code.
package settingstest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/settings"
)

// Listed fails unless the file has, between the comments <!-- settings --> and <!-- /settings -->, a row for every setting in
// their order: name, default, meaning.
func Listed(tb testing.TB, file string, table []settings.Setting) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	_, got, _ := strings.Cut(string(text), "<!-- settings -->\n")
	got, _, _ = strings.Cut(got, "<!-- /settings -->")
	var want strings.Builder
	want.WriteString("| name | default | meaning |\n|---|---|---|\n")
	for _, s := range table {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", s.Name, s.Default, s.Doc)
	}
	if got != want.String() {
		tb.Errorf("%s must contain this table:\n%s", file, want.String())
	}
}
