package azure_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// This file is what the Functions host makes of a custom handler's answers, as far as the handler has to care. The tables of
// testdata/case_*.json, from the host's own tests and source, hold it to that.

// hostOutputs are the outputs that the host takes from an answer in payload mode, or why it takes none.
func hostOutputs(status int, contentType string, body []byte) (map[string]json.RawMessage, error) {
	media, _, _ := strings.Cut(contentType, ";")
	switch {
	case status >= 300 && status < 400:
		return nil, errors.New("followed")
	case status < 200 || status > 299:
		return nil, errors.New("HttpRequestException")
	case status == http.StatusNoContent, len(bytes.TrimSpace(body)) == 0, string(bytes.TrimSpace(body)) == "null":
		if media != "" && media != "application/json" && media != "text/json" {
			return nil, errors.New("UnsupportedMediaTypeException")
		}
		return nil, errors.New("hang")
	case media != "application/json" && media != "text/json":
		return nil, errors.New("UnsupportedMediaTypeException")
	}
	var in struct {
		Outputs     map[string]json.RawMessage
		Logs        []string
		ReturnValue json.RawMessage
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("InvalidOperationException: %w", err)
	}
	if in.Outputs == nil {
		in.Outputs = map[string]json.RawMessage{}
	}
	if in.ReturnValue != nil && string(in.ReturnValue) != "null" {
		in.Outputs["$return"] = in.ReturnValue
	}
	return in.Outputs, nil
}

// hostHTTP is what the client gets for the output of an HTTP binding.
func hostHTTP(value json.RawMessage) (status int, header map[string]string, body string, err error) {
	var text string
	if json.Unmarshal(value, &text) == nil {
		value = json.RawMessage(text)
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(value, &in); err != nil {
		return 0, nil, "", errors.New("Failed while trying to Deserialize to httpOutputBindingResponse")
	}
	status = 200
	for name, v := range in {
		switch strings.ToLower(name) {
		case "statuscode", "status":
			if _, err := fmt.Sscan(strings.Trim(string(v), `"`), &status); err != nil {
				return 0, nil, "", err
			}
		case "headers":
			if err := json.Unmarshal(v, &header); err != nil {
				return 0, nil, "", err
			}
		case "body":
			if err := json.Unmarshal(v, &body); err != nil {
				return 0, nil, "", errors.New("the body is no string: it is written anew")
			}
		}
	}
	return status, header, body, nil
}

var isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`)

// hostWrites is what the host writes for an output's value, and the trap when that is not what the handler meant.
func hostWrites(binding, dataType string, value json.RawMessage) (written []string, trap string) {
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, "no JSON"
	}
	text, isText := v.(string)
	if isText && isoDate.MatchString(text) {
		return []string{text}, "date"
	}
	if isText && dataType != "binary" {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			switch {
			case binding == "serviceBus":
				return []string{"System.Byte[]"}, "base64"
			case json.Valid(b):
				return []string{string(b)}, ""
			}
			return []string{string(b)}, "base64"
		}
	}
	collects := binding == "queue" || binding == "eventHub"
	if isText && dataType != "binary" && collects && json.Valid([]byte(text)) {
		var inner any
		_ = json.Unmarshal([]byte(text), &inner)
		v = inner
	}
	switch v := v.(type) {
	case string:
		return []string{v}, ""
	case []any:
		if collects {
			for _, e := range v {
				b, _ := json.Marshal(e)
				written = append(written, string(b))
			}
			return written, "split"
		}
		return []string{string(value)}, ""
	case map[string]any:
		if collects {
			b, _ := json.MarshalIndent(v, "", "  ")
			return []string{string(b)}, "indented"
		}
		return []string{string(value)}, ""
	}
	return []string{string(value)}, "raw"
}

func cases(t *testing.T, name string) []map[string]json.RawMessage {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "case_"+name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil || len(list) == 0 {
		t.Fatalf("case_%s.json: %d cases, %v", name, len(list), err)
	}
	return list
}

func textOf(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return string(v)
	}
	return s
}

func TestTheHostOfTheseTestsTakesAnswersAsTheRealOne(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "response_default_mode") {
		name, want := textOf(c["case"]), textOf(c["host"])
		body := []byte(textOf(c["raw_body"]))
		if c["body"] != nil {
			body = c["body"]
		}
		var status int
		if err := json.Unmarshal(c["status"], &status); err != nil {
			t.Fatal(err)
		}
		contentType := ""
		if string(c["content_type"]) != "null" {
			contentType = textOf(c["content_type"])
		}
		outputs, err := hostOutputs(status, contentType, body)
		if res := outputs["res"]; err == nil && res != nil {
			_, _, _, err = hostHTTP(res)
		}
		good := !strings.HasPrefix(want, "HttpRequestException") && (strings.Contains(want, "bound") || strings.Contains(want, "client gets") || strings.Contains(want, "accepted") ||
			strings.HasPrefix(want, "success,") || strings.Contains(want, "client sees 200"))
		if (err == nil) != good {
			t.Errorf("%s: got %v, the host: %s", name, err, want)
		}
		if hang := err != nil && err.Error() == "hang"; hang != strings.Contains(want, "hang") {
			t.Errorf("%s: hangs %v, the host: %s", name, hang, want)
		}
	}
}

func TestTheHostOfTheseTestsWritesOutputsAsTheRealOne(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t, "output_values") {
		binding, dataType, want := textOf(c["binding"]), textOf(c["dataType"]), textOf(c["written"])
		value := c["value"]
		switch {
		case binding == "http": // hostHTTP
			continue
		case textOf(value) == "base64 of the exact bytes":
			value = json.RawMessage(`"` + base64.StdEncoding.EncodeToString([]byte(`{"id":"1"}`)) + `"`)
			for b := range strings.SplitSeq(binding, " / ") {
				if got, trap := hostWrites(b, dataType, value); trap != "" || len(got) != 1 || got[0] != `{"id":"1"}` {
					t.Errorf("%s %s: got %q, %s", b, value, got, trap)
				}
			}
			continue
		case strings.HasPrefix(textOf(value), "any valid base64"):
			value = json.RawMessage(`"positive"`)
		}
		got, trap := hostWrites(binding, dataType, value)
		for words, kind := range map[string]string{
			"WRONG": "base64", "System.Byte[]": "base64", "two messages": "split", "TWO": "split", "INDENTED": "indented",
			"raw": "raw", "DateTime": "date",
		} {
			if strings.Contains(want, words) && trap != kind && trap != "split" {
				t.Errorf("%s %s: got %q, %q; the host: %s", binding, value, got, trap, want)
			}
		}
		if strings.HasPrefix(want, "{") || strings.HasPrefix(want, "[1") || want == "Hello" {
			if trap != "" || len(got) != 1 {
				t.Errorf("%s %s: got %q, %q; the host: %s", binding, value, got, trap, want)
			}
		}
	}
}
