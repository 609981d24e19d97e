package settings_test

import (
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/settings"
)

func TestReaderReadsAndCollectsWhatIsWrong(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"YES": " TRUE ", "ODD": "on", "WORD": "Drop", "OTHER": "maybe", "PLACE": "gs://b/p", "NOWHERE": "gs://", "PATH": "/p",
	}
	r := settings.NewReader(func(name string) string { return env[name] })
	for what, ok := range map[string]bool{
		"a flag that is set":            r.Flag("YES", false),
		"a flag that is not":            r.Flag("NONE", true) && !r.Flag("NONE", false),
		"a flag that is none":           r.Flag("ODD", true),
		"a word in other letters":       r.Word("WORD", "fail", "drop") == "drop",
		"the first word for none":       r.Word("NONE", "fail", "drop") == "fail",
		"the first word for another":    r.Word("OTHER", "fail", "drop") == "fail",
		"a place":                       r.Place("PLACE", "x") == "gs://b/p",
		"no place":                      r.Place("NONE", "x") == "",
		"a place without a bucket":      r.Place("NOWHERE", "gs://bucket/prefix") != "",
		"a place that is a path":        r.Place("PATH", "gs://bucket/prefix") != "",
		"a text without its whitespace": r.Text("YES") == "TRUE",
	} {
		if !ok {
			t.Error(what)
		}
	}
	err := r.Err()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`ODD="on": expected true or false`, `OTHER="maybe": expected fail or drop`, `NOWHERE="gs://": expected gs://bucket/prefix`, `PATH="/p"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if strings.Count(err.Error(), "expected") != 4 {
		t.Errorf("got %v", err)
	}
}

func TestGroupedLeavesTheTableAlone(t *testing.T) {
	t.Parallel()
	table := []settings.Setting{{Name: "A"}}
	if got := settings.Grouped("P", table); got[0].Group != "P" || table[0].Group != "" {
		t.Errorf("got %v, left %v", got, table)
	}
}
