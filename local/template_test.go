package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// template reads template.yaml; the functions of CloudFormation (!Ref and the like) stay what they are given.
func template(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at is the value under a path of keys, nil when there is none.
func at(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// What the linters of CloudFormation do not see.
func TestTemplateHoldsTogether(t *testing.T) {
	t.Parallel()
	doc := template(t)
	events := []string{"Resources", "ScoreFunction", "Properties", "Events"}
	for _, timeout := range at(doc, "Parameters", "Timeout", "AllowedValues").([]any) {
		seconds, err := strconv.Atoi(timeout.(string))
		if err != nil {
			t.Fatal(err)
		}
		visible, _ := at(doc, "Mappings", "Visibility", timeout.(string), "Seconds").(int)
		if visible < 6*seconds {
			t.Errorf("timeout %d s: messages are hidden for %d s, expected six times the timeout", seconds, visible)
		}
	}
	if wait, _ := at(doc, append(events, "Score", "Properties", "TimeoutInMillis")...).(int); wait < 50 || wait > 30000 {
		t.Errorf("an HTTP API waits for 30000 ms at most, not %d", wait)
	}
	queue := append(events, "Requests", "Properties")
	if size, _ := at(doc, append(queue, "BatchSize")...).(int); size > 10 && at(doc, append(queue, "MaximumBatchingWindowInSeconds")...) == nil {
		t.Error("a batch of more than 10 messages needs a window")
	}
	if types, _ := at(doc, append(queue, "FunctionResponseTypes")...).([]any); len(types) != 1 || types[0] != "ReportBatchItemFailures" {
		t.Error("without ReportBatchItemFailures the failed messages of a batch are lost")
	}
	if auth := at(doc, "Resources", "ScoreFunction", "Properties", "FunctionUrlConfig", "AuthType"); auth != "AWS_IAM" && auth != "NONE" {
		t.Errorf("AuthType %v: through a parameter the permissions are never added", auth)
	}
	archs := at(doc, "Parameters", "Architecture", "AllowedValues").([]any)
	if len(archs) != 2 || archs[0] != "x86_64" || archs[1] != "arm64" {
		t.Errorf("architectures %v", archs)
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range at(doc, "Resources").(map[string]any) {
		if at(r, "Metadata", "BuildMethod") == "makefile" && !strings.Contains(string(makefile), "\nbuild-"+name+":") {
			t.Errorf("the Makefile has no target build-%s", name)
		}
	}
}

func TestTemplateIsCleanForTheLinter(t *testing.T) {
	t.Parallel()
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed: pip install cfn-lint")
	}
	if out, err := exec.CommandContext(t.Context(), lint, "../template.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
