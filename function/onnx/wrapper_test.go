package onnx_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"
)

// TestWrapperLayout fails when an update of the wrapper moves the pointer that nativeSession reads.
func TestWrapperLayout(t *testing.T) {
	t.Parallel()
	outer := reflect.TypeFor[ort.DynamicAdvancedSession]()
	if outer.NumField() != 1 || outer.Field(0).Name != "s" || outer.Field(0).Type != reflect.TypeFor[*ort.AdvancedSession]() {
		t.Errorf("DynamicAdvancedSession is no longer one pointer to an AdvancedSession: %+v", outer.Field(0))
	}
	first := reflect.TypeFor[ort.AdvancedSession]().Field(0)
	if first.Name != "ortSession" || first.Offset != 0 || first.Type.Kind() != reflect.Pointer ||
		!strings.Contains(first.Type.String(), "OrtSession") {
		t.Errorf("AdvancedSession no longer starts with the session: %+v", first)
	}
}

// TestSlots compares ort.h with the header that comes with the wrapper's module.
func TestSlots(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go").Output()
	if err != nil {
		t.Skipf("the wrapper's folder is not known: %v", err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "onnxruntime_c_api.h"))
	if err != nil {
		t.Skipf("the wrapper's header: %v", err)
	}
	names := apiFunctions(string(header))
	ours, err := os.ReadFile("ort.h")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`X\((\d+), (\w+), `).FindAllStringSubmatch(string(ours), -1)
	if len(lines) < 40 {
		t.Fatalf("only %d slots found in ort.h", len(lines))
	}
	for _, m := range lines {
		slot, err := strconv.Atoi(m[1])
		if err != nil || slot >= len(names) || names[slot] != m[2] {
			t.Errorf("slot %s is not %s", m[1], m[2])
		}
	}
}

// apiFunctions is the names of the header's struct OrtApi, in order.
func apiFunctions(header string) []string {
	_, body, _ := strings.Cut(header, "struct OrtApi {")
	body, _, _ = strings.Cut(body, "\n};")
	body = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(body, "")
	body = regexp.MustCompile(`//[^\n]*`).ReplaceAllString(body, "")
	name := regexp.MustCompile(`ORT_API2_STATUS\(\s*(\w+)|ORT_API_T\([^,]*,\s*(\w+)|ORT_API_CALL\s*\*\s*(\w+)|(ORT_CLASS_RELEASE)2?\(\s*(\w+)`)
	var names []string
	for statement := range strings.SplitSeq(body, ";") {
		m := name.FindStringSubmatch(statement)
		switch {
		case m == nil:
			if strings.TrimSpace(statement) != "" {
				names = append(names, "?")
			}
		case m[4] != "":
			names = append(names, "Release"+m[5])
		default:
			names = append(names, m[1]+m[2]+m[3])
		}
	}
	return names
}
