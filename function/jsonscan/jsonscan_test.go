package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

var texts = []string{
	`0`, `-1.5e+3`, `"x"`, `true`, `false`, `null`, `[]`, `{}`, ` [1, {"a":"\"]"}] `, `{"a":1,"b":[1,2],"c":{"d":"}"}}`, `{"a":{}}`,
	`{"data":[[1,2],[3,4]]}`, `{"data":[[1,2],[3,4]],"method":"predict"}`, `{ "a" : [ "x" , "y\\" , [ ] ] , "b" : "\"" }`, `{"\u0061":1}`,
	`{"a":[[1,[[2]],"a"],3],"b":[]}`, `{"a":[1],[2],"b":3}`, `{"a":1,}`, `{"a":[1],}`, `{"a":[1]`, `{"a":[1]]}`, `{"a":[1}}`, `{"a":[1]}x`, `{"a"}`,
	`{"a":}`, `{"a":1 2}`, `{a:1}`, `{"a":"`, `{"a":["`, `{"a":[1,{]},"b":2}`, `{"a":{"b":1}]}`, `{"a":tru}`, `[1,]`, `[,1]`, `01`, `1.`, `.5`, `+1`,
	`1e`, `-`, `nul`, `"a\u00e9\ud83d\ude00\n"`, `"\ud800"`, `"\ud800\ud83d\ude00"`, "\"\x01\"", "\"\xff\"", "\"\u2028é\x7f\"", `"a`, `"\x"`, `"\u12"`,
	`"` + strings.Repeat("x", 70) + `\"` + strings.Repeat("y", 70) + `\\"`, ``, ` `, `{`, `{"a":"b"`, `{"a" 1}`, `[[[[]]]]`, "\ufeff{}",
	`{"a":{"b":{"c":[{"d":"e"},{"f":[]}]}},"g":{}}`, `{"k":[1,2`, `{"a":"\\"}`, `{"a":"\"}`, `{"a":[{"b":"]"}],"c":[]}`, `{"":0}`,
}

func TestSkipAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, s := range texts {
		checkSkip(t, []byte(s))
	}
}

func checkSkip(t *testing.T, b []byte) {
	t.Helper()
	end, err := Skip(b, 0, MaxDepth)
	got := err == nil && Space(b, end) == len(b)
	want := json.Valid(b) && utf8.Valid(b)
	if got != want && (!want || depth(b) <= MaxDepth) {
		t.Errorf("Skip(%q) = %d, %v; encoding/json says %v", b, end, err, want)
	}
	checkOffset(t, b, err)
}

func checkOffset(t *testing.T, b []byte, err error) {
	t.Helper()
	if e := (*Error)(nil); errors.As(err, &e) && (e.Offset < 0 || e.Offset > len(b)) {
		t.Errorf("%q: offset %d outside the text", b, e.Offset)
	}
}

func depth(b []byte) int { return bytes.Count(b, []byte{'['}) + bytes.Count(b, []byte{'{'}) }

func TestSkipBoundsDepthQuickly(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"[", `{"a":`} {
		b := bytes.Repeat([]byte(c), 5_000_000)
		if _, err := Skip(b, 0, MaxDepth); err == nil || !strings.Contains(err.Error(), "nested too deep") {
			t.Errorf("%s nested: %v", c, err)
		}
	}
	if end, err := Skip([]byte("[[1]]"), 0, 2); err != nil || end != 5 {
		t.Error(end, err)
	}
	if _, err := Skip([]byte("[[1]]"), 0, 1); err == nil {
		t.Error("depth 2 passed a limit of 1")
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	object := func(b []byte) error { return Object(b, func([]byte, int, int) error { return nil }) }
	skip := func(b []byte) error { _, err := Skip(b, 0, MaxDepth); return err }
	for _, c := range []struct {
		of         func([]byte) error
		text, want string
	}{
		{object, ``, "expected an object, the text is empty at byte 0"},
		{object, `[1]`, "expected an object at byte 0"},
		{object, `{`, "the text ends inside an object at byte 1"},
		{object, `{a:1}`, "expected a member name in double quotes at byte 1"},
		{object, `{"a" 1}`, "expected ':' after a member name at byte 5"},
		{object, `{"a":}`, "expected a value at byte 5"},
		{object, `{"a":1`, "the text ends inside an object at byte 6"},
		{object, `{"a":[1]`, "the text ends inside an object at byte 8"},
		{object, `{"a":[1],}`, "expected a member name in double quotes at byte 9"},
		{object, `{"a":1,}`, "expected a member name in double quotes at byte 7"},
		{object, `{"a":[1]} x`, "unexpected text after the object at byte 10"},
		{object, `{"a":1}]`, "unexpected text after the object at byte 7"},
		{object, `{"a":[1] "b":2}`, "expected ',' or '}' at byte 9"},
		{object, `{"a":"x" 3}`, "expected ',' or '}' at byte 9"},
		{object, `{"a":"x`, "the text ends inside a string at byte 7"},
		{object, `{"a`, "the text ends inside a string at byte 3"},
		{skip, `01`, "a number has a leading zero at byte 0"},
		{skip, `[-]`, "a digit is expected after '-' at byte 1"},
		{skip, `[1.]`, "a digit is expected after the point at byte 1"},
		{skip, `[1e+]`, "a digit is expected in the exponent at byte 1"},
		{skip, `[nul]`, "expected a value at byte 1"},
		{skip, `[1 2]`, "expected ',' or ']' at byte 3"},
		{skip, `{"a":1 2}`, "expected ',' or '}' at byte 7"},
		{skip, `["\x"]`, "an unknown escape in a string at byte 2"},
		{skip, "[\"\n\"]", "a control character in a string at byte 2"},
		{skip, "[\"\xff\"]", "a string is not valid UTF-8 at byte 2"},
		{skip, `["\u12"]`, `four hexadecimal digits are expected after \u at byte 2`},
		{skip, `[1`, "the text ends inside an array or object at byte 2"},
	} {
		if err := c.of([]byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.text, err, c.want)
		}
	}
}

func TestObjectAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, s := range texts {
		checkObject(t, []byte(s))
	}
	var long strings.Builder // runs longer than what is counted byte by byte
	for i := range 100 {
		fmt.Fprintf(&long, `,"k%d":[[%s],{"x":[%s]}]`, i, strings.Repeat("1,[2],", i)+"0", strings.Repeat("[[1],{}],", i)+"0")
	}
	checkObject(t, []byte("{"+long.String()[1:]+"}"))
}

// checkObject: the members are those that encoding/json finds; when every extent is one value, b is valid.
func checkObject(t *testing.T, b []byte) {
	t.Helper()
	got := map[string]string{}
	valid, members := true, 0
	err := Object(b, func(name []byte, start, end int) error {
		members++
		got[string(name)] = string(b[start:end])
		e, err := Skip(b[:end], start, MaxDepth)
		valid = valid && err == nil && e == end
		return nil
	})
	checkOffset(t, b, err)
	var want map[string]json.RawMessage
	jerr := json.Unmarshal(b, &want)
	if !utf8.Valid(b) || depth(b) > MaxDepth || want == nil && jerr == nil {
		return
	}
	if ok := err == nil && valid; ok != (jerr == nil) {
		t.Fatalf("%q: Object %v, values valid %v; encoding/json %v", b, err, valid, jerr)
	}
	if jerr != nil {
		return
	}
	if len(got) != len(want) {
		t.Fatalf("%q: %d members, want %d", b, len(got), len(want))
	}
	for k, v := range want {
		if got[k] != string(v) {
			t.Fatalf("%q: member %q is %q, want %q", b, k, got[k], v)
		}
	}
}

func TestObjectReturnsTheCallbacksError(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	n := 0
	if err := Object([]byte(`{"a":1,"b":2}`), func([]byte, int, int) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Error(err, n)
	}
}

func TestUnquoteAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, s := range texts {
		checkUnquote(t, []byte(s))
	}
}

func checkUnquote(t *testing.T, b []byte) {
	t.Helper()
	got, end, err := Unquote(b, 0, []byte("before"))
	checkOffset(t, b, err)
	var want string
	if err != nil {
		if utf8.Valid(b) && len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &want) == nil {
			t.Fatalf("%q refused: %v", b, err)
		}
		return
	}
	if jerr := json.Unmarshal(b[:end], &want); jerr != nil || string(got) != "before"+want {
		t.Fatalf("%q: %q, want %q (%v)", b[:end], got, want, jerr)
	}
	if e, escaped, err := String(b, 0); e != end || err != nil || escaped != bytes.Contains(b[:end], []byte{'\\'}) {
		t.Fatalf("%q: String gives %d %v %v", b, e, escaped, err)
	}
}

func seed(f *testing.F) {
	f.Helper()
	n := 0
	for _, s := range texts {
		f.Add([]byte(s))
		n++
	}
	if n == 0 {
		f.Fatal("no seeds")
	}
}

func FuzzSkip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) { checkSkip(t, b) })
}

func FuzzObject(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) { checkObject(t, b) })
}

func FuzzUnquote(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) { checkUnquote(t, b) })
}

// Escapes that are more than a window apart must not make the search for the closing quote start over.
func BenchmarkUnquoteSparseEscapes(b *testing.B) {
	s := append([]byte{'"'}, bytes.Repeat([]byte(strings.Repeat("a", 70)+`\n`), 4<<20/72)...)
	s = append(s, '"')
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	dst := make([]byte, 0, len(s))
	for b.Loop() {
		if _, _, err := Unquote(s, 0, dst); err != nil {
			b.Fatal(err)
		}
	}
}

// The extent of a 3 MB array, with nothing after it and with another member.
func BenchmarkObject(b *testing.B) {
	array := bytes.Repeat([]byte("[0.123456789012345, -1.23456789012345],"), 80_000)
	array[len(array)-1] = ']'
	for name, tail := range map[string]string{"last": "}", "more": `,"method":"predict"}`} {
		s := append(append([]byte(`{"data":[`), array...), tail...)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Object(s, func([]byte, int, int) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
