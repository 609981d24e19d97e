package modeldir_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/scorefn/scorefn/function/modeldir"
)

func Example() {
	dir, err := os.MkdirTemp("", "models-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, version := range []string{"9", "10"} {
		folder := filepath.Join(dir, "digits", version)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			fmt.Println(err)
			return
		}
		if err := os.WriteFile(filepath.Join(folder, "model.onnx"), []byte("a model"), 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}

	models, err := modeldir.Open(modeldir.Config{AzureMLModelDir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := models.Default()
	fmt.Println(m.Name, m.Version, filepath.Base(m.File), err)
	_, err = models.Find("digits", "11")
	fmt.Println(errors.Is(err, modeldir.ErrNotFound), err)
	// Output:
	// digits 10 model.onnx <nil>
	// true modeldir: model "digits" has no version "11": there is 10, 9
}
