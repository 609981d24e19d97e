package function

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// wrap is what an answer is put into: the counterpart of the form in which the request came.
type wrap uint8

const (
	bare        wrap = iota // data, input_data: the answer itself
	predictions             // instances, dataframe_split, dataframe_records: {"predictions": rows}
	outputs                 // inputs: {"outputs": answer}
	results                 // Inputs, GlobalParameters: {"Results": answer}
)

// forms are the keys that carry the value to score, with the products that send them.
var forms = map[string]wrap{
	"data":              bare,        // Azure Machine Learning
	"input_data":        bare,        // Azure Machine Learning, MLflow models
	"Inputs":            results,     // Power BI
	"instances":         predictions, // TensorFlow Serving's rows, Vertex AI, KServe 1
	"inputs":            outputs,     // TensorFlow Serving's columns, MLflow
	"dataframe_split":   predictions, // MLflow
	"dataframe_records": predictions, // MLflow
}

// payload is a request body taken apart.
type payload struct {
	body   []byte // as UTF-8
	value  []byte // of the one key of forms, or what the script takes instead
	offset int    // of value in body; -1 when value is not a part of it
	wrap   wrap
}

// envelope finds the value to score in a JSON body: the one that stands under a key of forms, the parameters that the
// script declares, or, for a script that asks for it, the body as it is.
func (f *Function) envelope(s *scorer, r *Request) (payload, error) {
	if s.whole {
		return payload{body: r.Body, value: r.Body, offset: 0}, notUTF8(r.Body)
	}
	p := payload{body: toUTF8(r.Body), offset: -1}
	first := jsonscan.Space(p.body, 0)
	switch {
	case first == len(p.body):
		return p, Errorf(Invalid, "POST body is empty. Expecting a JSON dictionary.")
	case p.body[first] != '{' && r.bareList && p.body[first] == '[':
		p.value, p.offset = p.body[first:], first
		return p, nil
	case p.body[first] != '{':
		return p, notAnObject(p.body)
	}
	if s.parameters != nil {
		return f.named(s, p)
	}
	found := ""
	var other []string
	err := jsonscan.Object(p.body, func(name []byte, from, to int) error {
		w, ok := forms[string(name)]
		if !ok {
			if s.inputNamed(string(name)) {
				other = append(other, string(name))
			}
			_, err := jsonscan.Skip(p.body, from, jsonscan.MaxDepth)
			return err
		}
		if found != "" && (found != string(name) || !f.lastWins()) {
			return twoForms(found, string(name), from)
		}
		found, p.value, p.offset, p.wrap = string(name), p.body[from:to], from, w
		return nil
	})
	switch {
	case err != nil:
		return p, undecodable(strictly(p.body, err), p.body, 0)
	case found == "" && len(other) > 0: // the inputs as parameters of their own
		p.value, p.offset = p.body, 0
		return p, nil
	case found == "":
		return p, missing("data")
	case found == "Inputs":
		return onlyTable(s, p), nil
	}
	return p, nil
}

// lastWins tells that the documented score.py is to be imitated: json.loads keeps the last of two equal keys.
func (f *Function) lastWins() bool { return f.settings.Errors == entryScript }

func twoForms(a, b string, at int) error {
	if a == b {
		return &jsonscan.Error{Offset: at, Msg: `"` + a + `" is given twice`}
	}
	return Errorf(Invalid, "The body has %q and %q: expected one of them.", a, b)
}

func missing(parameter string) error {
	return Errorf(Invalid, "A value is not provided for the '%s' parameter.", parameter)
}

// onlyTable unwraps what Power BI's designer services put around their only table: {"WebServiceInput0": [...]}.
func onlyTable(s *scorer, p payload) payload {
	var name string
	n, from, to := 0, 0, 0
	err := jsonscan.Object(p.value, func(key []byte, start, end int) error {
		name, from, to = string(key), start, end
		n++
		return nil
	})
	if err == nil && n == 1 && !s.inputNamed(name) {
		p.value, p.offset = p.value[from:to], p.offset+from
	}
	return p
}

// named makes the object of the parameters that the script declares: what was sent, else their defaults.
func (f *Function) named(s *scorer, p payload) (payload, error) {
	sent := make(map[string]json.RawMessage, len(s.parameters))
	err := jsonscan.Object(p.body, func(name []byte, from, to int) error {
		if err := checkValue(p.body[from:to]); err != nil {
			return shifted(err, from)
		}
		sent[string(name)] = p.body[from:to] // the last of two wins, as in the reference server
		return nil
	})
	if err != nil {
		return p, undecodable(err, p.body, 0)
	}
	b := []byte{'{'}
	for _, d := range s.parameters {
		v, ok := sent[d.Name]
		if !ok {
			if v = d.Default; v == nil {
				return p, missing(d.Name)
			}
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(appendASCII(b, d.Name), ':'), v...)
	}
	p.value = append(b, '}')
	return p, nil
}

// strictly is the error of a whole body that jsonscan.Object refused: a walk that looks into values knows better what was
// expected at that place.
func strictly(body []byte, err error) error {
	was, ok := asScan(err)
	if better, isScan := asScan(checkValue(body)); ok && isScan && better.Offset >= was.Offset {
		return better
	}
	return err
}

// shifted moves the offset of an error of jsonscan.
func shifted(err error, by int) error {
	if e, ok := asScan(err); ok {
		return &jsonscan.Error{Offset: e.Offset + by, Msg: e.Msg}
	}
	return err
}

func notAnObject(body []byte) error {
	if err := checkValue(body); err != nil {
		return undecodable(err, body, 0)
	}
	return Errorf(Invalid, "POST body should be a JSON dictionary.")
}

// checkValue checks that text is one JSON value.
func checkValue(text []byte) error {
	end, err := jsonscan.Skip(text, 0, jsonscan.MaxDepth)
	if err == nil {
		if end = jsonscan.Space(text, end); end != len(text) {
			err = &jsonscan.Error{Offset: end, Msg: "unexpected text after the value"}
		}
	}
	return err
}

// mediaType is a Content-Type without its parameters.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// isJSON tells a media type that declares JSON.
func isJSON(media string) bool {
	return media == jsonType || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// inputNamed tells whether the model has an input of that name.
func (s *scorer) inputNamed(name string) bool { return slices.Contains(s.inputs, name) }
