package modeldir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestDefaultModelOfALayout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		layout  string
		dir     string // below base; "DIR" when empty
		c       Config // without the folder
		want    string // name|version|path
		is      error
		mention []string // in the error
	}{
		{name: "model.onnx in the folder", layout: "DIR/model.onnx", want: "DIR||DIR/model.onnx"},
		{name: "model.ort alone", layout: "DIR/model.ort", want: "DIR||DIR/model.ort"},
		{name: "model.onnx beats model.ort", layout: "DIR/model.ort\nDIR/model.onnx", want: "DIR||DIR/model.onnx"},
		{name: "an .onnx beats the .ort of its stem", layout: "DIR/a.ort\nDIR/a.onnx", want: "a||DIR/a.onnx"},
		{name: "model.onnx beats its neighbours and what is below", layout: "DIR/model.onnx\nDIR/model_fp16.onnx\nDIR/x/1/model.onnx", want: "DIR||DIR/model.onnx"},
		{name: "the only file, any name", layout: "DIR/churn.onnx\nDIR/labels.txt\nDIR/churn.onnx.data\nDIR/weights.bin", want: "churn||DIR/churn.onnx"},
		{name: "upper case extension", layout: "DIR/CHURN.ONNX", want: "CHURN||DIR/CHURN.ONNX"},
		{name: "upper case Model.onnx", layout: "DIR/Model.onnx\nDIR/other.onnx", want: "DIR||DIR/Model.onnx"},
		{name: "below model/", layout: "DIR/model/model.onnx\nDIR/MLmodel", want: "DIR||DIR/model/model.onnx"},
		{name: "below outputs/", layout: "DIR/outputs/net.onnx", want: "net||DIR/outputs/net.onnx"},
		{name: "a registered folder keeps its name", layout: "DIR/my_model_folder/model.onnx", want: "my_model_folder||DIR/my_model_folder/model.onnx"},
		{name: "three folders down", layout: "DIR/a/b/c/x.onnx", want: "x||DIR/a/b/c/x.onnx"},
		{name: "four folders down is too deep", layout: "DIR/a/b/c/d/x.onnx", is: ErrNotFound, mention: []string{"3 folders", "x.onnx", "MODEL_DIR=", "AZUREML_MODEL_DIR is not set"}},
		{name: "nothing", layout: "DIR/readme.txt", is: ErrNotFound, mention: []string{"no model in", "Model Directory Contents:", "readme.txt"}},
		{name: "weights are no models", layout: "DIR/m.data\nDIR/m.bin\nDIR/train/run.py", is: ErrNotFound},
		{name: "hidden is passed over", layout: "DIR/.git/a.onnx\nDIR/.b.onnx\nDIR/__MACOSX/c.onnx\nDIR/d.onnx", want: "d||DIR/d.onnx"},
		{name: "spaces and unicode", layout: "DIR/my modèle 模型.onnx", want: "my modèle 模型||DIR/my modèle 模型.onnx"},
		{name: "a folder called model.onnx", layout: "DIR/model.onnx/\nDIR/model.onnx/net.onnx", want: "net||DIR/model.onnx/net.onnx"},
		{name: "an empty folder called model.onnx", layout: "DIR/model.onnx/", is: ErrNotFound},
		{name: "several files", layout: "DIR/encoder.onnx\nDIR/decoder.onnx", is: ErrAmbiguous, mention: []string{"MODEL_NAME", `"decoder": decoder.onnx`, `"encoder": encoder.onnx`}},
		{name: "several files, one chosen", layout: "DIR/encoder.onnx\nDIR/decoder.onnx", c: Config{Name: "encoder"}, want: "encoder||DIR/encoder.onnx"},
		{name: "the same name twice", layout: "DIR/a/x.onnx\nDIR/b/x.onnx", is: ErrAmbiguous, mention: []string{"MODEL_FILE", "a/x.onnx", "b/x.onnx"}},

		{name: "versions are numbers", layout: "DIR/digits/9/model.onnx\nDIR/digits/10/model.onnx", want: "digits|10|DIR/digits/10/model.onnx"},
		{name: "a long version", layout: "DIR/d/99999999999999999999998/m.onnx\nDIR/d/99999999999999999999999/m.onnx", want: "d|99999999999999999999999|DIR/d/99999999999999999999999/m.onnx"},
		{name: "a pinned version", layout: "DIR/digits/9/model.onnx\nDIR/digits/10/model.onnx", c: Config{Version: "9"}, want: "digits|9|DIR/digits/9/model.onnx"},
		{name: "a pinned version that is missing", layout: "DIR/digits/9/model.onnx", c: Config{Version: "3"}, is: ErrNotFound, mention: []string{"MODEL_VERSION", "there is 9"}},
		{name: "a name that is missing", layout: "DIR/digits/9/model.onnx", c: Config{Name: "iris"}, is: ErrNotFound, mention: []string{`MODEL_NAME="iris"`, `"digits"`}},
		{name: "versions of the folder itself", layout: "DIR/1/model.onnx\nDIR/2/model.onnx", want: "DIR|2|DIR/2/model.onnx"},
		{name: "versions in a folder deeper down", layout: "DIR/models/digits/3/model.onnx", want: "digits|3|DIR/models/digits/3/model.onnx"},
		{name: "a tree below a version", layout: "DIR/digits/1/my_model/outputs/deep/net.onnx", want: "digits|1|DIR/digits/1/my_model/outputs/deep/net.onnx"},
		{name: "a version without a model is none", layout: "DIR/digits/1/model.onnx\nDIR/digits/2/readme.txt", want: "digits|1|DIR/digits/1/model.onnx"},
		{name: "two files in the highest version", layout: "DIR/d/1/model.onnx\nDIR/d/2/a.onnx\nDIR/d/2/b.onnx", is: ErrAmbiguous, mention: []string{"version 2", "d/2/a.onnx", "d/2/b.onnx"}},
		{name: "not whole numbers", layout: "DIR/d/v1/model.onnx\nDIR/d/1.0/notes.txt", want: "v1||DIR/d/v1/model.onnx"},
		{name: "in version folders and beside them", layout: "DIR/d.onnx\nDIR/d/1/model.onnx", is: ErrAmbiguous, mention: []string{"beside", "d.onnx", "d/1/model.onnx"}},
		{name: "several names", layout: "DIR/digits/1/model.onnx\nDIR/iris/2/model.onnx", is: ErrAmbiguous, mention: []string{`"digits" version 1: digits/1/model.onnx`, `"iris" version 2`}},
		{name: "several names, one chosen", layout: "DIR/digits/1/model.onnx\nDIR/iris/2/model.onnx", c: Config{Name: "iris"}, want: "iris|2|DIR/iris/2/model.onnx"},
		{name: "train/ beside versions", layout: "DIR/digits/1/model.onnx\nDIR/train/heldout.csv\nDIR/README.md", want: "digits|1|DIR/digits/1/model.onnx"},

		{name: "as Azure ML mounts one model", dir: "DIR/digits/4", layout: "DIR/digits/4/model.onnx", want: "digits|4|DIR/digits/4/model.onnx"},
		{name: "as Azure ML mounts a registered folder", dir: "DIR/digits/4", layout: "DIR/digits/4/my_folder/file.onnx", want: "digits|4|DIR/digits/4/my_folder/file.onnx"},
		{name: "a tree in a folder that is a number", dir: "DIR/digits/4", layout: "DIR/digits/4/iris/1/model.onnx", want: "iris|1|DIR/digits/4/iris/1/model.onnx"},

		{name: "the setting names a file", dir: "DIR/net.onnx", layout: "DIR/net.onnx\nDIR/other.onnx", want: "net||DIR/net.onnx"},
		{name: "the setting names a file in a version", dir: "DIR/digits/4/net.onnx", layout: "DIR/digits/4/net.onnx", want: "digits|4|DIR/digits/4/net.onnx"},
		{name: "MODEL_FILE inside", layout: "DIR/a.onnx\nDIR/sub/b.onnx", c: Config{File: "sub/b.onnx"}, want: "b||DIR/sub/b.onnx"},
		{name: "MODEL_FILE in a version", layout: "DIR/d/1/s/a.onnx\nDIR/d/1/s/b.onnx", c: Config{File: "d/1/s/b.onnx"}, want: "d|1|DIR/d/1/s/b.onnx"},
		{name: "MODEL_FILE that is named by settings", layout: "DIR/a.onnx\nDIR/b.onnx", c: Config{File: "b.onnx", Name: "fraud", Version: "7"}, want: "fraud|7|DIR/b.onnx"},
		{name: "MODEL_FILE beside the file that MODEL_DIR names", dir: "DIR/a.onnx", layout: "DIR/a.onnx\nDIR/b.onnx", c: Config{File: "b.onnx"}, want: "b||DIR/b.onnx"},
		{name: "MODEL_FILE missing", layout: "DIR/a.onnx", c: Config{File: "b.onnx"}, is: fs.ErrNotExist, mention: []string{"MODEL_FILE", "no such file", "a.onnx"}},
		{name: "MODEL_FILE is a folder", layout: "DIR/a/", c: Config{File: "a"}, mention: []string{"is a folder"}},
		{name: "MODEL_FILE leaves", layout: "DIR/a.onnx\noutside.onnx", c: Config{File: "../outside.onnx"}, is: ErrNotFound, mention: []string{"leaves the model folder"}},
		{name: "MODEL_NAME is a path", layout: "DIR/a.onnx", c: Config{Name: "../a"}, mention: []string{"MODEL_NAME"}},
		{name: "a folder that does not exist", dir: "DIR/nope", is: fs.ErrNotExist, mention: []string{"MODEL_DIR=", "no such folder"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := write(t, tt.layout)
			c := tt.c
			c.ModelDir = filepath.Join(base, "DIR")
			if tt.dir != "" {
				c.ModelDir = filepath.Join(base, filepath.FromSlash(tt.dir))
			}
			check(t, base, c, tt.want, tt.is, tt.mention)
		})
	}
}

// check opens and compares the default model, or the error.
func check(t *testing.T, base string, c Config, want string, is error, mention []string) {
	t.Helper()
	var m Model
	r, err := open(c, nil)
	if err == nil {
		m, err = r.Default()
	}
	if want != "" {
		if err != nil {
			t.Fatal(err)
		}
		if got := show(base, m); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if m.Dir != filepath.Dir(m.File) || !filepath.IsAbs(m.File) || m.Bundled {
			t.Errorf("got %+v", m)
		}
		return
	}
	if err == nil {
		t.Fatalf("got %s, want an error", show(base, m))
	}
	if is != nil && !errors.Is(err, is) {
		t.Errorf("error %q is not %v", err, is)
	}
	for _, text := range mention {
		if !strings.Contains(filepath.ToSlash(err.Error()), text) {
			t.Errorf("error without %q: %v", text, err)
		}
	}
}

func TestSymbolicLinks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, layout, dir, want string
		c                       Config
		is                      error
		mention                 []string
	}{
		{name: "a mount of Kubernetes", layout: "DIR/..1/model.onnx\nDIR/..data -> ..1\nDIR/model.onnx -> ..data/model.onnx", want: "DIR||DIR/model.onnx"},
		{name: "the folder is a link", dir: "link", layout: "DIR/model.onnx\nlink -> DIR", want: "link||link/model.onnx"},
		{name: "an absolute link inside", layout: "DIR/.store/x\nDIR/net.onnx -> BASE/DIR/.store/x", want: "net||DIR/net.onnx"},
		{name: "a link to a version is no second model", layout: "DIR/d/1/model.onnx\nDIR/d/2/model.onnx\nDIR/d/latest -> 2", want: "d|2|DIR/d/2/model.onnx"},
		{name: "a version that is a link", layout: "DIR/.store/a/model.onnx\nDIR/d/1 -> ../.store/a", want: "d|1|DIR/d/1/model.onnx"},
		{name: "a link beside its file", layout: "DIR/net.onnx\nDIR/cur.onnx -> net.onnx", want: "net||DIR/net.onnx"},
		{name: "loops", layout: "DIR/a/net.onnx\nDIR/a/up -> ..\nDIR/a/self -> .\nDIR/me -> me", want: "net||DIR/a/net.onnx"},
		{name: "a file outside", layout: "out.onnx\nDIR/net.onnx -> ../out.onnx", mention: []string{"leaves the model folder", "net.onnx"}},
		{name: "model.onnx outside is not passed over", layout: "out.onnx\nDIR/model.onnx -> ../out.onnx\nDIR/net.onnx", mention: []string{"leaves the model folder"}},
		{name: "a folder outside", layout: "out/net.onnx\nDIR/sub -> ../out", is: ErrNotFound, mention: []string{"passed over", "leaves the model folder"}},
		{name: "the highest version outside is not passed over", layout: "out/model.onnx\nDIR/d/1/model.onnx\nDIR/d/2 -> ../../out", mention: []string{"version 2", "leaves the model folder"}},
		{name: "MODEL_FILE outside", layout: "out.onnx\nDIR/net.onnx -> ../out.onnx", c: Config{File: "net.onnx"}, mention: []string{"leaves the model folder"}},
		{name: "a sibling with the same prefix", layout: "DIR2/out.onnx\nDIR/net.onnx -> ../DIR2/out.onnx", mention: []string{"leaves the model folder"}},
		{name: "to nothing", layout: "DIR/net.onnx -> gone", mention: []string{"does not exist"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := write(t, tt.layout)
			dir := tt.dir
			if dir == "" {
				dir = "DIR"
			}
			tt.c.ModelDir = filepath.Join(base, dir)
			check(t, base, tt.c, tt.want, tt.is, tt.mention)
		})
	}
}

const several = "DIR/digits/9/model.onnx\nDIR/digits/10/model.onnx\nDIR/digits/01/m.onnx\nDIR/iris.onnx\nDIR/two/1/a.onnx\nDIR/two/1/b.onnx\nDIR/my 模型/1/model.onnx"

func TestFindKnowsOnlyWhatOpenFound(t *testing.T) {
	t.Parallel()
	base := write(t, several+"\nsecret.onnx")
	r, err := open(Config{AzureMLModelDir: filepath.Join(base, "DIR"), ModelDir: "ignored", Name: "digits", Version: "9"}, nil)
	must(t, err)
	want := "digits|10|DIR/digits/10/model.onnx digits|9|DIR/digits/9/model.onnx digits|01|DIR/digits/01/m.onnx iris||DIR/iris.onnx my 模型|1|DIR/my 模型/1/model.onnx"
	if got := showAll(base, r.Models()); got != want {
		t.Errorf("models\n got %s\nwant %s", got, want)
	}
	if got := filepath.Base(r.Root()); got != "DIR" {
		t.Errorf("root: got %s", got)
	}
	for _, tt := range []struct {
		name, version, want string
		is                  error
	}{
		{"", "", "digits|9|DIR/digits/9/model.onnx", nil}, // pinned
		{"", "10", "digits|10|DIR/digits/10/model.onnx", nil},
		{"digits", "", "digits|9|DIR/digits/9/model.onnx", nil},
		{"digits", "10", "digits|10|DIR/digits/10/model.onnx", nil},
		{"digits", "1", "", ErrNotFound},
		{"digits", "11", "", ErrNotFound},
		{"iris", "", "iris||DIR/iris.onnx", nil}, // the pin belongs to MODEL_NAME
		{"iris", "1", "", ErrNotFound},
		{"my 模型", "1", "my 模型|1|DIR/my 模型/1/model.onnx", nil},
		{"two", "", "", ErrAmbiguous},
		{"two", "1", "", ErrAmbiguous},
		{"../secret", "", "", ErrNotFound},
		{"..", "", "", ErrNotFound},
		{".", "", "", ErrNotFound},
		{"digits/10", "", "", ErrNotFound},
		{`digits\10`, "", "", ErrNotFound},
		{"digits", "../10", "", ErrNotFound},
		{filepath.Join(base, "DIR", "digits"), "", "", ErrNotFound},
		{"digits\x00", "", "", ErrNotFound},
		{"digits\xff", "", "", ErrNotFound},
		{"Digits ", "", "", ErrNotFound},
		{strings.Repeat("d", 1_000_000), "", "", ErrNotFound},
		{"digits", strings.Repeat("1", 1_000_000), "", ErrNotFound},
	} {
		m, err := r.Find(tt.name, tt.version)
		label := tt.name[:min(len(tt.name), 20)] + "|" + tt.version[:min(len(tt.version), 20)]
		if !errors.Is(err, tt.is) || (err == nil) != (tt.is == nil) {
			t.Errorf("%q: error %v, want %v", label, err, tt.is)
			continue
		}
		if err == nil && show(base, m) != tt.want {
			t.Errorf("%q: got %s, want %s", label, show(base, m), tt.want)
		}
		if err != nil && (m != Model{} || len(err.Error()) > 2000) {
			t.Errorf("%q: got %+v and an error of %d bytes", label, m, len(err.Error()))
		}
		if errors.Is(err, ErrNotFound) && strings.Contains(err.Error(), base) && !strings.Contains(tt.name, base) {
			t.Errorf("%q: a client is shown a path: %v", label, err)
		}
	}
}

func TestVersionAloneIsPinnedForEveryName(t *testing.T) {
	t.Parallel()
	base := write(t, "DIR/a/1/model.onnx\nDIR/a/2/model.onnx\nDIR/b/1/model.onnx\nDIR/b/2/model.onnx")
	r, err := open(Config{ModelDir: filepath.Join(base, "DIR"), Version: "1"}, nil)
	must(t, err)
	for _, name := range []string{"a", "b"} {
		if m, err := r.Find(name, ""); err != nil || m.Version != "1" {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if _, err := r.Default(); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("default: got %v, want %v", err, ErrAmbiguous)
	}
}

func TestRepoIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	base := write(t, several)
	r, err := open(Config{ModelDir: filepath.Join(base, "DIR")}, nil)
	must(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := r.Find("digits", ""); err != nil {
					t.Error(err)
				}
				_, _ = r.Default()
				_ = append(r.Models(), Model{})
			}
		})
	}
	wg.Wait()
}

func TestTooManyEntriesIsAnError(t *testing.T) {
	t.Parallel()
	base := write(t, "DIR/model.onnx")
	s := &scanner{root: base, realRoot: base, left: 2}
	if _, err := s.folder(base, base, 0, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.folder(filepath.Join(base, "DIR"), base, 0, false); err == nil || !strings.Contains(err.Error(), "more than 10000") {
		t.Errorf("got %v", err)
	}
}

func TestUnreadableFolderIsNamed(t *testing.T) {
	t.Parallel()
	base := write(t, "DIR/model.txt\nDIR/locked/model.onnx")
	locked := filepath.Join(base, "DIR", "locked")
	must(t, os.Chmod(locked, 0))
	t.Cleanup(func() { _ = os.Chmod(locked, 0o755) })
	if _, err := os.ReadDir(locked); err == nil {
		t.Skip("this user may read everything")
	}
	_, err := open(Config{ModelDir: filepath.Join(base, "DIR")}, nil)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), locked) || !strings.Contains(err.Error(), "MODEL_DIR=") {
		t.Errorf("got %v", err)
	}
	if text := Tree(filepath.Join(base, "DIR"), 200); !strings.Contains(text, "cannot be read") {
		t.Errorf("got %s", text)
	}
}
