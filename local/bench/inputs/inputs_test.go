package inputs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/tensor"
)

func specs(names ...string) (all []tensor.Spec) {
	for _, n := range names {
		all = append(all, tensor.Spec{Name: n})
	}
	return all
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	in := []tensor.Value{tensor.Of([]float32{1, -2.5, 3}, 1, 3), tensor.None(), tensor.Of([]int64{10, 9 /* bytes as line ends */}), tensor.Scalar(uint8('\n'))}
	file, err := Append(nil, specs("image", "with default", "two words", "s"), in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "inputs")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := Read(path, specs("s", "image", "with default", "two words"))
	if err != nil {
		t.Fatal(err)
	}
	for i, from := range []int{3, 0, 1, 2} {
		got, want := out[i], in[from]
		if got.Kind != want.Kind || got.DType != want.DType || len(got.Shape) != len(want.Shape) || string(got.Data) != string(want.Data) ||
			len(want.Shape) > 0 && !reflect.DeepEqual(got.Shape, want.Shape) {
			t.Errorf("value %d: got %+v, want %+v", i, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]tensor.Value{"text": tensor.OfStrings([]string{"a"}), "tab\t": tensor.Of([]float32{1}), "": tensor.Of([]float32{1})} {
		if _, err := Append(nil, specs(name), []tensor.Value{v}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
	for file, want := range map[string]string{
		"x\t1\t4\t1\t1\nab":                  "EOF",
		"x\t1\t4":                            "EOF",
		"x\t1\t4\n":                          "lacks fields",
		"x\t1\tmany\t1\t1\n":                 "invalid syntax",
		"x\t1\t5\t1\t1\n":                    "contradicts itself",
		"x\t1\t4\t2\t1\n":                    "contradicts itself",
		"x\t99\t4\t1\t1\n":                   "contradicts itself",
		"x\t1\t4\t1\t-1\n":                   "contradicts itself",
		"x\t1\t-1\t1\t4611686018427387904\n": "contradicts itself",
	} {
		path := filepath.Join(t.TempDir(), "inputs")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, specs("x")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", file, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("no error for a missing file")
	}
}
