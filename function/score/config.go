package score

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// ConfigFile is the name of the file beside a model that says what it answers.
const ConfigFile = "score.json"

// config is ConfigFile resolved against the model: which outputs are answered, by index, and under which names.
type config struct {
	outputs []int
	names   []string
}

// file is ConfigFile as it is written.
type file struct {
	Outputs []string `json:"outputs"` // the outputs to answer, in this order; all of them when it is missing
}

// prepare reads what lies beside the model and the limits of a request.
func prepare(ctx context.Context, m modeldir.Model, inputs, outputs []tensor.Spec) (config, *tensor.Decoder, error) {
	set, err := settings.From(ctx)
	if err != nil {
		return config{}, nil, err
	}
	c, err := readConfig(filepath.Join(m.Dir, ConfigFile), outputs)
	if err != nil {
		return config{}, nil, err
	}
	return c, tensor.NewDecoder(inputs, tensor.DecodeOptions{MaxElements: set.MaxElements, LenientBool: set.LenientBool}), nil
}

// readConfig reads a ConfigFile; without one every output is answered.
func readConfig(path string, outputs []tensor.Spec) (config, error) {
	var f file
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return config{}, fmt.Errorf("score: %w", err)
	default:
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields() // a misspelt key must not be ignored
		if err := d.Decode(&f); err != nil {
			return config{}, fmt.Errorf("score: %s: %w", path, err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return config{}, fmt.Errorf("score: %s: text after the object", path)
		}
	}
	if f.Outputs == nil {
		for _, o := range outputs {
			f.Outputs = append(f.Outputs, o.Name)
		}
	}
	c := config{names: f.Outputs}
	for i, name := range f.Outputs {
		k := slices.IndexFunc(outputs, func(o tensor.Spec) bool { return o.Name == name })
		switch {
		case k < 0:
			return config{}, fmt.Errorf("score: %s: outputs: the model has no output %q (it has %s)", path, name, list(outputs))
		case slices.Contains(f.Outputs[:i], name):
			return config{}, fmt.Errorf("score: %s: outputs: %q is listed twice", path, name)
		}
		c.outputs = append(c.outputs, k)
	}
	if len(c.outputs) == 0 {
		return config{}, fmt.Errorf("score: %s: outputs: the list is empty (the model has %s)", path, list(outputs))
	}
	return c, nil
}

func list(specs []tensor.Spec) string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = fmt.Sprintf("%q %v", s.Name, s.Type)
	}
	return strings.Join(names, ", ")
}
