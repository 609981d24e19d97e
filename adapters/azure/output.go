package azure

import (
	"bytes"
	"strings"

	"github.com/scorefn/scorefn/function"
)

// answer is what the host reads: {"Outputs":{name:value},"Logs":[text],"ReturnValue":value}.
type answer struct {
	outputs []output
	logs    []string
}

type output struct {
	name  string
	value []byte // JSON
}

func (a *answer) set(name string, value []byte) { a.outputs = append(a.outputs, output{name, value}) }

// mostLogs is how many lines an answer has for the function's own log.
const mostLogs = 20

func (a *answer) log(text string) {
	if len(a.logs) < mostLogs {
		a.logs = append(a.logs, text)
	}
}

// json is never empty, and no null: on either the host would wait until functionTimeout.
func (a answer) json() []byte {
	dst, returned, n := []byte(`{"Outputs":{`), []byte("null"), 0
	for _, o := range a.outputs {
		if o.name == "$return" {
			returned = o.value
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = append(append(appendString(dst, o.name), ':'), o.value...)
	}
	dst = append(dst, `},"Logs":[`...)
	for i, l := range a.logs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, l)
	}
	return append(append(append(dst, `],"ReturnValue":`...), returned...), '}')
}

// setOutputs gives results to the function's output bindings: one document to each. Errors go with them, or to the binding
// named error where there is one. The error is an answer that a binding cannot take.
func (s *server) setOutputs(a *answer, f *fn, results []result, one bool) error {
	var good, bad []result
	apart := false
	for _, b := range f.outputs {
		apart = apart || isErrorBinding(b)
	}
	for _, r := range results {
		switch {
		case r.skipped != "":
		case r.err != nil && apart:
			bad = append(bad, r)
		default:
			good = append(good, r)
		}
	}
	for _, b := range f.outputs {
		list := good
		if isErrorBinding(b) {
			list = bad
		}
		if b.is("http") || len(list) == 0 {
			continue
		}
		doc := document(list, one)
		if b.is("blob") && one && list[0].err == nil && list[0].stored == "" && !isJSON(list[0].contentType) {
			doc = list[0].body // lines of JSON in a blob are lines of JSON
		}
		if b.is("queue") && len(doc) > s.app.maxMessage() {
			return function.Errorf(function.TooLarge, "The answer has %d bytes, a message of a queue has room for %d: store answers with SCOREFN_OUTPUT or in a blob output binding.", len(doc), s.app.maxMessage())
		}
		a.set(b.Name, b.encode(doc))
	}
	return nil
}

func isErrorBinding(b binding) bool { return equal(b.Name, "error") || equal(b.Name, "errors") }

// maxMessage is the largest message of a queue (Azure Storage documentation, "Scalability and performance targets for Queue
// Storage"), of which base64 takes its part.
func (a *app) maxMessage() int {
	if a.plainQueue {
		return 64 << 10
	}
	return 48 << 10
}

// document is {"id":"…","result":answer} for one result, with "output" in place of it where it is stored and "error" where there
// is none, and {"results":[…]} of such for several.
func document(results []result, one bool) []byte {
	if one && len(results) == 1 {
		return appendResult(nil, results[0])
	}
	dst := []byte(`{"results":[`)
	for i, r := range results {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendResult(dst, r)
	}
	return append(dst, "]}"...)
}

func appendResult(dst []byte, r result) []byte {
	dst = appendString(append(dst, `{"id":`...), r.id)
	switch {
	case r.err != nil:
		e := function.AsError(r.err)
		dst = appendString(append(dst, `,"error":{"kind":`...), e.Kind.String())
		dst = append(appendString(append(dst, `,"message":`...), e.Msg), '}')
	case r.stored != "":
		dst = appendString(append(dst, `,"output":`...), r.stored)
	case isJSON(r.contentType):
		dst = append(append(dst, `,"result":`...), bytes.TrimSpace(r.body)...)
	case strings.HasSuffix(mediaType(r.contentType), "ndjson"):
		lines := bytes.Split(bytes.TrimSpace(r.body), []byte("\n"))
		dst = append(append(append(dst, `,"results":[`...), bytes.Join(lines, []byte(","))...), ']')
	default:
		dst = appendBase64(append(dst, `,"base64":`...), r.body)
	}
	return append(dst, '}')
}

// encode is a document as the value of an output. To a queue, an event hub and a blob it goes in base64, of which the host makes
// exactly these bytes; as an object it would be written anew, indented, with other numbers and dates. To other bindings, which
// take such a string for what it is, it goes as the object that it is.
func (b binding) encode(doc []byte) []byte {
	exact := b.is("queue") || b.is("eventHub") || b.is("blob")
	switch {
	case exact && !b.binary():
		return appendBase64(nil, doc)
	case isValue(doc) && raw(doc).starts('{'):
		return doc
	}
	return appendString(nil, string(doc)) // SCOREFN_NONFINITE=token has words that are no JSON
}
