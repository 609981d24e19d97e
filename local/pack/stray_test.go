package pack_test

import (
	"path/filepath"
	"testing"

	"github.com/scorefn/scorefn/local/pack"
)

func TestStray(t *testing.T) {
	t.Parallel()
	files := pack.Files{{Name: "run"}, {Name: "model/1/model.onnx"}}
	own := map[string]string{"run": "", "model/1/model.onnx": "", ".git/config": "", "model/.hidden": "", "settings": ""}
	for _, tt := range []struct{ more, want string }{
		{"", ""}, {"model/2/model.onnx", "model/2/model.onnx"}, {"model/settings", "model/settings"}, {"other", "other"},
	} {
		dir := t.TempDir()
		write(t, dir, own)
		if tt.more != "" {
			write(t, dir, map[string]string{tt.more: ""})
			tt.want = filepath.Join(dir, filepath.FromSlash(tt.want))
		}
		if got, err := files.Stray(dir, "settings"); err != nil || got != tt.want {
			t.Errorf("with %q: %q, %v, want %q", tt.more, got, err, tt.want)
		}
	}
	if got, err := files.Stray(filepath.Join(t.TempDir(), "none")); err != nil || got != "" {
		t.Errorf("a folder that is not there: %q, %v", got, err)
	}
}
