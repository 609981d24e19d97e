package score_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/settings"
)

// azureCase is one request with the reply that was observed from Azure Machine Learning's inference server.
type azureCase struct {
	Name       string            `json:"name"`
	Scorer     string            `json:"scorer"`
	Env        map[string]string `json:"env"`
	Files      map[string]string `json:"files_in_app_root"`
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Headers    map[string]string `json:"headers"`
	Body       *string           `json:"body"`
	Body64     string            `json:"body_b64"`
	BodyRepeat *struct {
		Prefix, Open, Close, Suffix string
		N                           int
	} `json:"body_repeat"`
	Status      int             `json:"expect_status"`
	ExpectHead  map[string]any  `json:"expect_headers"`
	AbsentHead  []string        `json:"expect_absent_headers"`
	ExpectBody  *string         `json:"expect_body"`
	Contains    string          `json:"expect_body_contains"`
	OursStatus  []int           `json:"ours_status"`
	Ours        string          `json:"ours"`
	Subset      json.RawMessage `json:"expect_json_subset"`
	NumberField []string        `json:"expect_number_fields"`
}

// unlike are the cases that are not matched, each with the reason.
var unlike = map[string]string{
	"double_slash_score":             "an artefact of the reference's library: //score is another path",
	"separate_health_port":           "one port: health is answered while scoring runs, which the second port of the reference does not bring about",
	"numpy_empty_500":                "[] is a batch of no rows for float64[N,3], and its answer is []: the declared dimensions give it its shape",
	"onnx_mnist_result":              "the model is not at hand; a network with the same names and shapes is tested instead",
	"onnx_mnist_wrong_rank":          "the model is not at hand",
	"onnx_mnist_missing_data":        "the model is not at hand",
	"onnx_nocode_ort_server_payload": "the reply was never observed",
}

func azureCases(t *testing.T) []azureCase {
	t.Helper()
	f, err := os.Open("testdata/azureml.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []azureCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c azureCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil || len(cases) < 100 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

func TestAnswersAsTheReferenceServerDoes(t *testing.T) {
	t.Parallel()
	for _, c := range azureCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if why, ok := unlike[c.Name]; ok {
				t.Skip(why)
			}
			r := c.request(t)
			w := httptest.NewRecorder()
			c.handler(t).ServeHTTP(w, r)
			c.compare(t, w.Result())
		})
	}
}

// handler serves the case's scorer with its settings. The reference takes numeric text and booleans for numbers, insists on
// the Content-Type of declared parameters, and was run without its version header.
func (c *azureCase) handler(t *testing.T) http.Handler {
	t.Helper()
	env := map[string]string{"SCOREFN_LENIENT": "true", "SCOREFN_STRICT_CONTENT_TYPE": "true", "SCOREFN_SERVER_VERSION_HEADER": "false"}
	for name, value := range c.Env {
		if name == "HTTP_X_MS_SERVER_VERSION" {
			env["SCOREFN_SERVER_VERSION_HEADER"] = "true"
		}
		env[name] = value
	}
	if c.Files != nil {
		env["AML_APP_ROOT"] = t.TempDir()
		for name, text := range c.Files {
			if err := os.WriteFile(filepath.Join(env["AML_APP_ROOT"], name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	build := scorers[c.Scorer]
	if build == nil {
		t.Fatalf("there is no scorer for %q", c.Scorer)
	}
	if strings.Contains(c.Scorer, "documented entry script") {
		env["SCOREFN_ERRORS"] = "entry-script"
	}
	set, err := settings.Load(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	init, model := build(t)
	f := function.New(init, function.WithModel(model), function.WithSettings(set), function.WithLogger(slog.New(slog.DiscardHandler)))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(function.Reason(err))
	}
	return function.Handler(f)
}

func (c *azureCase) request(t *testing.T) *http.Request {
	t.Helper()
	var body []byte
	switch {
	case c.Body != nil:
		body = []byte(*c.Body)
	case c.Body64 != "":
		var err error
		if body, err = base64.StdEncoding.DecodeString(c.Body64); err != nil {
			t.Fatal(err)
		}
	case c.BodyRepeat != nil:
		p := c.BodyRepeat
		body = []byte(p.Prefix + strings.Repeat(p.Open, p.N) + strings.Repeat(p.Close, p.N) + p.Suffix)
	}
	r := httptest.NewRequestWithContext(context.Background(), c.Method, "http://localhost"+c.Path, bytes.NewReader(body))
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func (c *azureCase) compare(t *testing.T, r *http.Response) {
	t.Helper()
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.OursStatus != nil && r.StatusCode != c.Status {
		if slices.Contains(c.OursStatus, r.StatusCode) {
			return // better than the reference: its text need not match
		}
	}
	if r.StatusCode != c.Status {
		t.Fatalf("status %d %s, want %d", r.StatusCode, got, c.Status)
	}
	for name, want := range c.ExpectHead {
		compareHeader(t, name, r.Header.Values(name), want)
	}
	for _, name := range c.AbsentHead {
		// 404 and 405 have their ids here, too
		if v := r.Header.Values(name); len(v) > 0 && !strings.Contains(c.Ours, "ALSO return x-request-id") {
			t.Errorf("header %s: %q, want none", name, v)
		}
	}
	if c.Method == http.MethodHead || c.OursStatus != nil {
		return
	}
	if strings.Contains(string(got), `"openapi"`) {
		got = plainSchemas(got)
	}
	if c.ExpectBody != nil && !sameJSON(got, []byte(*c.ExpectBody)) {
		t.Errorf("body\n got %s\nwant %s", got, *c.ExpectBody)
	}
	if !strings.Contains(string(got), c.Contains) {
		t.Errorf("body %s does not contain %s", got, c.Contains)
	}
}

// plainSchemas takes out of a document of version 3 what the reference does not say: sizes, and that a float may be null.
func plainSchemas(doc []byte) []byte {
	doc = regexp.MustCompile(`, "m(in|ax)Items": \d+`).ReplaceAll(doc, nil)
	doc = regexp.MustCompile(`, "nullable": true`).ReplaceAll(doc, nil)
	return regexp.MustCompile(`\["number", "null"\]`).ReplaceAll(doc, []byte(`"number"`))
}

func compareHeader(t *testing.T, name string, got []string, want any) {
	t.Helper()
	if list, ok := want.([]any); ok {
		if len(got) != len(list) {
			t.Errorf("header %s: %q, want %q", name, got, list)
		}
		return
	}
	text := want.(string)
	if name == "x-ms-server-version" {
		text = "scorefn/" + function.Version
	}
	if len(got) != 1 {
		t.Errorf("header %s: %q, want %q", name, got, text)
		return
	}
	if pattern, ok := strings.CutPrefix(text, "re:"); ok {
		if !regexp.MustCompile(pattern).MatchString(got[0]) {
			t.Errorf("header %s: %q, want %s", name, got[0], pattern)
		}
	} else if got[0] != text {
		t.Errorf("header %s: %q, want %q", name, got[0], text)
	}
}

// sameJSON compares values: spacing and the order of keys do not matter, numbers have a small tolerance.
func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return string(a) == string(b)
	}
	return same(x, y)
}

func same(x, y any) bool {
	switch a := x.(type) {
	case float64:
		b, ok := y.(float64)
		return ok && math.Abs(a-b) <= 1e-6*math.Max(1e-6, math.Abs(b))
	case []any:
		b, ok := y.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := y.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if !same(a[k], b[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(x, y)
}
