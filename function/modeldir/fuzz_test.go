package modeldir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func FuzzFind(f *testing.F) {
	base := write(f, several+"\nsecret.onnx\nsecret/1/model.onnx")
	seeds := 0
	for _, s := range [][2]string{
		{"", ""},
		{"digits", ""},
		{"digits", "10"},
		{"", "9"},
		{"iris", ""},
		{"two", "1"},
		{"my 模型", ""},
		{"../secret", "1"},
		{"..", "1"},
		{"digits/..", ""},
		{"/etc/passwd", ""},
		{`C:\x`, ""},
		{"digits\x00", ""},
		{"digits", "../../secret/1"},
	} {
		f.Add(s[0], s[1])
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	root := filepath.Join(base, "DIR")
	r, err := open(Config{ModelDir: root, Name: "digits"}, nil)
	must(f, err)
	f.Fuzz(func(t *testing.T, name, version string) {
		m, err := r.Find(name, version)
		if err != nil {
			if (m != Model{}) || !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrAmbiguous) {
				t.Fatalf("got %+v, %v", m, err)
			}
			return
		}
		if !within(root, m.File) || name != "" && m.Name != name || version != "" && m.Version != version {
			t.Fatalf("Find(%q, %q) = %+v", name, version, m)
		}
		if info, err := os.Stat(m.File); err != nil || !info.Mode().IsRegular() {
			t.Fatalf("%s: %v", m.File, err)
		}
	})
}
