package azure

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// Every kind of value that the host writes, as case_value_encoding.json has it, is read as what it was.
func TestValuesOfTheHostAreReadAsTheyWere(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/case_value_encoding.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Net  string
		JSON json.RawMessage
	}
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	queue := binding{Type: "queueTrigger"}
	want := map[string]struct {
		b     binding
		value string // where the case has several, or a remark
		want  []string
	}{
		"string HelloWorld":                     {queue, "", []string{"HelloWorld"}},
		`string {"a":1}`:                        {queue, "", []string{`{"a":1}`}},
		"int 4 / long / double 1.5 / bool true": {queue, "4", []string{"4"}},
		"null input":                            {queue, "null", []string{"null"}},
		"DateTime":                              {queue, "2019-10-01T01:02:03", []string{"2019-10-01T01:02:03"}},
		"DateTimeOffset":                        {queue, "2019-10-01T01:02:03+00:00", []string{"2019-10-01T01:02:03+00:00"}},
		"byte[] (any dataType)":                 {binding{Type: "blobTrigger"}, "AQID", []string{"\x01\x02\x03"}},
		"object / dictionary / JObject":         {queue, "", []string{`{"Name":"TestName","Id":1234}`}},
		`string[] a, {"b":1}`:                   {binding{Type: "eventHubTrigger", Cardinality: "many", DataType: "string"}, "", []string{"a", `{"b":1}`}},
		"byte[][]":                              {binding{Type: "eventHubTrigger", Cardinality: "many", DataType: "binary"}, "", []string{"\x01", "\x02"}},
		"JArray [1,2]":                          {binding{Type: "eventHubTrigger", Cardinality: "many"}, "[1,2]", []string{"1", "2"}},
		"Uri / Guid":                            {queue, `"http://h/c/a b.json"`, []string{"http://h/c/a b.json"}},
	}
	for _, c := range list {
		w, ok := want[c.Net]
		if !ok {
			t.Errorf("%s: nobody says how it is read", c.Net)
			continue
		}
		value := raw(c.JSON)
		if w.value != "" {
			value = raw(quoted(w.value))
		}
		if value.starts('{') {
			var compact strings.Builder
			for _, r := range string(value) {
				if r != ' ' && r != '\n' {
					compact.WriteRune(r)
				}
			}
			value = raw(compact.String())
		}
		got, _, err := decode(w.b, value)
		if err != nil || !slices.Equal(bodies(got), w.want) {
			t.Errorf("%s: %s: got %q, %v; want %q", c.Net, value, bodies(got), err, w.want)
		}
		delete(want, c.Net)
	}
	for net := range want {
		t.Errorf("%s: the case is gone", net)
	}
}

func bodies(list []value) []string {
	var out []string
	for _, v := range list {
		if v.err != nil {
			out = append(out, "error: "+v.err.Error())
			continue
		}
		out = append(out, string(v.body))
	}
	return out
}

func TestDecode(t *testing.T) {
	t.Parallel()
	bind := func(kind, cardinality, dataType string) binding {
		return binding{Type: kind, Cardinality: cardinality, DataType: dataType}
	}
	for _, tt := range []struct {
		name string
		b    binding
		v    string
		want []string
		many bool
	}{
		{"a text that is a JSON string", bind("queueTrigger", "", ""), quoted(quoted(`"x"`)), []string{`"x"`}, false},
		{"quoted once", bind("queueTrigger", "", ""), quoted(`{"data":1}`), []string{`{"data":1}`}, false},
		{"a message that is an array", bind("queueTrigger", "", ""), quoted(quoted(`[{"a":1}]`)), []string{`[{"a":1}]`}, false},
		{"binary", bind("queueTrigger", "", "Binary"), `"AQ=="`, []string{"\x01"}, false},
		{"binary that is not", bind("queueTrigger", "", "binary"), `"%"`, []string{"error: the value is not in base64, as bytes are"}, false},
		{"empty", bind("queueTrigger", "", ""), `"\"\""`, []string{""}, false},
		{"an empty blob", bind("blobTrigger", "", ""), `""`, []string{""}, false},
		{"cosmos", bind("cosmosDBTrigger", "", ""), quoted(quoted(`[{"a":1},{"a":2}]`)), []string{`{"a":1}`, `{"a":2}`}, true},
		{"many", bind("eventGridTrigger", "many", ""), quoted(`[{"a":1}]`), []string{`{"a":1}`}, true},
		{"many, no cardinality", bind("eventHubTrigger", "", ""), quoted(`[{"a":1},{}]`), []string{`{"a":1}`, `{}`}, true},
		{"many, an array", bind("serviceBusTrigger", "many", ""), `[{"a":1}]`, []string{`{"a":1}`}, true},
		{"many, one alone", bind("serviceBusTrigger", "many", ""), quoted(`{"a":1}`), []string{`{"a":1}`}, true},
		{"many, none", bind("serviceBusTrigger", "many", ""), quoted(`[]`), nil, true},
		{"one of many is no base64", bind("eventHubTrigger", "many", "binary"), quoted(`["AQ==","%"]`), []string{"\x01", "error: the message is not in base64, as bytes are"}, true},
		{"no files, object", binding{}, `{"a":1}`, []string{`{"a":1}`}, false},
		{"no files, text", binding{}, quoted(quoted(`{"a":1}`)), []string{`{"a":1}`}, false},
		{"no files, bytes", binding{}, quoted(base64.StdEncoding.EncodeToString([]byte(`{"a":1}`))), []string{`{"a":1}`}, false},
		{"no files, several", binding{}, quoted(`[{"a":1}]`), []string{`{"a":1}`}, true},
		{"no files, numbers", binding{}, quoted(`[1]`), []string{`[1]`}, false},
		{"another trigger", bind("kafkaTrigger", "", ""), quoted(quoted(`{"Value":1}`)), []string{`{"Value":1}`}, false},
	} {
		got, many, err := decode(tt.b, raw(tt.v))
		if err != nil || many != tt.many || !slices.Equal(bodies(got), tt.want) {
			t.Errorf("%s: %s: got %q %v, %v; want %q", tt.name, tt.v, bodies(got), many, err, tt.want)
		}
	}
	for _, v := range []string{`"`, `"\ud800"`, `"x`, `"x"y`} {
		if got, _, err := decode(bind("queueTrigger", "", ""), raw(v)); err == nil && v != `"\ud800"` {
			t.Errorf("%s: got %q", v, bodies(got))
		}
	}
	if _, _, err := decode(bind("eventHubTrigger", "many", ""), raw(quoted(`[{"a":1}`))); err == nil {
		t.Error("half an array")
	}
}

// Whatever a message holds, it is read as it was, in every form in which the host writes it.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{``, `hello`, `{"data":[[1,2]]}`, `"x"`, `[1]`, `[{"a":1}]`, "\x00\xff", `\"`, `AQ==`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		check := func(b binding, v string, want ...string) {
			t.Helper()
			if got, _, err := decode(b, raw(v)); err != nil || !slices.Equal(bodies(got), want) {
				t.Errorf("%+v %s: got %q, %v; want %q", b, v, bodies(got), err, want)
			}
		}
		b64 := base64.StdEncoding.EncodeToString(body)
		check(binding{Type: "blobTrigger"}, quoted(b64), string(body))
		check(binding{Type: "queueTrigger", DataType: "binary"}, quoted(b64), string(body))
		check(binding{Type: "eventHubTrigger", Cardinality: "many", DataType: "binary"}, quoted(`[`+quoted(b64)+`,`+quoted(b64)+`]`), string(body), string(body))
		text := strings.ToValidUTF8(string(body), "?") // the host's strings are text
		check(binding{Type: "queueTrigger"}, quoted(quoted(text)), text)
		check(binding{Type: "serviceBusTrigger", Cardinality: "many", DataType: "string"}, quoted(`[`+quoted(text)+`]`), text)
		if json.Valid(body) {
			if compact := strings.TrimSpace(text); compact[0] == '{' {
				check(binding{Type: "eventHubTrigger", Cardinality: "many"}, quoted(`[`+compact+`]`), compact)
				check(binding{Type: "eventGridTrigger"}, compact, compact)
			}
		}
		_, _, _ = decode(binding{}, raw(body)) // whatever comes, it does not panic
		_, _, _ = decode(binding{Type: "cosmosDBTrigger"}, raw(body))
	})
}
