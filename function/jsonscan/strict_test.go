package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/scorefn/scorefn/function/jsonscan"
)

func TestStrictTakesAwayWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", `{"a":[1,2]}`, `{"a":[1,2]}`},
		{"byte order mark", "\ufeff{}", "   {}"},
		{"comments", "{// one\n\"a\":1/* , \"b\":2 */}", "{      \n\"a\":1             }"},
		{"comment in a string", `{"a":"http://x/*,]"}`, `{"a":"http://x/*,]"}`},
		{"quote in a string", `{"a":"\"//",}`, `{"a":"\"//" }`},
		{"backslash at the end of a string", `["\\",]`, `["\\" ]`},
		{"comma behind the last", "{\"a\":[1,\n2, ] , }", "{\"a\":[1,\n2  ]   }"},
		{"comma behind the last, then a comment", "[1,//x\n]", "[1    \n]"},
		{"comma behind a string", `["a",]`, `["a" ]`},
		{"comma alone", `[,]`, `[,]`},
		{"two commas", `[1,,]`, `[1,,]`},
		{"comma for a value", `{"a":,}`, `{"a":,}`},
		{"comment without an end", `{}/* x`, `{}    `},
		{"line without an end", `{}//`, `{}  `},
		{"string without an end", `{"a\`, `{"a\`},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := []byte(tt.text)
			if got := jsonscan.Strict(text); string(got) != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if string(text) != tt.text {
				t.Error("its argument was changed")
			}
		})
	}
}

// What is JSON already stays as it is, and nothing moves.
func FuzzStrict(f *testing.F) {
	for _, s := range []string{`{"a":"//",}`, "\ufeff[1,/**/]", `"\`, `//`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := jsonscan.Strict(text)
		if len(got) != len(text) {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
		if json.Valid(text) && !bytes.Equal(got, text) {
			t.Fatalf("JSON was changed: %q", got)
		}
		if again := jsonscan.Strict(got); json.Valid(got) && !bytes.Equal(again, got) {
			t.Fatalf("changed again: %q", again)
		}
	})
}
