package score_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// What other JSON libraries and servers let pass, or die of.
func TestMistakesAreRefusedWithTheirPlace(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	file := onnxtest.Identity(onnxtest.AnyRank(tensor.Float32)).Temp(t)
	h := function.Handler(newFunction(t, function.WithModel(modeldir.Model{Name: "identity", File: file})))
	post := func(body string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/score", strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	const as = "POST body could not be decoded as JSON: "
	for _, tt := range []struct{ body, want string }{
		{`{"data":[1],"data":[2]}`, as + `"data" is given twice: line 1 column 20 (char 19)`},
		{`{"DATA":[1]}`, `A value is not provided for the 'data' parameter.`},
		{`{"data":[[1,2],3]}`, `data[1]: expected an array, found a number (input "x" float32[...]) (at byte 15)`},
		{`{"data":[[1,2],[3,4,5]]}`, `data[1]: 3 values, expected 2 as in its siblings`},
		{`{"data":[[1,2],[3]]}`, `data[1]: 1 value, expected 2 as in its siblings`},
		{`{"data":[1,[2]]}`, `data[1]: expected a number, found an array`},
		{`{"data":[1]} x`, as + `Extra data: line 1 column 14 (char 13)`},
		{`{"data":[01]}`, as + `a number has a leading zero: line 1 column 10 (char 9)`},
		{`{"data":[1.]}`, as + `a digit is expected after the point: line 1 column 10 (char 9)`},
		{`{"data":[.5]}`, as + `Expecting value: line 1 column 10 (char 9)`},
		{`{"data":[+1]}`, as + `Expecting value: line 1 column 10 (char 9)`},
		{`{"data":[1e400]}`, `data[0]: 1e400 is out of range for float32`},
		{`{"data":[1e39]}`, `data[0]: 1e39 is out of range for float32`},
		{`{"data":[true]}`, `data[0]: expected a number, found a boolean`},
		{`{"data":["1"]}`, `data[0]: expected a number, found a string`},
		{"{\"a\":\"\x01\",\"data\":[1]}", as + `Invalid control character at: line 1 column 7 (char 6)`},
		{`{"a":` + strings.Repeat("[", 5_000_000) + `,"data":[1]}`, as + `nested too deep`},
		{`{"data":` + strings.Repeat("[", 5_000_000), as + `Expecting value: line 1 column 5000009 (char 5000008)`},
		{`{"data":` + strings.Repeat("[", 40) + "1" + strings.Repeat("]", 40) + `}`, `data: arrays are nested deeper than 16`},
		{`{"data":[1,2`, as + `Expecting ',' delimiter: line 1 column 13 (char 12)`},
		{`{"data":[1,2]`, as + `Expecting ',' delimiter: line 1 column 14 (char 13)`},
		{`{"data":[1,,2]}`, as + `Expecting value: line 1 column 12 (char 11)`},
		{`{"data":nul}`, as + `Expecting value: line 1 column 9 (char 8)`},
	} {
		code, answer := post(tt.body)
		var m struct{ Message string }
		if err := json.Unmarshal([]byte(answer), &m); err != nil {
			t.Errorf("%.40q: the answer is no JSON: %v", tt.body, err)
		}
		if code != 400 || !strings.HasPrefix(m.Message, tt.want) {
			t.Errorf("%.40q:\n got %d %s\nwant 400 %s", tt.body, code, m.Message, tt.want)
		}
	}
	for body, want := range map[string]string{ // and the server is alive, and takes what it should
		`{"data":[[1,null]]}`:                      `[[1.0,null]]`,
		`{"data":[NaN,"Infinity",-Infinity,-0.0]}`: `[null,null,null,-0.0]`,
		`{"data":5}`:                               `5.0`,
		`{"data":[[],[]]}`:                         `[[],[]]`,
		`{"data":7.038531e-26}`:                    `7.0385313e-26`,
	} {
		if code, answer := post(body); code != 200 || answer != want {
			t.Errorf("%s: got %d %s, want %s", body, code, answer, want)
		}
	}
}
