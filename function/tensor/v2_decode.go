package tensor

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// v2 is a call of [Decoder.V2].
type v2 struct {
	d    *Decoder
	s    *scan
	b    *Batch
	req  *V2Request
	body []byte
	text []byte  // the JSON part of body
	next int     // where in body the bytes of the next input begin
	in   v2Input // at hand
	flat [1]int64
}

// V2 decodes an inference request of the Open Inference Protocol (inference_rest.md): the inputs into the values of into, value i
// being input i, of KindNone where an optional one was left out, and the rest into req. headerLen is the value of the request header
// Inference-Header-Content-Length: how many bytes of body are JSON, before the bytes of tensors (extension_binary_data.md); -1 when the
// header is absent and all of body is JSON; 0 when none is and body is the one required input in bytes.
//
// Members may come in any order, those that are not known are ignored, and id, parameters, outputs and data may be null, which is
// the same as leaving them out. A member that is known must not come twice.
//
// The shape of an input must be one that the model takes, its datatype the model's own: nothing is converted. data is one flat array,
// or arrays nested as the shape says, or a bare value for rank 0. Values are read as [Decoder.JSON] reads them, with NaN, Infinity
// and null for floats, exact integers, and 16-bit floats as numbers, which other servers refuse. BOOL is true or false only. BYTES are
// strings; bytes that are not UTF-8 must come after the JSON. Only tensors can be expressed, and an optional that holds one.
//
// An input with the parameter binary_data_size has no data: its bytes follow the JSON, in the order of such inputs, and must be
// exactly as many as its shape tells. They are elements little-endian in row-major order, BOOL as 0 or 1, BYTES as a length of 4 bytes
// and the bytes, each. Such values may point into body, where that is aligned for them, and are valid as long as body is, besides
// what [Batch] says; strings are copies.
//
// Without JSON (headerLen 0), the shape is the declared one. One free dimension is worked out from the length of body, and where the
// first is free besides it, that is 1, the batch of this form. BYTES is one element, the whole body without a length before it, and no
// dimension may be other than 1.
//
// A request for no outputs, [], wants all of them, as in Triton; one for more than 10,000 is refused. A mistake in the request is an
// [*Error], whose path is like inputs[0].data[2], and leaves into without values and req empty.
func (d *Decoder) V2(body []byte, headerLen int, req *V2Request, into *Batch) error {
	req.Reset()
	into.Reset(len(d.inputs))
	err := d.v2(body, headerLen, req, into)
	if err != nil {
		into.Reset(0)
		req.Reset()
	}
	return err
}

func (d *Decoder) v2(body []byte, headerLen int, req *V2Request, into *Batch) error {
	switch {
	case headerLen == 0:
		return d.v2Raw(body, into)
	case headerLen > len(body) || headerLen < -1:
		return &Error{Offset: -1, Msg: fmt.Sprintf("Inference-Header-Content-Length is %d, the body has %d bytes", headerLen, len(body))}
	case headerLen < 0:
		headerLen = len(body)
	}
	p := &req.call
	p.d, p.s, p.b, p.req, p.body, p.text, p.next = d, &into.scan, into, req, body, body[:headerLen], headerLen
	p.s.begin(p.text, d.o)
	err := p.request()
	p.s.finish()
	*p = v2{}                      // it must not hold what is not its own
	if e, ok := err.(*Error); ok { //nolint:errorlint // nothing here wraps it
		e.Path = strings.TrimPrefix(e.Path, ".")
	}
	return err
}

func (p *v2) request() error {
	seen := 0
	end, err := p.object(jsonscan.Space(p.text, 0), func(name []byte, i int) (end int, err error) {
		switch string(name) {
		case "id":
			if err := p.once(&seen, 1, i); err != nil || p.null(i) {
				return i + 4, err
			}
			text, end, err := p.str(i)
			if err == nil {
				p.req.ID, p.req.HasID = again(p.req.was, text), true
			}
			return end, err
		case "parameters":
			if err := p.once(&seen, 2, i); err != nil || p.null(i) {
				return i + 4, err
			}
			end, err := p.parameters(i)
			if err == nil {
				p.req.Parameters = json.RawMessage(p.text[i:end:end])
			}
			return end, err
		case "inputs":
			if err := p.once(&seen, 4, i); err != nil || p.null(i) {
				return i + 4, err
			}
			return p.list(i, func(_, i int) (int, error) { return p.input(i) })
		case "outputs":
			if err := p.once(&seen, 8, i); err != nil || p.null(i) {
				return i + 4, err
			}
			return p.list(i, func(_, i int) (int, error) { return p.output(i) })
		}
		return p.skip(i)
	})
	if err != nil {
		return err
	}
	if i := jsonscan.Space(p.text, end); i < len(p.text) {
		return p.s.syntax(i, "unexpected text after the request")
	}
	if err := p.d.complete(p.b); err != nil {
		return under("inputs", err)
	}
	if n := len(p.body) - p.next; n > 0 {
		after := len(p.body) - len(p.text)
		return &Error{Offset: p.next, Msg: fmt.Sprintf("%s after the JSON, the inputs' binary_data_size add up to %d", counted(after, "byte"), after-n)}
	}
	return nil
}

// parameters reads those of the request.
func (p *v2) parameters(i int) (end int, err error) {
	seen := 0
	return p.object(i, func(name []byte, i int) (end int, err error) {
		if string(name) != "binary_data_output" {
			return p.skip(i)
		}
		if err := p.once(&seen, 1, i); err != nil {
			return i, err
		}
		p.req.BinaryOutput, end, err = p.boolean(i)
		return end, err
	})
}

// output reads an output that is asked for.
func (p *v2) output(start int) (end int, err error) {
	r := p.req
	if len(r.Outputs) == mostOutputs {
		return start, p.s.syntax(start, "more than %d outputs are asked for", mostOutputs)
	}
	if len(r.Outputs) < cap(r.Outputs) {
		r.Outputs = r.Outputs[:len(r.Outputs)+1] // which may have its name already
	} else {
		r.Outputs = append(r.Outputs, V2Output{})
	}
	o := &r.Outputs[len(r.Outputs)-1]
	*o = V2Output{Name: o.Name}
	seen := 0
	end, err = p.object(start, func(name []byte, i int) (end int, err error) {
		switch string(name) {
		case "name":
			if err := p.once(&seen, 1, i); err != nil {
				return i, err
			}
			text, end, err := p.str(i)
			if err != nil {
				return i, err
			}
			o.Name = again(o.Name, text)
			if p.req.asked() {
				return i, p.s.syntax(i, "output %.100q is asked for twice", o.Name)
			}
			return end, nil
		case "parameters":
			if err := p.once(&seen, 2, i); err != nil || p.null(i) {
				return i + 4, err
			}
			return p.outputParameters(o, i)
		}
		return p.skip(i)
	})
	if err == nil && seen&1 == 0 {
		err = p.s.syntax(start, "name is missing")
	}
	return end, err
}

func (p *v2) outputParameters(o *V2Output, i int) (end int, err error) {
	seen := 0
	return p.object(i, func(name []byte, i int) (end int, err error) {
		switch string(name) {
		case "binary_data":
			if err := p.once(&seen, 1, i); err != nil {
				return i, err
			}
			o.Binary, end, err = p.boolean(i)
			o.HasBinary = true
			return end, err
		case "classification": // other text instead of the tensor's numbers: ignored, it would be misread
			return i, p.s.syntax(i, "classes instead of numbers are not supported")
		}
		return p.skip(i)
	})
}

// asked tells that the last output was asked for before.
func (r *V2Request) asked() bool {
	const few = 16
	last := len(r.Outputs) - 1
	name := r.Outputs[last].Name
	if last < few {
		for i := range r.Outputs[:last] {
			if r.Outputs[i].Name == name {
				return true
			}
		}
		return false
	}
	if r.names == nil {
		r.names = make(map[string]struct{}, 4*few)
		for i := range r.Outputs[:last] {
			r.names[r.Outputs[i].Name] = struct{}{}
		}
	}
	_, ok := r.names[name]
	r.names[name] = struct{}{}
	return ok
}
