package event

import (
	"net/url"
	"testing"
)

// Whatever the name of an object, its header is printable ASCII without blanks, and reads back as the name.
func FuzzHeaderText(f *testing.F) {
	for _, seed := range []string{"objects/a b", `"ü%41`, "\r\nCe-Id: 2", "\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		h := headerText(v)
		for i := range len(h) {
			if h[i] <= ' ' || h[i] >= 0x7f || h[i] == '"' {
				t.Fatalf("%q has byte %d: %q", v, i, h)
			}
		}
		if back, err := url.PathUnescape(h); err != nil || back != v {
			t.Fatalf("%q became %q, which reads as %q, %v", v, h, back, err)
		}
	})
}
