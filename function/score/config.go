package score

import (
	"bytes"
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

// ConfigFile is the name of the file beside a model that says what it takes and answers: the declarative half of a score.py.
const ConfigFile = "score.json"

// file is ConfigFile as it is written.
type file struct {
	Outputs  []outputFile               `json:"outputs"`  // what is answered, in this order; every output when it is missing
	Object   bool                       `json:"object"`   // one output, too, is answered as an object by name
	Time     string                     `json:"time"`     // name under which the seconds of the run are answered
	Labels   labels                     `json:"labels"`   // for every output that has none of its own and can be labelled
	Image    *imageFile                 `json:"image"`    // how a picture becomes an input
	Defaults map[string]json.RawMessage `json:"defaults"` // values of inputs that a request leaves out
	Sample   json.RawMessage            `json:"sample"`   // a request body, or the name of a file that holds one
}

// outputFile is one entry of outputs: the name alone, or an object.
type outputFile struct {
	Name    string  `json:"name"`    // in the answer
	From    string  `json:"from"`    // of the model; name when it is missing
	Softmax bool    `json:"softmax"` // over the last axis
	Argmax  bool    `json:"argmax"`  // index of the largest value of the last axis
	TopK    int     `json:"topK"`    // indices of the K largest values of the last axis, largest first
	Scores  bool    `json:"scores"`  // with topK: the values instead of their indices
	Labels  labels  `json:"labels"`  // words in place of indices; {label: value} for an output that is neither
	Squeeze squeeze `json:"squeeze"` // true, or the axes: dimensions of size 1 to leave out
}

func (o *outputFile) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &o.Name)
	}
	type plain outputFile // without this method
	return strict(b, (*plain)(o))
}

// labels is a list of words, or the name of a text file with one a line.
type labels struct {
	words []string
	file  string
}

func (l *labels) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &l.file)
	}
	return json.Unmarshal(b, &l.words)
}

// squeeze is true, or a list of axes.
type squeeze struct {
	all  bool
	axes []int
}

func (s *squeeze) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, &s.axes)
	}
	return json.Unmarshal(b, &s.all)
}

// imageFile is the section image: which input, and how.
type imageFile struct {
	Input string `json:"input"` // the only one when it is missing
	tensor.Image
}

// config is ConfigFile resolved against a model.
type config struct {
	answer   []output
	names    []string // of answer
	object   bool
	time     string
	sample   []byte
	inputs   []tensor.Spec  // the model's, with those that have a default as optional
	defaults []tensor.Value // by input; KindNone where there is none
	image    *tensor.Image
	imageFor int // index of its input
}

// prepare reads what lies beside the model and the limits of a request.
func prepare(set settings.Settings, m modeldir.Model, inputs, outputs []tensor.Spec) (config, *tensor.Decoder, error) {
	path := filepath.Join(m.Dir, ConfigFile)
	f, err := readFile(path)
	if err != nil {
		return config{}, nil, fmt.Errorf("score: %s: %w", path, err)
	}
	c := config{object: f.Object || f.Time != "", time: f.Time, inputs: slices.Clone(inputs)}
	o := tensor.DecodeOptions{MaxElements: set.MaxElements, Lenient: set.Lenient}
	err = errors.Join(c.setOutputs(f, m.Dir, outputs), c.setDefaults(f, o), c.setImage(f), c.setSample(f, m.Dir))
	if err != nil {
		return config{}, nil, fmt.Errorf("score: %s: %w", path, err)
	}
	return c, tensor.NewDecoder(c.inputs, o), nil
}

// readFile reads a ConfigFile; one that is not there is empty.
func readFile(path string) (file, error) {
	var f file
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	return f, strict(text, &f)
}

// strict decodes JSON without passing over anything: a misspelt key must not be ignored.
func strict(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the object")
	}
	return nil
}

func (c *config) setOutputs(f file, dir string, outputs []tensor.Spec) error {
	if f.Outputs == nil {
		for _, o := range outputs {
			f.Outputs = append(f.Outputs, outputFile{Name: o.Name})
		}
	}
	if len(f.Outputs) == 0 {
		return fmt.Errorf("outputs: the list is empty (the model has %s)", list(outputs))
	}
	for _, of := range f.Outputs {
		from := of.From
		if from == "" {
			from = of.Name
		}
		k := index(outputs, from)
		switch {
		case k < 0:
			return fmt.Errorf("outputs: the model has no output %q (it has %s)", from, list(outputs))
		case slices.Contains(c.names, of.Name):
			return fmt.Errorf("outputs: %q is listed twice", of.Name)
		}
		if of.Labels.words == nil && of.Labels.file == "" && (of.Argmax || of.TopK > 0 && !of.Scores || whole(outputs[k].DType)) {
			of.Labels = f.Labels
		}
		words, err := of.Labels.read(dir)
		if err != nil {
			return fmt.Errorf("outputs: %q: labels: %w", of.Name, err)
		}
		o := output{
			index: k, softmax: of.Softmax, argmax: of.Argmax, topK: of.TopK, scores: of.Scores, labels: words,
			squeeze: of.Squeeze.all, axes: of.Squeeze.axes,
		}
		if err := o.check(outputs[k]); err != nil {
			return fmt.Errorf("outputs: %q %v: %w", of.Name, outputs[k].Type, err)
		}
		c.answer, c.names = append(c.answer, o), append(c.names, of.Name)
	}
	if c.time != "" && slices.Contains(c.names, c.time) {
		return fmt.Errorf("time: %q is the name of an output", c.time)
	}
	return nil
}

// read is the words, from their file when they are in one.
func (l labels) read(dir string) ([]string, error) {
	if l.file == "" {
		return l.words, nil
	}
	if !filepath.IsLocal(l.file) {
		return nil, fmt.Errorf("%q is not a file beside the model", l.file)
	}
	text, err := os.ReadFile(filepath.Join(dir, l.file))
	if err != nil {
		return nil, err
	}
	words := strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
	return words, nil
}

func (c *config) setDefaults(f file, o tensor.DecodeOptions) error {
	c.defaults = make([]tensor.Value, len(c.inputs))
	for i := range c.defaults {
		c.defaults[i] = tensor.None()
	}
	for name, text := range f.Defaults {
		k := index(c.inputs, name)
		if k < 0 {
			return fmt.Errorf("defaults: the model has no input %q (it has %s)", name, list(c.inputs))
		}
		spec := c.inputs[k]
		spec.Optional = false
		b := new(tensor.Batch) // its memory is the default's for good
		if err := tensor.NewDecoder([]tensor.Spec{spec}, o).JSON(text, b); err != nil {
			return fmt.Errorf("defaults: %s: %w", name, err)
		}
		c.defaults[k] = b.Values[0]
		c.inputs[k].Optional = true
	}
	return nil
}

func (c *config) setImage(f file) error {
	if f.Image == nil {
		return nil
	}
	k := index(c.inputs, f.Image.Input)
	if f.Image.Input == "" && len(c.inputs) == 1 {
		k = 0
	}
	if k < 0 {
		return fmt.Errorf("image: the model has no input %q (it has %s)", f.Image.Input, list(c.inputs))
	}
	c.image, c.imageFor = &f.Image.Image, k
	if err := c.image.Check(c.inputs[k]); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	return nil
}

func (c *config) setSample(f file, dir string) error {
	if f.Sample == nil || f.Sample[0] != '"' {
		c.sample = f.Sample
		return nil
	}
	var name string
	if err := json.Unmarshal(f.Sample, &name); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if !filepath.IsLocal(name) {
		return fmt.Errorf("sample: %q is not a file beside the model", name)
	}
	var err error
	if c.sample, err = os.ReadFile(filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

func index(specs []tensor.Spec, name string) int {
	return slices.IndexFunc(specs, func(s tensor.Spec) bool { return s.Name == name })
}

func list(specs []tensor.Spec) string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = fmt.Sprintf("%q %v", s.Name, s.Type)
	}
	return strings.Join(names, ", ")
}
