package azureemu

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// samples are the exchanges that the adapter is tested with too.
const samples = "../../adapters/azure/testdata/"

// valueCases are the values of case_value_encoding.json, by their description there, with what they are encoded to.
var valueCases = map[string][]struct {
	value any
	want  string
}{
	"string HelloWorld":                     {{"HelloWorld", `"\"HelloWorld\""`}},
	`string {"a":1}`:                        {{`{"a":1}`, `"\"{\\\"a\\\":1}\""`}},
	"int 4 / long / double 1.5 / bool true": {{4, `"4"`}, {int64(12345678901), `"12345678901"`}, {1.5, `"1.5"`}, {true, `"true"`}},
	"null input":                            {{nil, `"null"`}},
	"DateTime":                              {{dateTime(time.Date(2019, 10, 1, 1, 2, 3, 4e6, time.UTC)), `"2019-10-01T01:02:03"`}},
	"DateTimeOffset":                        {{time.Date(2019, 10, 1, 1, 2, 3, 4e6, time.UTC), `"2019-10-01T01:02:03+00:00"`}},
	"byte[] (any dataType)":                 {{[]byte{1, 2, 3}, `"AQID"`}},
	"object / dictionary / JObject":         {{json.RawMessage(`{"Name":"TestName", "Id":1234}`), `{"Name":"TestName","Id":1234}`}},
	`string[] a, {"b":1}`:                   {{[]string{"a", `{"b":1}`}, `"[\"a\",\"{\\\"b\\\":1}\"]"`}},
	"byte[][]":                              {{[][]byte{{1}, {2}}, `"[\"AQ==\",\"Ag==\"]"`}},
	"JArray [1,2]":                          {{json.RawMessage("[1, 2]"), `"[1,2]"`}},
	"Uri / Guid":                            {{"http://h/c/a b.json", `"\"http://h/c/a b.json\""`}},
}

func TestValuesAreEncodedByOneRule(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(samples + "case_value_encoding.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Net string }
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) != len(valueCases) {
		t.Fatalf("%d rows, %d cases, %v", len(rows), len(valueCases), err)
	}
	for _, row := range rows {
		cases, ok := valueCases[row.Net]
		if !ok {
			t.Errorf("no case for %q", row.Net)
		}
		for _, c := range cases {
			if got, err := encodeValue(c.value); err != nil || string(got) != c.want {
				t.Errorf("%s: %s %v, want %s", row.Net, got, err, c.want)
			}
		}
	}
	m := newMetadata()
	m.set("Null", nil)
	m.set("QueueTrigger", "x")
	m.set("Id", "message")
	m.spill(`{"id":"mine","list":[1],"none":null,"myTrigger":1,"n":1e-7}`)
	if len(m.values) != 2 || string(m.values["Id"]) != `"\"mine\""` || string(m.values["n"]) != `"1e-7"` {
		t.Errorf("%s", m.values)
	}
}

// roundTrip is a transport in a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var errRefused = &net.OpError{Op: "dial", Err: errors.New("connection refused")}

// TestProbe has the time that the others cannot: only pauses count.
func TestProbe(t *testing.T) {
	t.Parallel()
	ok := &http.Response{StatusCode: 500, Body: io.NopCloser(strings.NewReader(""))}
	for _, tt := range []struct {
		name    string
		rt      func(n int, r *http.Request) (*http.Response, error)
		want    string
		took    time.Duration
		rounds  int
		timeout time.Duration // of the client
	}{
		{"ready at once", func(int, *http.Request) (*http.Response, error) { return ok, nil }, "", 0, 1, 0},
		{"listens after 29 s", func(n int, _ *http.Request) (*http.Response, error) {
			if n < 1161 {
				return nil, errRefused
			}
			return ok, nil
		}, "", 29 * time.Second, 1161, 0},
		{"holds for four minutes", func(int, *http.Request) (*http.Response, error) {
			time.Sleep(4 * time.Minute)
			return ok, nil
		}, "", 4 * time.Minute, 1, 0},
		{"never listens", func(int, *http.Request) (*http.Response, error) { return nil, errRefused }, "Initializing HttpWorker timed out", 30 * time.Second, 1201, 0},
		{"slow refusals do not count", func(n int, _ *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			if n < 100 {
				return nil, errRefused
			}
			return ok, nil
		}, "", 100*time.Second + 99*pingEvery, 100, 0},
		{"drops the connection", func(int, *http.Request) (*http.Response, error) { return nil, io.EOF }, "dropped the probe", 0, 1, 0},
		{"holds for ever", func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, "TaskCanceledException", 6 * time.Minute, 1, 6 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, begin := 0, time.Now()
				err := probe(t.Context(), roundTrip(func(r *http.Request) (*http.Response, error) {
					n++
					return tt.rt(n, r)
				}), "http://127.0.0.1:1/", 30*time.Second, tt.timeout, nil)
				if took := time.Since(begin); took != tt.took || n != tt.rounds {
					t.Errorf("%d rounds in %s, want %d in %s", n, took, tt.rounds, tt.took)
				}
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
			})
		})
	}
	ended := make(chan struct{})
	close(ended)
	refuse := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errRefused })
	if err := probe(t.Context(), refuse, "http://127.0.0.1:1/", time.Hour, 0, ended); !errors.Is(err, errEnded) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := probe(ctx, refuse, "http://127.0.0.1:1/", time.Hour, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestErrorsAreForgottenAfterHalfAnHour(t *testing.T) {
	t.Parallel()
	var f failures
	now := time.Now()
	for i, want := range []int{1, 2, 1, 2, 3} {
		if i == 2 {
			now = now.Add(31 * time.Minute)
		}
		if got := f.add(now); got != want {
			t.Errorf("error %d counts as %d, want %d", i, got, want)
		}
		now = now.Add(29 * time.Minute)
	}
}

func TestDotnetNumbersAndDates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`[1e-7, 0.0001, 0.00001, 1.0, 1e15, 123456789012345.0, -0.5, 12345678901234567890]`: `[1E-07,0.0001,1E-05,1.0,1E+15,123456789012345.0,-0.5,12345678901234567890]`,
		`{"2024-01-02T03:04:05+02:00": "2024-01-02T03:04:05+02:00"}`:                        `{"2024-01-02T03:04:05+02:00":"2024-01-02T01:04:05+00:00"}`,
		`["2024-01-02T03:04:05.1200000Z", "2024-01-02", "2024-13-02T03:04:05Z"]`:            `["2024-01-02T03:04:05.12Z","2024-01-02","2024-13-02T03:04:05Z"]`,
		`{"a":"<\u0041\"\\>", "b":{}, "c":[true,false,null]}`:                               `{"a":"<A\"\\>","b":{},"c":[true,false,null]}`,
	} {
		if got, err := reformat(json.RawMessage(in), false); err != nil || string(got) != want {
			t.Errorf("%s\ngot  %s %v\nwant %s", in, got, err, want)
		}
	}
}
