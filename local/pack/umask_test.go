//go:build unix

package pack_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/scorefn/scorefn/local/pack"
)

// What is written here is read by other users elsewhere: the user of a container, Google's builder.
//
//nolint:paralleltest // the umask is the whole process's: no other test may run meanwhile
func TestFoldersCanBeReadByEverybody(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	files := pack.Files{{Name: "mark", Text: "mark\n"}, {Name: "model/1/a.onnx", Text: "1"}, {Name: "lib/x.so", Text: "2", Exec: true}}
	to := filepath.Join(t.TempDir(), "dist", "folder")
	if err := files.Folder(to, "mark", func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(to, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(name)
		if err == nil && (info.Mode()&0o044 != 0o044 || info.IsDir() && info.Mode().Perm() != 0o755) {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
