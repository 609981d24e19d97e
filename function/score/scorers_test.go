package score_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/score"
	"github.com/scorefn/scorefn/function/tensor"
)

// build makes the script of a case.
type build func(t *testing.T) (function.Init, modeldir.Model)

// runFunc is a script that is one function of data.
type runFunc func(data json.RawMessage) (any, error)

func (f runFunc) Run(_ context.Context, data json.RawMessage) (any, error) { return f(data) }

// wholeFunc is a script that takes the whole body.
type wholeFunc struct{ runFunc }

func (wholeFunc) TakesBody() {}

// namedFunc is a script with declared parameters, a sample of them and of the answer.
type namedFunc struct {
	runFunc
	parameters     []function.Parameter
	sample, answer string
	input          openapi.Schema
}

func (n namedFunc) Parameters() []function.Parameter { return n.parameters }

func (n namedFunc) Describe(s *openapi.Service) {
	if n.sample != "" {
		s.InputExample, s.Input = json.RawMessage(n.sample), n.input
	}
	s.Output, s.OutputExample = openapi.Schema{Type: "object"}, nil
	if n.answer != "" {
		s.OutputExample = json.RawMessage(n.answer)
		s.Output, _ = openapi.SchemaOf(s.OutputExample)
	}
}

func script(s function.Script) build {
	return func(*testing.T) (function.Init, modeldir.Model) {
		return func(context.Context, modeldir.Model) (function.Script, error) { return s, nil }, modeldir.Model{Name: "case"}
	}
}

// network is an ONNX model with its files.
func network(m onnxtest.Model, files map[string]string) build {
	return func(t *testing.T) (function.Init, modeldir.Model) {
		t.Helper()
		onnxtest.Library(t)
		file := m.Temp(t)
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return score.Init, modeldir.Model{Name: "case", Dir: filepath.Dir(file), File: file}
	}
}

var errRaised = errors.New("raised")

func number(data json.RawMessage, name string) (int64, error) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(data, &in); err != nil {
		return 0, err
	}
	if string(in[name]) == "null" {
		return 0, function.Errorf(function.Invalid, "%s: expected a whole number, found null", name)
	}
	var n int64
	return n, json.Unmarshal(in[name], &n)
}

func just(v any) (any, error) { return v, nil }

var identity = onnxtest.Identity(onnxtest.AnyRank(tensor.Float32))

var scorers = map[string]build{
	"undecorated; returns nothing (null result) for any input": script(wholeFunc{func(json.RawMessage) (any, error) { return nil, nil }}),
	"undecorated; run() always raises":                         script(wholeFunc{func(json.RawMessage) (any, error) { return nil, errRaised }}),
	"undecorated; always returns the object {\"a\": 1}":        script(wholeFunc{func(json.RawMessage) (any, error) { return just(map[string]int{"a": 1}) }}),
	"undecorated; returns its argument unchanged as text: the whole body (POST) or the JSON text built from the query (GET)": script(
		wholeFunc{func(b json.RawMessage) (any, error) { return just(string(b)) }}),
	"identity on the whole body (no data key, no cast); every exception is caught and its text returned as the result": script(
		wholeFunc{func(b json.RawMessage) (any, error) { return bytes.Clone(b), nil }}.raw()),
	"undecorated; the body text selects the value returned: none -> null; empty_str -> the empty string; unicode -> the text héllo 你好 😀; nan -> [NaN, +Infinity, -Infinity]; zero -> 0; false -> false; emptylist -> []; emptydict -> {}; float -> float64 [1.0, 0.1, 1e21, 1e-7, 123456789012345680.0, -0.0]; bigint -> the integer 12345678901234567890; f32list -> float32 [0.1, 1e-8, 16777216] as numbers; json_str -> the text {\"result\": 1}; slash -> the text </script>/; any other body -> run() raises": script(
		wholeFunc{values}),
	"one declared parameter `error` (boolean, sample false); false -> returns nothing (null result), true -> run() raises": script(namedFunc{
		runFunc: func(data json.RawMessage) (any, error) {
			var in struct{ Error bool }
			if err := json.Unmarshal(data, &in); err != nil || !in.Error {
				return nil, err
			}
			return nil, errRaised
		},
		parameters: []function.Parameter{{Name: "error"}},
	}),
	"num + 10; one declared parameter `num` (integer, sample 1); output sample 11": script(namedFunc{
		runFunc: func(data json.RawMessage) (any, error) {
			n, err := number(data, "num")
			return n + 10, err
		},
		parameters: []function.Parameter{{Name: "num"}}, sample: `{"num": 1}`, answer: `11`,
		input: openapi.Parameters(openapi.Property{Name: "num", Schema: openapi.Schema{Type: "integer", Format: "int64"}}),
	}),
	"returns [num, size, color]; declared parameters `num` (integer, sample 1, required) and `size` (integer, sample 1, default 10); `color` is a plain parameter with default \"red\"": script(namedFunc{
		runFunc: func(data json.RawMessage) (any, error) {
			var in struct{ Num, Size, Color any }
			err := json.Unmarshal(data, &in)
			return []any{in.Num, in.Size, in.Color}, err
		},
		parameters: []function.Parameter{{Name: "num"}, {Name: "size", Default: json.RawMessage("10")}, {Name: "color", Default: json.RawMessage(`"red"`)}},
	}),
	"row sum of Inputs.input1 times GlobalParameters, reply {\"Results\": [...]}; declared parameters `Inputs` (object: input1 float64[N,3] sample [[1,2,3],[3,2,1]]; input2 data frame records sample [{\"name\":\"Sarah\",\"age\":25},{\"name\":\"John\",\"age\":26}]; input3 float sample 0.0) and `GlobalParameters` (float, sample 1.0); output sample {\"Results\":[1.0,1.0]}": script(powerBI),
	"a + b per row as a list; parameter name data, data frame in split orientation; input sample columns a=[1.0,2.0], b=[3.0,4.0] (float64); no output schema":                                                                                                                                                                                                                       script(splitFrame),
	"body key data is parsed as float32, then a fixed result is returned as JSON TEXT (so it is encoded twice): {\"result\": [\"neutral\"], \"time_in_sec\": [0.5]}; every exception is caught and returned as the JSON text of {\"error\": text}": script(
		runFunc(func(json.RawMessage) (any, error) { return just(`{"result": ["neutral"], "time_in_sec": [0.5]}`) })),

	"identity float32, the documented entry script: parse the whole body as JSON, take key data, cast to float32, return the nested list; every exception is caught and its text returned as the result": network(identity, nil),
	"identity; body key input_data; run() raises when the key is absent": network(identity, nil),
	"row sum over float64[N,3] (ReduceSum axis 1, keepdims 0); parameter name data; input sample [[1,2,3],[4,5,6]]; output sample [6,15] float64": network(rowSum, map[string]string{
		"sample.json": `{"data": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}`,
	}),
	"sum of all elements of int64[N], scalar result; parameter name data; input sample [10,9,8,7,6,5,4,3,2,1] int64; output sample [3726.995] float64": sum,
	"age + score per row, reply {\"total\": [...]}; parameter name data, data frame as records; input sample [{\"name\":\"Sarah\",\"age\":25,\"score\":0.5},{\"name\":\"John\",\"age\":26,\"score\":1.5}] (string, int64, float64); output sample {\"total\":[25.5,27.5]}": network(
		ages, map[string]string{"score.json": `{"object": true}`}),
}

// raw answers the body as the JSON that it is.
func (w wholeFunc) raw() wholeFunc {
	return wholeFunc{func(b json.RawMessage) (any, error) {
		v, err := w.runFunc(b)
		if err != nil {
			return nil, err
		}
		return json.RawMessage(v.([]byte)), nil
	}}
}

func values(body json.RawMessage) (any, error) {
	switch string(body) {
	case "none":
		return nil, nil
	case "empty_str":
		return just("")
	case "unicode":
		return just("héllo 你好 😀")
	case "nan":
		return just([]float64{math.NaN(), math.Inf(1), math.Inf(-1)})
	case "zero":
		return just(0)
	case "false":
		return just(false)
	case "emptylist":
		return just([]int{})
	case "emptydict":
		return just(map[string]int{})
	case "float":
		return just(tensor.Of([]float64{1, 0.1, 1e21, 1e-7, 123456789012345680.0, math.Copysign(0, -1)}))
	case "bigint":
		return just(uint64(12345678901234567890))
	case "f32list":
		return just(tensor.Of([]float32{0.1, 1e-8, 16777216}))
	case "json_str":
		return just(`{"result": 1}`)
	case "slash":
		return just("</script>/")
	}
	return nil, errRaised
}

var powerBI = namedFunc{
	runFunc: func(data json.RawMessage) (any, error) {
		var in struct {
			Inputs           struct{ Input1 [][]float64 }
			GlobalParameters float64
		}
		if err := json.Unmarshal(data, &in); err != nil {
			return nil, err
		}
		sums := []float64{}
		for _, row := range in.Inputs.Input1 {
			sum := 0.0
			for _, v := range row {
				sum += v
			}
			sums = append(sums, sum*in.GlobalParameters)
		}
		return map[string]any{"Results": sums}, nil
	},
	parameters: []function.Parameter{{Name: "Inputs"}, {Name: "GlobalParameters"}},
	sample:     `{"Inputs": {"input1": [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], "input2": [{"name": "Sarah", "age": 25}, {"name": "John", "age": 26}], "input3": 0.0}, "GlobalParameters": 1.0}`,
	answer:     `{"Results": [1.0, 1.0]}`,
	input: openapi.Parameters(
		openapi.Property{Name: "Inputs", Schema: openapi.Schema{
			Type: "object", Required: []string{"input1", "input2", "input3"}, Properties: []openapi.Property{
				{Name: "input1", Schema: array(array(double)).as(openapi.FormatArray)},
				{Name: "input2", Schema: array(openapi.Schema{
					Type: "object", Required: []string{"name", "age"},
					Properties: []openapi.Property{{Name: "name", Schema: openapi.Schema{Type: "string"}}, {Name: "age", Schema: openapi.Schema{Type: "integer", Format: "int64"}}},
				}).as(openapi.FormatRecords)},
				{Name: "input3", Schema: double},
			},
		}},
		openapi.Property{Name: "GlobalParameters", Schema: double},
	),
}

var splitFrame = namedFunc{
	runFunc: func(data json.RawMessage) (any, error) {
		var in struct {
			Data struct{ Data [][]float64 }
		}
		err := json.Unmarshal(data, &in)
		sums := []float64{}
		for _, row := range in.Data.Data {
			sums = append(sums, row[0]+row[1])
		}
		return sums, err
	},
	parameters: []function.Parameter{{Name: "data"}},
	sample:     `{"data": {"columns": ["a", "b"], "index": [0, 1], "data": [[1.0, 3.0], [2.0, 4.0]]}}`,
	input: openapi.Parameters(openapi.Property{Name: "data", Schema: openapi.Schema{
		Type: "object", Format: openapi.FormatSplit, Required: []string{"columns", "index", "data"}, Properties: []openapi.Property{
			{Name: "columns", Schema: array(openapi.Schema{Type: "string"}).Schema},
			{Name: "index", Schema: array(openapi.Schema{Type: "integer", Format: "int64"}).Schema},
			{Name: "data", Schema: array(array(double).Schema).Schema},
		},
	}}),
}

type arrayOf struct{ openapi.Schema }

var double = openapi.Schema{Type: "number", Format: "double"}

func array[S openapi.Schema | arrayOf](items S) arrayOf {
	var s openapi.Schema
	switch v := any(items).(type) {
	case openapi.Schema:
		s = v
	case arrayOf:
		s = v.Schema
	}
	return arrayOf{openapi.Schema{Type: "array", Items: &s}}
}

func (a arrayOf) as(format string) openapi.Schema {
	a.Format = format
	return a.Schema
}

// rowSum is y[N] = the sums of the rows of data float64[N,3].
var rowSum = onnxtest.Model{Graph: onnxtest.Graph{
	Inputs:       []tensor.Spec{onnxtest.In("data", onnxtest.T(tensor.Float64, "N", 3))},
	Outputs:      []tensor.Spec{onnxtest.In("y", onnxtest.T(tensor.Float64, "N"))},
	Initializers: []onnxtest.Initializer{onnxtest.Init("axes", tensor.Of([]int64{1}))},
	Nodes:        []onnxtest.Node{{Op: "ReduceSum", Inputs: []string{"data", "axes"}, Outputs: []string{"y"}, Attrs: []onnxtest.Attr{onnxtest.Int("keepdims", 0)}}},
}}

// ages is total[N] = age + score.
var ages = onnxtest.Model{Graph: onnxtest.Graph{
	Inputs: []tensor.Spec{
		onnxtest.In("name", onnxtest.T(tensor.String, "N")), onnxtest.In("age", onnxtest.T(tensor.Int64, "N")), onnxtest.In("score", onnxtest.T(tensor.Float64, "N")),
	},
	Outputs: []tensor.Spec{onnxtest.In("total", onnxtest.T(tensor.Float64, "N"))},
	Nodes: []onnxtest.Node{
		{Op: "Cast", Inputs: []string{"age"}, Outputs: []string{"years"}, Attrs: []onnxtest.Attr{onnxtest.Int("to", int64(tensor.Float64))}},
		{Op: "Add", Inputs: []string{"years", "score"}, Outputs: []string{"total"}},
	},
}}

// sum is the ONNX model with the sample of another answer, which the case's documents show.
func sum(t *testing.T) (function.Init, modeldir.Model) {
	t.Helper()
	total := onnxtest.Model{Graph: onnxtest.Graph{
		Inputs:  []tensor.Spec{onnxtest.In("data", onnxtest.T(tensor.Int64, "N"))},
		Outputs: []tensor.Spec{onnxtest.In("y", onnxtest.T(tensor.Int64))},
		Nodes:   []onnxtest.Node{{Op: "ReduceSum", Inputs: []string{"data"}, Outputs: []string{"y"}, Attrs: []onnxtest.Attr{onnxtest.Int("keepdims", 0)}}},
	}}
	init, m := network(total, map[string]string{"sample.json": `{"data": [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]}`})(t)
	return func(ctx context.Context, m modeldir.Model) (function.Script, error) {
		s, err := init(ctx, m)
		if err != nil {
			return nil, err
		}
		return described{s.(tensorScript)}, nil
	}, m
}

type tensorScript interface {
	function.Script
	function.TensorScript
	Close() error
}

// described is a script with a declared output sample.
type described struct{ tensorScript }

func (described) Describe(s *openapi.Service) {
	s.Output = array(double).as(openapi.FormatArray)
	s.OutputExample = json.RawMessage(`[3726.995]`)
}
