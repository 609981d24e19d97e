package tensor

import (
	"strings"
	"testing"
)

func TestBase64(t *testing.T) {
	t.Parallel()
	const wrong = `not base64 of the standard alphabet with padding: wrong at or after character `
	for _, c := range []struct {
		in         Spec
		text, want string
	}{
		{in(String, -1), `[{"b64":"YWI="},"c", { "b64" : "" }]`, `string[3] ["ab","c",""]`},
		{in(String), `{"b64":"YWI="}`, `string[] "ab"`},
		{in(String, -1), `{"x":[{"b64":"YWI="}]}`, `string[1] ["ab"]`},
		{in(String, -1), `[{"b64":"Pz8\/"}]`, `string[1] ["???"]`},
		{in(Uint8, -1), `{"b64":"AQID"}`, `uint8[3] [1,2,3]`},
		{in(Uint8, 3), `{"b64":"AQID"}`, `uint8[3] [1,2,3]`},
		{in(Uint8, -1), `{"b64":""}`, `uint8[0] []`},
		{in(Uint8, -1), `{"x":{"b64":"AQID"}}`, `uint8[3] [1,2,3]`},
		{open(Uint8), `[[{"b64":"AQID"},[4,5,6]]]`, `uint8[1 2 3] [[[1,2,3],[4,5,6]]]`},
		{in(Uint8, -1, 3), `[ {"b64":"AQID"} , {"b64":"BAUG"} ]`, `uint8[2 3] [[1,2,3],[4,5,6]]`},
		{of(KindSequence, in(Uint8, -1).Type), `[{"b64":"AQID"},[1]]`, `1(uint8[3] [1,2,3]; uint8[1] [1])`},
		{named("b64", in(String)), `{"b64":"YWI="}`, `string[] "YWI="`},
		{Spec{Name: "x", Type: mapOf(String, String)}, `{"a":{"b64":"YWI="}}`, `2(string[1] ["a"]; string[1] ["ab"])`},

		{in(String, -1), `[{"b64":"YWI"}]`, `data[0]: ` + wrong + `1 (input "x" string[N]) (at byte 9)`},
		{in(String, -1), `[{"b64":"YW_-"}]`, `data[0]: ` + wrong + `3 (input "x" string[N]) (at byte 11)`},
		{in(String, -1), `[{"b64":"YWJ="}]`, `data[0]: ` + wrong + `4 (input "x" string[N]) (at byte 12)`},
		{in(String, -1), `[{"b64":"YW\nI="}]`, `data[0]: ` + wrong + `3 (input "x" string[N]) (at byte 8)`},
		{in(String, -1), `[{"b64":5}]`, `data[0]: expected a string of base64, found a number (input "x" string[N]) (at byte 8)`},
		{in(String, -1), `[{"b64":"","a":1}]`, `data[0]: expected '}' after the base64, found ',' (at byte 10)`},
		{in(String, -1), `["a",{"c64":""}]`, `data[1]: expected a string, found an object (input "x" string[N]) (at byte 5)`},
		{in(String, -1), `[{"b64" ""}]`, `data[0]: expected ':' after a member name (at byte 8)`},
		{in(String, -1), `[{"b64":"`, `data[0]: the text ends inside a string (at byte 9)`},
		{in(Uint8, 2), `{"b64":"AQID"}`, `data: 3 bytes, expected 2 (input "x" uint8[2]) (at byte 0)`},
		{in(Uint8, 4), `{"b64":"AQID"}`, `data: 3 values, expected 4 (input "x" uint8[4]) (at byte 13)`},
		{in(Uint8, -1, -1), `{"b64":"AQID"}`, `data: an array of rank 2 is expected, found rank 1 (input "x" uint8[N,M]) (at byte 0)`},
		{in(Uint8, -1), `[1,{"b64":"AQID"}]`, `data[1]: expected a number, found an object (input "x" uint8[N]) (at byte 3)`},
		{in(Uint8), `{"b64":"AQ=="}`, `data: a single value is expected, found an array (input "x" uint8[]) (at byte 0)`},
		{in(Uint8, -1, -1), `[{"b64":"AQID"},{"b64":"AQI="}]`, `data[1]: 2 values, expected 3 as in its siblings (input "x" uint8[N,M]) (at byte 29)`},
		{in(Int8, -1), `{"b64":"AQID"}`, `data: unknown input "b64" (inputs: "x" int8[N]) (at byte 7)`},
	} {
		v, err := decode(t, []Spec{c.in}, DecodeOptions{}, c.text)
		var got string
		if err != nil {
			got = err.Error()
		} else {
			got = show(v[0])
		}
		if got != c.want {
			t.Errorf("%s for %v:\n got %s\nwant %s", c.text, c.in.Type, got, c.want)
		}
	}
}

func TestBase64Limits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("AAAA", 100)
	for _, c := range []struct {
		in   Spec
		o    DecodeOptions
		text string
		want string
	}{
		{in(Uint8, -1), DecodeOptions{MaxElements: 299}, `{"b64":"` + long + `"}`, "more than 299 elements"},
		{in(Uint8, -1), DecodeOptions{MaxElements: 300}, `{"b64":"` + long + `"}`, ""},
		{in(Uint8, 1<<40), DecodeOptions{}, `{"b64":"` + long + `"}`, "300 values, expected"},
		{in(String, -1), DecodeOptions{MaxStringBytes: 299}, `[{"b64":"` + long + `"}]`, "more than 299 bytes of strings"},
	} {
		_, err := decode(t, []Spec{c.in}, c.o, c.text)
		if err == nil != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.in.Type, err, c.want)
		}
	}
	v, err := decode(t, []Spec{in(String)}, DecodeOptions{}, `{"b64":"/w=="}`)
	if err != nil || v[0].Strings[0] != "\xff" {
		t.Error(v, err)
	}
}
