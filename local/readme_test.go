package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/score"
)

// Every row of the table of bodies, pasted into a shell.
func TestReadmeBodies(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	readme, err := os.ReadFile("../function/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "<!-- bodies:")
	table, _, found := strings.Cut(table, "<!-- /bodies -->")
	rows := strings.Split(table, "\n| ")[1:]
	if !found || len(rows) < 15 {
		t.Fatalf("%d rows", len(rows))
	}
	f := function.New(score.Init)
	t.Cleanup(func() { _ = f.Close() })
	server := httptest.NewServer(function.Handler(f))
	t.Cleanup(server.Close)
	const digit = `D=$(tr -d ' \n' < model/digits/1/sample.json | sed 's/.*\[\[//; s/\]\].*//'); `
	for _, row := range rows[1:] { // after the header
		cells := strings.Split(strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(row), " |"), `\|`, "\x00"), " | ")
		if len(cells) != 3 {
			t.Fatalf("row %q", row)
		}
		t.Run(cells[0], func(t *testing.T) {
			t.Parallel()
			line := strings.ReplaceAll(strings.Trim(cells[1], "`"), "\x00", "|")
			cmd := exec.CommandContext(t.Context(), "sh", "-c", digit+line)
			cmd.Dir = ".."
			cmd.Env = append(os.Environ(), "U="+server.URL)
			out, err := cmd.CombinedOutput()
			if got, want := strings.TrimSpace(string(out)), strings.Trim(cells[2], "`"); err != nil || got != want {
				t.Errorf("%s\n got %s, %v\nwant %s", line, got, err, want)
			}
		})
	}
}
