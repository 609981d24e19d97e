package tensor

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// asJSON is s as encoding/json writes it, which escapes more than JSON demands.
func asJSON(tb testing.TB, s string) string {
	tb.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		tb.Fatal(err)
	}
	return strings.NewReplacer(`\b`, `\u0008`, `\f`, `\u000c`, `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSuffix(b.String(), "\n"))
}

// Eight bytes are looked at together: every byte has to be seen in every place, whatever is beside it.
func TestAppendStringSeesEveryByte(t *testing.T) {
	t.Parallel()
	for size := range 20 {
		for at := range size {
			for c := range 0x80 {
				for _, fill := range []string{"x", " ", "!", "\x7f", "#", "[", "]"} {
					s := []byte(strings.Repeat(fill, size))
					s[at] = byte(c)
					got, err := AppendString([]byte("x"), string(s))
					if want := "x" + asJSON(t, string(s)); err != nil || string(got) != want {
						t.Fatalf("%q: got %s %v, want %s", s, got, err, want)
					}
				}
			}
		}
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "plain", "Grüße, 世界, 𝄞\u2028", "äöüäöüäöü\"äöü\\", strings.Repeat("\x00\x1f\"\\\n\r\t", 9), "ü\n12345678", "<a href=\"&\">",
		strings.Repeat("x", 31) + "é\"" + strings.Repeat("y", 17) + "\\",
	} {
		got, err := AppendString(nil, s)
		if want := asJSON(t, s); err != nil || string(got) != want {
			t.Errorf("%q: got %s %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"\xff", "12345678\xc3", "1234567\xed\xa0\x80", strings.Repeat("x", 40) + "\"\xc0\x80"} {
		if got, err := AppendString([]byte("x"), s); err == nil || string(got) != "x" {
			t.Errorf("%q: got %q %v", s, got, err)
		}
	}
}

// An answer that fits into its memory allocates nothing, however its elements are written.
func TestEncodeLeavesRoomAlone(t *testing.T) {
	v := Of(make([]float32, 784))
	dst := make([]byte, 0, 784*len("0.0,")+200)
	r := &V2Response{ModelName: "m"}
	for name, encode := range map[string]func() error{
		"data": func() error { _, err := v.AppendJSON(dst, EncodeOptions{}); return err },
		"v2": func() error {
			_, _, _, err := AppendV2(dst, r, []string{"y"}, []Value{v}, nil, EncodeOptions{})
			return err
		},
	} {
		if n := testing.AllocsPerRun(10, func() {
			if err := encode(); err != nil {
				t.Error(err)
			}
		}); n > 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
