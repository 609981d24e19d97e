//go:build conformance

package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// suiteDir is where Debian's libonnx-testdata puts the suite; ONNX_TESTDATA names another place.
const suiteDir = "/usr/share/libonnx-testdata/data"

// testCase is one folder of the suite.
type testCase struct {
	name, dir  string
	rtol, atol float64
	random     bool // its answers are
	stored     bool // bfloat16 was found as uint16
}

// findCases lists the suite.
func findCases(t *testing.T) []testCase {
	t.Helper()
	dir := cmp.Or(os.Getenv("ONNX_TESTDATA"), suiteDir)
	models, err := filepath.Glob(filepath.Join(dir, "*", "test_*", "model.onnx"))
	if err != nil || len(models) == 0 {
		t.Fatalf("the suite is not in %s: apt-get install libonnx-testdata, or set ONNX_TESTDATA to its folder data", dir)
	}
	var cases []testCase
	for _, m := range models {
		c := testCase{name: filepath.Base(filepath.Dir(m)), dir: filepath.Dir(m), rtol: 1e-3, atol: 1e-7}
		why := expected[direct+"/"+c.name]
		c.random = why != nil && why.random
		if text, err := os.ReadFile(filepath.Join(c.dir, "data.json")); err == nil {
			var own struct{ RTol, ATol *float64 }
			if err := json.Unmarshal(text, &own); err != nil {
				t.Fatalf("%s: data.json: %v", c.name, err)
			}
			c.rtol, c.atol = *cmp.Or(own.RTol, &c.rtol), *cmp.Or(own.ATol, &c.atol)
		}
		cases = append(cases, c)
	}
	slices.SortFunc(cases, func(a, b testCase) int { return cmp.Compare(a.name, b.name) })
	return cases
}

// values reads input_0.pb and so on, or output_0.pb, as many as there are, which belong to specs by position.
func (c *testCase) values(what string, specs []tensor.Spec) (list []tensor.Value, err error) {
	for i := 0; ; i++ {
		b, err := os.ReadFile(filepath.Join(c.dir, "test_data_set_0", fmt.Sprintf("%s_%d.pb", what, i)))
		switch {
		case errors.Is(err, os.ErrNotExist):
			return list, nil
		case err != nil:
			return nil, err
		case i >= len(specs):
			return nil, fmt.Errorf("%d %ss, but the model has %d", i+1, what, len(specs))
		}
		v, err := readValue(&specs[i].Type, b)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", what, i, err)
		}
		if specs[i].DType == tensor.BFloat16 && v.DType == tensor.Uint16 {
			v.DType, c.stored = tensor.BFloat16, true
		}
		list = append(list, v)
	}
}

// The verdicts of cases that run well, but are not judged by the suite's rule.
var (
	errRandom = errors.New("a random answer of the right type and shape")
	errStored = errors.New("as the suite expects, but for bfloat16 that is stored as uint16")
)

// stage is how far the direct run came.
type stage int

const (
	notLoaded stage = iota
	notRead         // the case's files are not understood
	notFed          // the inputs are refused
	notRun
	answered
)

// score runs one case directly and in every form that is served; what did not go as it should is an error, by form.
func (c *testCase) score(ctx context.Context, set settings.Settings, served []form) map[string]error {
	m := &model{name: c.name}
	file := filepath.Join(c.dir, "model.onnx")
	in, want, reached, err := c.direct(settings.With(ctx, set), m, file)
	errs := map[string]error{direct: err}
	f := function.New(score.Init, function.WithSettings(set), function.WithLogger(slog.New(slog.DiscardHandler)),
		function.WithModel(modeldir.Model{Name: c.name, Dir: c.dir, File: file}))
	defer func() { _ = f.Close() }()
	m.handler = function.Handler(f)
	for _, form := range served {
		errs[form.name] = c.through(m, form, in, want, reached, err)
	}
	return errs
}

// direct is the reference: the inputs of the case, the outputs that ONNX Runtime gives for them, and whether they are right.
func (c *testCase) direct(ctx context.Context, m *model, file string) (in, got []tensor.Value, reached stage, err error) {
	s, err := onnx.Open(ctx, file, onnx.Options{Threads: 1})
	if err != nil {
		return nil, nil, notLoaded, err
	}
	defer func() { _ = s.Close() }()
	m.inputs, m.outputs = s.Inputs(), s.Outputs()
	if in, err = c.values("input", m.inputs); err != nil {
		return nil, nil, notRead, err
	}
	want, err := c.values("output", m.outputs)
	if err == nil && len(want) != len(m.outputs) {
		err = fmt.Errorf("%d expected outputs, but the model has %d", len(want), len(m.outputs))
	}
	if err != nil {
		return nil, nil, notRead, err
	}
	if got, err = s.Infer(ctx, in...); err != nil {
		if mistake := new(tensor.Error); errors.As(err, &mistake) {
			return in, nil, notFed, err
		}
		return in, nil, notRun, err
	}
	for i := range got {
		if err := alike(&got[i], &want[i], c.rule(c.near)); err != nil {
			return in, got, answered, fmt.Errorf("output %q is not as the suite expects: %w", m.outputs[i].Name, err)
		}
	}
	switch {
	case c.random:
		err = errRandom
	case c.stored:
		err = errStored
	}
	return in, got, answered, err
}

// rule is how elements are compared: by r, unless chance made them.
func (c *testCase) rule(r rule) rule {
	if c.random {
		return anything
	}
	return r
}

// through asks the handler in one form. Where the direct run failed it must fail as well, and where that only gave other
// numbers than the suite expects, these must come through all the same: then the direct run's error is what is returned.
func (c *testCase) through(m *model, f form, in, want []tensor.Value, reached stage, directly error) error {
	if reached == notRead {
		return directly // there is nothing to send
	}
	got, err := f.ask(m, in)
	switch {
	case directly == nil && errors.Is(err, errUnsaid):
		return err
	case reached != answered:
		err = refusedWell(err, reached)
	case err == nil:
		for i := 0; i < len(want) && err == nil; i++ {
			if err = alike(&got[i], &want[i], c.rule(sameBits)); err != nil {
				err = fmt.Errorf("output %q is not the direct run's: %w", m.outputs[i].Name, err)
			}
		}
	}
	if err != nil {
		return &wrong{err}
	}
	return directly
}

// wrong is an error of the product's, which no reason excuses.
type wrong struct{ error }

// refusedWell is nil for an error status that blames the right side for what the direct run could not do.
func refusedWell(err error, reached stage) error {
	refused := new(refusal)
	switch {
	case errors.Is(err, errUnsaid):
		return nil
	case err == nil:
		return errors.New("answered, though the direct run fails")
	case errors.As(err, &refused) && (reached == notFed) != (refused.status < 500):
		return fmt.Errorf("the wrong side is blamed: %w", err)
	case refused.status > 0:
		return nil
	}
	return err
}
