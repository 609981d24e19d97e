package openapi_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/tensor"
)

func tensorOf(name string, d tensor.DType, shape ...int64) tensor.Spec {
	return tensor.Spec{Name: name, Type: tensor.Type{DType: d, Ranked: true, Shape: shape}}
}

// sample is the schema of a plain sample, with the mark of what it becomes in the script.
func sample(t *testing.T, text, format string) openapi.Schema {
	t.Helper()
	s, err := openapi.SchemaOf(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Format = format
	return s
}

// body describes a service from the samples of its parameter data and of its answer, as the reference does.
func body(t *testing.T, data, format, answer, answerFormat string) openapi.Service {
	t.Helper()
	return openapi.Service{
		Input:         openapi.Parameters(openapi.Property{Name: "data", Schema: sample(t, data, format)}),
		InputExample:  json.RawMessage(`{"data":` + data + `}`),
		Output:        sample(t, answer, answerFormat),
		OutputExample: json.RawMessage(answer),
	}
}

// TestDocumentsOfTheReference compares with what the Azure ML inference server answered, byte for byte.
func TestDocumentsOfTheReference(t *testing.T) {
	t.Parallel()
	array := body(t, `[[1.0,2.0,3.0],[4.0,5.0,6.0]]`, openapi.FormatArray, `[6.0,15.0]`, openapi.FormatArray)
	ints := body(t, `[10,9,8,7,6,5,4,3,2,1]`, openapi.FormatArray, `[3726.995]`, openapi.FormatArray)
	records := body(t, `[{"name":"Sarah","age":25,"score":0.5},{"name":"John","age":26,"score":1.5}]`, openapi.FormatRecords,
		`{"total":[25.5,27.5]}`, "")
	records.Output.Format = ""
	split := body(t, `{"columns":["a","b"],"index":[0,1],"data":[[1.0,3.0],[2.0,4.0]]}`, openapi.FormatSplit, `{}`, "")
	split.Output, split.OutputExample = openapi.Schema{Type: "object"}, nil

	inputs := sample(t, `{"input1":[[1.0]],"input2":[{"name":"a","age":1}],"input3":0.0}`, "")
	inputs.Properties[0].Format = openapi.FormatArray
	inputs.Properties[1].Format = openapi.FormatRecords
	powerBI := openapi.Service{
		Input: openapi.Parameters(
			openapi.Property{Name: "Inputs", Schema: inputs},
			openapi.Property{Name: "GlobalParameters", Schema: openapi.Schema{Type: "number", Format: "double"}},
		),
		InputExample: json.RawMessage(`{"Inputs": {"input1": [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]],
			"input2": [{"name": "Sarah", "age": 25}, {"name": "John", "age": 26}], "input3": 0.0}, "GlobalParameters": 1.0}`),
		Output:        sample(t, `{"Results":[1.0]}`, ""),
		OutputExample: json.RawMessage(`{"Results":[1.0,1.0]}`),
	}
	signature := array // the same document follows from a signature: 2.0 has neither fixed dimensions nor null
	signature.Input = openapi.InputOf([]tensor.Spec{tensorOf("x", tensor.Float64, -1, 3)})
	signature.Output = openapi.OutputOf([]tensor.Spec{tensorOf("y", tensor.Float64, -1)})
	free := array
	free.Input = openapi.InputOf([]tensor.Spec{tensorOf("x", tensor.Float64, -1, -1)})

	tests := []struct {
		file    string
		version openapi.Version
		service openapi.Service
	}{
		{"array.2.json", openapi.V20, array},
		{"array.3.json", openapi.V30, array},
		{"array.3.1.json", openapi.V31, array},
		{"array.2.json", openapi.V20, signature},
		{"array.3.json", openapi.V30, free},
		{"array.3.1.json", openapi.V31, free},
		{"records.2.json", openapi.V20, records},
		{"records.3.json", openapi.V30, records},
		{"split.3.json", openapi.V30, split},
		{"split.3.1.json", openapi.V31, split},
		{"powerbi.2.json", openapi.V20, powerBI},
		{"ints.2.json", openapi.V20, ints},
		{"ints.3.json", openapi.V30, ints},
		{"undeclared.2.json", openapi.V20, openapi.Service{}.Undeclared()},
		{"named.2.json", openapi.V20, openapi.Service{Name: "my svc", Version: "7"}.Undeclared()},
	}
	used := map[string]bool{}
	for _, tt := range tests {
		used[tt.file] = true
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			got, err := openapi.Document(tt.version, tt.service)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != strings.TrimSuffix(string(want), "\n") {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !used[filepath.Base(file)] {
			t.Errorf("%s is compared with nothing", file)
		}
	}
}

func TestParseVersionIsLiteral(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]openapi.Version{
		"2": openapi.V20, "2.0": openapi.V20, "3": openapi.V30, "3.0": openapi.V30, "3.1": openapi.V31,
	} {
		if got, err := openapi.ParseVersion(query, true); got != want || err != nil {
			t.Errorf("ParseVersion(%q) = %q, %v, want %q", query, got, err, want)
		}
	}
	if got, err := openapi.ParseVersion("", false); got != openapi.V20 || err != nil {
		t.Errorf("no version is %q, %v, want %q", got, err, openapi.V20)
	}
	for _, query := range []string{"", "1", "4", "3.0a", "3.1.0", "3.0.3", " 2", "2 ", "02"} {
		_, err := openapi.ParseVersion(query, true)
		var v *openapi.VersionError
		want := "Swagger version [" + query + "] is not valid. Supported versions: [2, 3, 3.1]."
		if !errors.As(err, &v) || err.Error() != want {
			t.Errorf("ParseVersion(%q): %v, want %s", query, err, want)
		}
	}
}

func TestUserFilesWinInTheReferencesOrder(t *testing.T) {
	t.Parallel()
	for v, want := range map[openapi.Version][]string{
		openapi.V20: {"swagger.json", "swagger2.json"},
		openapi.V30: {"swagger3.json"},
		openapi.V31: {"swagger3.1.json"},
		"4":         nil,
	} {
		if got := v.Files(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", v, got, want)
		}
	}
}

func TestVersion2DoesNotDescribeMixedLists(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, example string
		mixed         bool
	}{
		{"number and string", `{"data": [1, "a"]}`, true},
		{"rows of several types, as of a split frame", `{"data": {"columns": ["a"], "data": [[1, "a"]]}}`, true},
		{"null among numbers", `{"data": [1.5, null]}`, true},
		{"array among numbers", `{"data": [1.5, [1.5]]}`, true},
		{"inside an object of a list", `{"data": [{"a": [true, 1]}]}`, true},
		{"members of several types", `{"data": [{"a": 1, "b": "x", "c": null}]}`, false},
		{"whole and other numbers", `{"data": [1, 2.5]}`, false},
		{"both truth values", `{"data": [true, false]}`, false},
		{"lists of different lengths", `{"data": [[], [1]]}`, false},
	}
	const want = "Swagger version [2] is not supported for the scoring script. Supported swagger versions: [3, 3.1]."
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range []openapi.Service{
				{InputExample: json.RawMessage(tt.example)},
				{OutputExample: json.RawMessage(tt.example)},
			} {
				_, err := openapi.Document(openapi.V20, s)
				var v *openapi.VersionError
				if errors.As(err, &v) != tt.mixed || tt.mixed && err.Error() != want {
					t.Errorf("error %v, mixed %v", err, tt.mixed)
				}
				for _, version := range []openapi.Version{openapi.V30, openapi.V31} {
					if _, err := openapi.Document(version, s); err != nil {
						t.Errorf("%s: %v", version, err)
					}
				}
			}
		})
	}
}

func TestMistakesAreErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		version openapi.Version
		service openapi.Service
		want    string
	}{
		{"unknown version", "3", openapi.Service{}, `openapi: there is no version "3"`},
		{"input", openapi.V30, openapi.Service{InputExample: json.RawMessage(`{"data":NaN}`)}, "openapi: the input example: not a JSON value"},
		{"output", openapi.V20, openapi.Service{OutputExample: json.RawMessage(`[] []`)}, "openapi: the output example: not a JSON value"},
		{"empty", openapi.V20, openapi.Service{OutputExample: json.RawMessage{}}, "openapi: the output example: not a JSON value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := openapi.Document(tt.version, tt.service)
			var v *openapi.VersionError
			if err == nil || err.Error() != tt.want || got != nil || errors.As(err, &v) {
				t.Errorf("%s, error %v, want %s", got, err, tt.want)
			}
		})
	}
	if _, err := openapi.SchemaOf(json.RawMessage(`{`)); err == nil {
		t.Error("a sample that is not JSON has a schema")
	}
}

func TestPathPrefixMovesPathsOfTheDocument(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string][]string{
		"":       {"/", "/score", "/swagger.json"},
		"/":      {"/", "/score", "/swagger.json"},
		"test":   {"/test/", "/test/score", "/test/swagger.json"},
		"/test/": {"/test/", "/test/score", "/test/swagger.json"},
		"a/b":    {"/a/b/", "/a/b/score", "/a/b/swagger.json"},
	} {
		for _, v := range []openapi.Version{openapi.V20, openapi.V30, openapi.V31} {
			text, err := openapi.Document(v, openapi.Service{PathPrefix: prefix}.Undeclared())
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Paths map[string]any `json:"paths"`
			}
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			for _, path := range want {
				if got.Paths[path] == nil || len(got.Paths) != len(want) {
					t.Errorf("prefix %q, %s: paths %v, want %q", prefix, v, got.Paths, want)
				}
			}
		}
	}
}

func TestTextIsWrittenAsPythonDoes(t *testing.T) {
	t.Parallel()
	text, err := openapi.Document(openapi.V30, openapi.Service{
		Name:         "Zürich <\"😀\"> \\ /\x7f\n",
		InputExample: json.RawMessage(`{ "é" : [ 1.0 ,2e-7,-0.0,123456789012345678901234567890 ] ,"\/\u000b\t":[ ],"a":{ }, "a":null,"b":true}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"title": "Z\u00fcrich <\"\ud83d\ude00\"> \\ /\u007f\n"`,
		`"example": {"\u00e9": [1.0, 2e-7, -0.0, 123456789012345678901234567890], "/\u000b\t": [], "a": null, "b": true}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s\nis not in %s", want, text)
		}
	}
	if !json.Valid(text) {
		t.Errorf("not JSON: %s", text)
	}
}
