package function

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestResultNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2000)
	for _, tt := range []struct {
		name string
		s    source
		want string
	}{
		{"id", source{id: "2e1424d4-f796-459a-8184-9c92662be6da"}, "2e1424d4-f796-459a-8184-9c92662be6da"},
		{"odd id", source{id: "../a b/ü.json"}, "~2E.~2Fa~20b~2F~C3~BC.json"},
		{"shard and number", source{id: "shardId-000:495"}, "shardId-000~3A495"},
		{"no id", source{body: []byte("1")}, "~~6b86b273ff34fce19d6b804eff5a3f57"},
		{"object", source{id: "k", url: "s3://bucket.of.mine/year=2026/a b.jpg"}, "bucket.of.mine/year=2026/a~20b.jpg"},
		{"version", source{url: "gs://b/k", version: "1712345678901234"}, "b/k@1712345678901234"},
		{"quoted version", source{url: "s3://b/k", version: `"d41d8cd9-2"`}, "b/k@d41d8cd9-2"},
		{"empty parts", source{url: "s3://b//k/"}, "b/~/k/~"},
		{"dots", source{url: "s3://b/../.hidden/..."}, "b/~2E./~2Ehidden/~2E.."},
		{"escapes of the web", source{url: "https://h.net/c/a%20b"}, "h.net/c/a~20b"},
		{"query", source{url: "https://h/k?sig=1", version: "1"}, "h/k@@11ed63e506bd@1"},
	} {
		if got := tt.s.name(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	for _, s := range []source{
		{id: long},
		{url: "s3://b/" + long, version: long},
		{url: "https://b/" + strings.Repeat("ü/", 500) + "?" + long, version: long},
	} {
		name := s.name() + ".jsonl"
		if len(name) > 800 || len(path.Base(name)) > 255 {
			t.Errorf("%d bytes, %d in the last part: %s", len(name), len(path.Base(name)), name)
		}
	}
}

// A name never leaves the sink, and two sources never have one.
func FuzzResultName(f *testing.F) {
	seeds := []string{
		"", "a", ".", "..", "../..", "a/b", "a//b", "/a", "a/", "~", "~7E", "a~20b", "a b", "A", "a@1", "a@@1", "ü", "\x00", "a\\b", "%2e%2e", "b/k",
		strings.Repeat("x", 400), strings.Repeat("x", 401), strings.Repeat("x/", 400), strings.Repeat("x/", 401), "a.json", "a?b",
	}
	for i, a := range seeds {
		f.Add(a, seeds[(i+1)%len(seeds)], "", "1", true, true)
		f.Add(a, "a", a, "1", true, false)
		f.Add("b/"+a, a, "1", "1", false, true)
	}
	f.Fuzz(func(t *testing.T, a, b, va, vb string, isURL, isURL2 bool) {
		make := func(text, version string, isURL bool) source {
			if isURL {
				if !strings.Contains(text, "/") {
					text = "b/" + text
				}
				return source{url: "s3://" + text, version: strings.Trim(version, `"`)}
			}
			return source{id: text, body: []byte(text)}
		}
		s1, s2 := make(a, va, isURL), make(b, vb, isURL2)
		n1, n2 := s1.name(), s2.name()
		if (s1.id == s2.id && s1.url == s2.url && s1.version == s2.version) != (n1 == n2) {
			t.Errorf("%+v and %+v: names %s, %s", s1, s2, n1, n2)
		}
		for _, n := range []string{n1, n2} {
			if n == "" || path.Clean(n) != n || !filepath.IsLocal(n) || len(n) > 900 || strings.Trim(n, nameBytes) != "" {
				t.Errorf("not a name to put below a prefix: %q", n)
			}
			for p := range strings.SplitSeq(n, "/") {
				if p[0] == '.' || len(p) > 250 {
					t.Errorf("not a name of a file: %q", p)
				}
			}
		}
	})
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.~@/"
