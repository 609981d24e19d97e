package azureemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// answer is a handler's answer to a payload, HttpScriptInvocationResult of the host.
type answer struct {
	outputs map[string]json.RawMessage // nil when there is no "Outputs"
	logs    []string
	ret     json.RawMessage // nil or JSON
}

// errHang is an answer that never completes the invocation: the host waits for the function's timeout.
var errHang = errors.New("the answer is empty: the invocation does not end")

// readAnswer reads what a handler answered to a payload, as GetHttpScriptInvocationResult does. The errors have the words of
// the host's exceptions.
func readAnswer(status int, contentType string, body []byte, overHTTP bool, ts *traps) (*answer, error) {
	if status < 200 || status > 299 {
		err := fmt.Errorf("HttpRequestException: Response status code does not indicate success: %d (%s)", status, http.StatusText(status))
		if !overHTTP { // a failed try of an event; Azure does not show the text
			return nil, fmt.Errorf("%w; the handler says %s", err, short(string(body)))
		}
		ts.add("status", "the handler answered %d: the client gets 500 with an empty body, and the text %q is shown to nobody; answer 200 with "+
			"Outputs.res.statusCode", status, short(string(body)))
		return nil, err
	}
	media, _, err := mime.ParseMediaType(contentType)
	if len(body) == 0 || isJSONMedia(media) && string(bytes.TrimSpace(body)) == "null" {
		ts.add("empty-body", "the handler answered %d with nothing, or null: the host does not notice the end of the invocation and kills the "+
			`handler at functionTimeout. Answer {"Outputs":{},"Logs":[],"ReturnValue":null}`, status)
		return nil, errHang
	}
	if err != nil || !isJSONMedia(media) {
		ts.add("media-type", "the handler answered with Content-Type %q: only application/json and text/json are read", contentType)
		return nil, fmt.Errorf("UnsupportedMediaTypeException: No MediaTypeFormatter is available to read an object of type "+
			"'HttpScriptInvocationResult' from content with media type '%s'", media)
	}
	invalid := func(why string) error {
		ts.add("not-an-envelope", `the handler's answer is not {"Outputs":{…},"Logs":["…"],"ReturnValue":…}: %s`, why)
		return fmt.Errorf("InvalidOperationException: Invalid HttpResponseMessage: %s", short(string(body)))
	}
	var f struct{ Outputs, Logs, ReturnValue json.RawMessage }
	if err := json.Unmarshal(body, &f); err != nil {
		return nil, invalid(err.Error())
	}
	a := &answer{ret: f.ReturnValue}
	if err := unmarshal(f.Outputs, &a.outputs); err != nil {
		return nil, invalid("Outputs must be an object")
	}
	if err := unmarshal(f.Logs, &a.logs); err != nil {
		return nil, invalid("Logs must be an array of strings")
	}
	if string(a.ret) == "null" {
		a.ret = nil
	}
	return a, nil
}

func isJSONMedia(media string) bool { return media == "application/json" || media == "text/json" }

// unmarshal reads what may be absent.
func unmarshal(raw json.RawMessage, to any) error {
	if raw == nil {
		return nil
	}
	return json.Unmarshal(raw, to)
}

// bind gives every output binding its value: $return gets the return value, without one the keys of a returned object count
// as outputs.
func (a *answer) bind(f *Function, ts *traps) map[*Binding]json.RawMessage {
	bound := map[*Binding]json.RawMessage{}
	give := func(name string, v json.RawMessage) {
		b := f.output(name)
		if b == nil {
			ts.add("unbound", "output %q has no binding in function.json: the host drops it", name)
			return
		}
		bound[b] = v
	}
	var returned map[string]json.RawMessage
	if b := f.output("$return"); b != nil {
		if a.ret != nil {
			bound[b] = a.ret
		}
	} else if a.ret != nil && json.Unmarshal(a.ret, &returned) == nil {
		for name, v := range returned {
			if f.output(name) != nil {
				bound[f.output(name)] = v
			}
		}
	}
	for name, v := range a.outputs {
		give(name, v)
	}
	return bound
}

// httpAnswer is what the client of an HTTP function gets.
type httpAnswer struct {
	status int
	header http.Header
	body   []byte
}

// http is the http output's reading of the answer (GetHttpOutputBindingResponse, ScriptObjectResult).
func (a *answer) http(f *Function, ts *traps) (*httpAnswer, error) {
	empty := &httpAnswer{status: http.StatusOK, header: http.Header{}}
	var res json.RawMessage
	for b, v := range a.bind(f, ts) {
		if b.is("http") {
			res = v
		}
	}
	switch {
	case res == nil && a.outputs == nil:
		ts.add("no-res", "the answer has no value for the http output: the client gets an empty %d", empty.status)
		return empty, nil
	case res == nil:
		ts.add("no-res", "the answer has Outputs, but none for the http output: the client gets 200 and {}")
		empty.body = []byte("{}")
		return empty, nil
	}
	object := res
	var text string
	if json.Unmarshal(res, &text) == nil {
		object = json.RawMessage(text)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil || fields == nil {
		ts.add("res-text", "the http output is %s: it must be an object {statusCode, headers, body}, or the text of one", short(string(res)))
		return nil, errors.New("InvalidOperationException: Failed while trying to Deserialize to httpOutputBindingResponse. Output is not in expected format")
	}
	return readRes(fields, ts)
}

func readRes(fields map[string]json.RawMessage, ts *traps) (*httpAnswer, error) {
	h := &httpAnswer{status: http.StatusOK, header: http.Header{}}
	var body json.RawMessage
	for name, v := range fields {
		switch strings.ToLower(name) {
		case "status", "statuscode":
			h.status = statusCode(v, h.status)
		case "headers":
			h.header = headers(v)
		case "body":
			body = v
		}
	}
	if h.header.Get("Content-Type") == "" {
		h.header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	var err error
	h.body, err = resBody(body, ts)
	return h, err
}

func statusCode(raw json.RawMessage, otherwise int) int {
	n := json.Number(strings.Trim(string(raw), `"`))
	if i, err := n.Int64(); err == nil && i >= 100 && i <= 999 {
		return int(i)
	}
	return otherwise
}

// headers are the scalars of an object; an array becomes its JSON text.
func headers(raw json.RawMessage) http.Header {
	h := http.Header{}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return h
	}
	for name, v := range object {
		var text string
		if json.Unmarshal(v, &text) != nil {
			text = string(v)
		}
		h.Set(name, strings.NewReplacer("\r", " ", "\n", " ").Replace(text))
	}
	return h
}

func resBody(raw json.RawMessage, ts *traps) ([]byte, error) {
	switch v := readValue(raw, &Binding{Name: "res.body", DataType: "binary"}, ts).(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case json.RawMessage:
		ts.add("body-object", "res.body is JSON: the host writes it again, indented, with other numbers (1e-7 becomes 1E-07) and dates; "+
			"send its text as a string, with a content-type header")
		return reformat(v, true)
	default:
		return []byte(scalarText(v)), nil
	}
}
