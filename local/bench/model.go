package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/tensor"
	"github.com/scorefn/scorefn/local/bench/inputs"
)

// threadsFrom is the size of a model file from which scorefn gives a run all vCPUs; see onnx.Options.
const threadsFrom = 1 << 20

// subject is a model under measurement, with one request in every form that the entrants take.
type subject struct {
	name, dir, file string
	baked           string // file of the baked model; "" without one
	bytes           int64  // of the model's folder
	threads         int
	inputs          string   // file of tensors, for limit.c and core
	request         string   // file of body
	body            []byte   // {"data": …}
	v2              []byte   // the same in the Open Inference Protocol
	varied          [][]byte // {"data": …} with other numbers of rows, where the model takes them
	answer          []byte   // what scorefn answers
}

// newSubject finds the model in dir, which may be NAME=DIR, and prepares its request in the folder work.
func newSubject(ctx context.Context, dir, work, library string, threads, vcpus int) (*subject, error) {
	name, path, named := strings.Cut(dir, "=")
	if !named {
		path = dir
	} else if name == "" || name != filepath.Base(name) || name == ".." {
		return nil, fmt.Errorf("model %s: %q cannot be a name of a model: it is one of a file as well", dir, name)
	}
	repo, err := modeldir.Open(modeldir.Config{AzureMLModelDir: path})
	if err != nil {
		return nil, err
	}
	m, err := repo.Default()
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, dir: m.Dir, file: m.File, threads: threads}
	if !named {
		s.name = m.Name
	}
	if s.bytes, err = folderSize(m.Dir); err != nil {
		return nil, err
	}
	if s.threads <= 0 {
		if s.threads = 1; s.bytes >= threadsFrom {
			s.threads = vcpus
		}
	}
	session, err := onnx.Open(ctx, m.File, onnx.Options{Library: library, Threads: s.threads})
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }() // never fails
	if err := s.prepare(session.Inputs(), work); err != nil {
		return nil, fmt.Errorf("model %s: %w", s.name, err)
	}
	return s, nil
}

func folderSize(dir string) (n int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		if ext := filepath.Ext(e.Name()); info.Mode().IsRegular() && ext != ".json" && ext != ".md" {
			n += info.Size()
		}
	}
	return n, nil
}

// answerFile holds answer, once that is known.
func (s *subject) answerFile() string { return s.request + ".answer" }

// prepare reads the sample and writes it in the other forms.
func (s *subject) prepare(specs []tensor.Spec, work string) error {
	body, err := os.ReadFile(filepath.Join(s.dir, function.SampleFile))
	if errors.Is(err, os.ErrNotExist) {
		if body = openapi.ExampleOf(specs); body == nil {
			return fmt.Errorf("put a request into %s beside the model: a made-up one would be too long", function.SampleFile)
		}
	} else if err != nil {
		return err
	}
	var fields struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &fields); err != nil || fields.Data == nil {
		return fmt.Errorf("the request of bench must be {\"data\": …}, %s is not (%w)", function.SampleFile, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return err
	}
	s.body = compact.Bytes()
	batch := tensor.GetBatch()
	defer batch.Release()
	if err := tensor.NewDecoder(specs, tensor.DecodeOptions{}).JSON(fields.Data, batch); err != nil {
		return fmt.Errorf("%s: %w", function.SampleFile, err)
	}
	s.inputs = filepath.Join(work, s.name+".inputs")
	file, err := inputs.Append(nil, specs, batch.Values)
	if err != nil {
		return err
	}
	s.varied = varied(specs, fields.Data)
	if s.v2, err = v2Body(specs, batch.Values); err != nil {
		return err
	}
	s.request = filepath.Join(work, s.name+".json")
	return errors.Join(os.WriteFile(s.inputs, file, 0o600), os.WriteFile(s.request, s.body, 0o600))
}

// v2Body is the request in the Open Inference Protocol; nil where that has no name for a type.
func v2Body(specs []tensor.Spec, values []tensor.Value) ([]byte, error) {
	names := map[tensor.DType]string{
		tensor.Float32: "FP32", tensor.Float64: "FP64", tensor.Int32: "INT32", tensor.Int64: "INT64", tensor.Uint8: "UINT8",
	}
	type input struct {
		Name     string          `json:"name"`
		Shape    []int64         `json:"shape"`
		Datatype string          `json:"datatype"`
		Data     json.RawMessage `json:"data"`
	}
	var list []input
	for i, v := range values {
		if v.Kind == tensor.KindNone {
			continue
		}
		name := names[v.DType]
		if name == "" {
			return nil, nil
		}
		n, _ := tensor.Elements(v.Shape)
		flat := v
		flat.Shape = []int64{int64(n)}
		data, err := flat.AppendJSON(nil, tensor.EncodeOptions{})
		if err != nil {
			return nil, err
		}
		list = append(list, input{specs[i].Name, v.Shape, name, data})
	}
	return json.Marshal(map[string]any{"inputs": list})
}

// mostRows bounds the varied requests.
const mostRows = 16

// varied is requests of 1 to mostRows rows, when the only input's first dimension is free and data is an array; else none.
func varied(specs []tensor.Spec, data json.RawMessage) (bodies [][]byte) {
	var rows []json.RawMessage
	if len(specs) != 1 || len(specs[0].Shape) == 0 || specs[0].Shape[0] >= 0 || json.Unmarshal(data, &rows) != nil || len(rows) == 0 {
		return nil
	}
	var row bytes.Buffer
	if json.Compact(&row, rows[0]) != nil {
		return nil
	}
	for n := 1; n <= mostRows; n++ {
		list := bytes.Repeat(append(bytes.Clone(row.Bytes()), ','), n)
		bodies = append(bodies, fmt.Appendf(nil, `{"data": [%s]}`, list[:len(list)-1]))
	}
	return bodies
}
