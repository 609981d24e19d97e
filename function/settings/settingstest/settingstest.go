// Package settingstest compares a README's table of settings with the one in code.
package settingstest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/settings"
)

// Listed fails unless the file has a row for every setting, in their order: name, default in parentheses, meaning.
func Listed(tb testing.TB, file string, table []settings.Setting) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| name (default) | meaning |\n|---|---|\n")
	for _, s := range table {
		fmt.Fprintf(&want, "| `%s`", s.Name)
		if s.Default != "" {
			fmt.Fprintf(&want, " (%s)", s.Default)
		}
		fmt.Fprintf(&want, " | %s |\n", s.Doc)
	}
	if !strings.Contains(string(text), want.String()) {
		tb.Errorf("%s must contain this table:\n%s", file, want.String())
	}
}
