package score_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// classes is y = x for float32[N,C]: the last step of a classifier.
func classes(in, out string, width any) onnxtest.Model {
	t := onnxtest.T(tensor.Float32, "N", width)
	return onnxtest.Named(t, in, out)
}

// answer scores a body with a model and its score.json.
func answer(t *testing.T, m onnxtest.Model, config, contentType, body string) (int, string) {
	t.Helper()
	init, model := network(m, map[string]string{"score.json": config, "labels.txt": "zero\r\none\ntwo\n"})(t)
	f := function.New(init, function.WithModel(model))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		return 0, function.Reason(err).Error()
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/score", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	function.Handler(f).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestOutputsOfScoreJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, config, body, want string }{
		{"argmax", `{"outputs": [{"name": "y", "argmax": true}]}`, `[[1,3,2],[9,0,0]]`, `[1,0]`},
		{"argmax and labels", `{"outputs": [{"name": "y", "argmax": true, "labels": ["a","b","c"]}]}`, `[[1,3,2]]`, `["b"]`},
		{"labels of a file", `{"outputs": [{"name": "y", "argmax": true}], "labels": "labels.txt"}`, `[[1,3,2]]`, `["one"]`},
		{"squeezed", `{"outputs": [{"name": "y", "argmax": true, "squeeze": true}]}`, `[[1,3,2]]`, `1`},
		{"one axis squeezed", `{"outputs": [{"name": "y", "squeeze": [0]}]}`, `[[1,3,2]]`, `[1.0,3.0,2.0]`},
		{"top 2", `{"outputs": [{"name": "y", "topK": 2}]}`, `[[1,3,2]]`, `[[1,2]]`},
		{"top 2 by label", `{"outputs": [{"name": "y", "topK": 2, "labels": ["a","b","c"]}]}`, `[[1,3,2]]`, `[["b","c"]]`},
		{"top 9 of 3, the first of equals first", `{"outputs": [{"name": "y", "topK": 9}]}`, `[[5,3,5]]`, `[[0,2,1]]`},
		{"scores of the top 2", `{"outputs": [{"name": "y", "topK": 2, "scores": true}]}`, `[[1,3,2]]`, `[[3.0,2.0]]`},
		{"softmax", `{"outputs": [{"name": "y", "softmax": true}]}`, `[[0,0,0]]`, `[[0.33333334,0.33333334,0.33333334]]`},
		{"softmax does not overflow", `{"outputs": [{"name": "y", "softmax": true}]}`, `[[1000,0,0]]`, `[[1.0,0.0,0.0]]`},
		{"labelled scores", `{"outputs": [{"name": "y", "labels": ["a","b","c"]}]}`, `[[1,3,2]]`, `[{"a":1.0,"b":3.0,"c":2.0}]`},
		{"a new name, as an object", `{"outputs": [{"name": "result", "from": "y", "argmax": true}], "object": true}`, `[[1,3,2]]`, `{"result":[1]}`},
		{"several from one", `{"outputs": ["y", {"name": "best", "from": "y", "argmax": true}]}`, `[[1,3,2]]`, `{"y":[[1.0,3.0,2.0]],"best":[1]}`},
		{"no rows", `{"outputs": [{"name": "y", "argmax": true, "labels": ["a","b","c"]}]}`, `[]`, `[]`},
		{"no rows, labelled", `{"outputs": [{"name": "y", "labels": ["a","b","c"]}]}`, `[]`, `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, got := answer(t, classes("x", "y", 3), tt.config, "application/json", `{"data": `+tt.body+`}`)
			if code != 200 || got != tt.want {
				t.Errorf("got %d %s, want %s", code, got, tt.want)
			}
		})
	}
}

func TestMistakesOfScoreJSON(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"outputs": [{"name": "z"}]}`:                                            `the model has no output "z" (it has "y" float32[N,3])`,
		`{"outputs": [{"name": "y", "softmaxx": true}]}`:                          `unknown field "softmaxx"`,
		`{"outputs": [{"name": "y", "argmax": true, "topK": 2}]}`:                 `expected argmax or topK, found both`,
		`{"outputs": [{"name": "y", "topK": -1}]}`:                                `topK is -1`,
		`{"outputs": [{"name": "y", "scores": true}]}`:                            `scores goes with topK`,
		`{"outputs": [{"name": "y", "argmax": true, "labels": ["a"]}]}`:           `1 labels for 3 classes`,
		`{"outputs": [{"name": "y", "argmax": true, "labels": "none.txt"}]}`:      `none.txt`,
		`{"outputs": [{"name": "y", "argmax": true, "labels": "../labels.txt"}]}`: `is not a file beside the model`,
		`{"outputs": ["y"], "time": "y"}`:                                         `"y" is the name of an output`,
		`{"defaults": {"z": 1}}`:                                                  `the model has no input "z" (it has "x" float32[N,3])`,
		`{"defaults": {"x": [[1,2]]}}`:                                            `2 values, expected 3`,
		`{"sample": "none.json"}`:                                                 `none.json`,
		`{"image": {"input": "z"}}`:                                               `the model has no input "z"`,
		`{"image": {"width": 8, "height": 8}}`:                                    `image: `,
	} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			if code, got := answer(t, classes("x", "y", 3), config, "application/json", `{"data":[]}`); code != 0 || !strings.Contains(got, want) {
				t.Errorf("got %d %s, want %s", code, got, want)
			}
		})
	}
}

func TestDefaultsOfScoreJSON(t *testing.T) {
	t.Parallel()
	const config = `{"defaults": {"age": [25], "name": ["nobody"]}}`
	for body, want := range map[string]string{
		`{"data": {"score": [0.5]}}`:              `[25.5]`,
		`{"data": [0.5]}`:                         `[25.5]`, // the only input that is still required
		`{"data": {"score": [0.5], "age": [30]}}`: `[30.5]`,
	} {
		if code, got := answer(t, ages, config, "application/json", body); code != 200 || got != want {
			t.Errorf("%s: got %d %s, want %s", body, code, got, want)
		}
	}
}

// The answers of the classic notebooks, on networks with their names and shapes.
func TestAnswersOfTheNotebooks(t *testing.T) {
	t.Parallel()
	seconds := func(t *testing.T, text, name string) map[string]any {
		t.Helper()
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(text, err)
		}
		if v, ok := m[name].(float64); !ok || v < 0 || v > 60 || len(m) != 2 {
			t.Errorf("%s is %v", name, m[name])
		}
		return m
	}
	t.Run("MNIST", func(t *testing.T) {
		t.Parallel()
		_, got := answer(t, classes("Input3", "Plus214_Output_0", 10),
			`{"outputs": [{"name": "result", "from": "Plus214_Output_0", "argmax": true, "squeeze": true}], "time": "time_in_sec"}`,
			"application/json", `{"data": [[0,0,7,0,0,0,0,0,0,0]]}`)
		if m := seconds(t, got, "time_in_sec"); m["result"] != 2.0 {
			t.Errorf("got %s", got)
		}
	})
	t.Run("FER+", func(t *testing.T) {
		t.Parallel()
		_, got := answer(t, classes("Input3", "Plus692_Output_0", 8),
			`{"outputs": [{"name": "result", "from": "Plus692_Output_0", "softmax": true, "topK": 1, "squeeze": [0],
			  "labels": ["neutral","happiness","surprise","sadness","anger","disgust","fear","contempt"]}], "time": "time_in_sec"}`,
			"application/json", `{"data": [[9,0,0,0,0,0,0,0]]}`)
		if m := seconds(t, got, "time_in_sec"); len(m["result"].([]any)) != 1 || m["result"].([]any)[0] != "neutral" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("ResNet50", func(t *testing.T) {
		t.Parallel()
		_, got := answer(t, classes("data", "resnetv24_dense0_fwd", 1000),
			`{"outputs": [{"name": "result", "from": "resnetv24_dense0_fwd", "softmax": true, "squeeze": [0]}], "time": "time"}`,
			"application/json", `{"data": [[`+strings.Repeat("0,", 999)+`0]]}`)
		m := seconds(t, got, "time")
		if r := m["result"].([]any); len(r) != 1000 || r[0] != 0.001 {
			t.Errorf("got %.80s", got)
		}
	})
}

func TestPicturesBecomeTheInput(t *testing.T) {
	t.Parallel()
	model := onnxtest.Named(onnxtest.T(tensor.Float32, "N", 3, 1, 2), "image", "pixels")
	const config = `{"image": {"mean": [0, 0.5, 0], "std": [1, 0.5, 1]}}`
	pic := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	pic.Set(0, 0, color.NRGBA{255, 255, 0, 255})
	pic.Set(1, 0, color.NRGBA{0, 0, 255, 255})
	var file bytes.Buffer
	if err := png.Encode(&file, pic); err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString(file.Bytes())
	const one = `[[[1.0,0.0]],[[1.0,-1.0]],[[0.0,1.0]]]`
	for _, tt := range []struct{ contentType, body, want string }{
		{"image/png", file.String(), `[` + one + `]`},
		{"image/jpeg", file.String(), `[` + one + `]`}, // the bytes tell
		{"application/json", `{"data": {"b64": "` + b64 + `"}}`, `[` + one + `]`},
		{"application/json", `{"instances": [{"b64": "` + b64 + `"}, {"b64": "` + b64 + `"}]}`, `{"predictions": [` + one + `,` + one + `]}`},
		{"application/json", `{"data": [` + one + `]}`, `[` + one + `]`}, // tensors go on working
	} {
		if code, got := answer(t, model, config, tt.contentType, tt.body); code != 200 || got != tt.want {
			t.Errorf("%s %.40q: got %d %s, want %s", tt.contentType, tt.body, code, got, tt.want)
		}
	}
	if code, got := answer(t, model, config, "image/png", "GIF89a"); code != 400 || !strings.Contains(got, "image") {
		t.Errorf("no picture: got %d %s", code, got)
	}
}
