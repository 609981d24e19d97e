package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// Metadata is what a model's file says about itself.
type Metadata struct {
	IR       int64             // version of the file format
	Opsets   map[string]int64  // operator domain ("" is ai.onnx) to version
	Producer string            // the tool that wrote the file
	Custom   map[string]string // metadata_props; values over 1 MiB are left out
}

// Signature is what a model takes and gives.
type Signature struct {
	Metadata
	Inputs  []tensor.Spec  // required inputs, then those with a default in the file (Optional), each in the model's order
	Outputs []tensor.Spec  // in the model's order
	Weights []string       // files beside the model that hold weights
	Ops     map[string]int // operator ("domain.Op" outside ai.onnx) to nodes, in subgraphs and model-local functions as well
}

// errNotModel stands for any damage: the file is no ONNX model or only a part of one.
var errNotModel = errors.New("not an ONNX model, or a damaged one")

// ReadSignature reads the signature of an .onnx file without ONNX Runtime: it walks the protobuf message ModelProto and
// seeks over the weights, which takes microseconds. The contract is onnx.proto of the ONNX project. Whether the operators
// and weights make sense is for [Open] to find out.
//
// In a file of IR version 3 and older every weight is listed among the inputs; those may not be replaced and are left out.
func ReadSignature(path string) (*Signature, error) {
	if err := regularFile(path); err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, err)
	}
	s, err := readSignature(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, err)
	}
	return s, nil
}

func readSignature(r io.ReadSeeker, size int64) (*Signature, error) {
	s := &Signature{Metadata: Metadata{Opsets: map[string]int64{}, Custom: map[string]string{}}, Ops: map[string]int{}}
	w := &modelWalker{walker: newWalker(r), s: s, weights: map[string]bool{}}
	if err := w.message(size, w.model); err != nil {
		return nil, err
	}
	if !w.graph {
		return nil, errNotModel
	}
	var optional []tensor.Spec
	for _, in := range w.inputs {
		switch {
		case !w.weights[in.Name]:
			s.Inputs = append(s.Inputs, in)
		case s.IR >= 4: // since then a default is a choice of the model's author
			in.Optional = true
			optional = append(optional, in)
		}
	}
	s.Inputs = append(s.Inputs, optional...)
	return s, nil
}

// modelWalker is the part of the walk that knows the messages. Fields are numbered as in onnx.proto.
type modelWalker struct {
	*walker
	s       *Signature
	inputs  []tensor.Spec
	weights map[string]bool // names of the main graph's initializers
	graph   bool            // there was one
	depth   int             // of subgraphs
}

// maxDepth bounds nested subgraphs and nested types: no real model comes near.
const maxDepth = 64

// model reads a field of ModelProto.
func (w *modelWalker) model(num, wire int, v uint64) error {
	switch {
	case num == 1 && wire == wireVarint: // ir_version
		w.s.IR = int64(v)
		return nil
	case num == 2 && wire == wireBytes: // producer_name
		return w.text(v, &w.s.Producer)
	case num == 7 && wire == wireBytes: // graph
		w.graph = true
		return w.within(v, w.mainGraph)
	case num == 8 && wire == wireBytes: // opset_import
		return w.opset(v)
	case num == 14 && wire == wireBytes: // metadata_props
		return w.property(v)
	case num == 25 && wire == wireBytes: // functions
		return w.within(v, func(num, wire int, v uint64) error {
			if num == 7 && wire == wireBytes { // FunctionProto.node
				return w.node(v)
			}
			return w.rest(wire, v)
		})
	}
	return w.rest(wire, v)
}

// opset reads an OperatorSetIdProto: 1 domain, 2 version.
func (w *modelWalker) opset(size uint64) error {
	domain, version := "", int64(0)
	err := w.within(size, func(num, wire int, v uint64) error {
		switch {
		case num == 1 && wire == wireBytes:
			return w.text(v, &domain)
		case num == 2 && wire == wireVarint:
			version = int64(v)
			return nil
		}
		return w.rest(wire, v)
	})
	if domain == "ai.onnx" {
		domain = ""
	}
	w.s.Opsets[domain] = version
	return err
}

// property reads a StringStringEntryProto of the model. The last of two with one key stands.
func (w *modelWalker) property(size uint64) error {
	return w.entry(size, func(key, value string) { w.s.Custom[key] = value })
}

// entry reads a StringStringEntryProto: 1 key, 2 value. One that is too long is passed over.
func (w *modelWalker) entry(size uint64, take func(key, value string)) error {
	if size > maxText {
		return w.skip(size)
	}
	key, value := "", ""
	err := w.within(size, func(num, wire int, v uint64) error {
		switch {
		case num == 1 && wire == wireBytes:
			return w.text(v, &key)
		case num == 2 && wire == wireBytes:
			return w.text(v, &value)
		}
		return w.rest(wire, v)
	})
	take(key, value)
	return err
}

// mainGraph reads a field of the model's GraphProto.
func (w *modelWalker) mainGraph(num, wire int, v uint64) error {
	if wire != wireBytes {
		return nil
	}
	switch num {
	case 1: // node
		return w.node(v)
	case 5: // initializer
		return w.within(v, w.weight)
	case 15: // sparse_initializer: its 1 values is a TensorProto, which has the name
		return w.within(v, func(num, wire int, v uint64) error {
			if num == 1 && wire == wireBytes {
				return w.within(v, w.weight)
			}
			return w.rest(wire, v)
		})
	case 11, 12: // input, output
		b, err := w.bytes(v)
		if err != nil {
			return err
		}
		spec, err := valueInfo(b)
		if num == 11 {
			w.inputs = append(w.inputs, spec)
		} else {
			w.s.Outputs = append(w.s.Outputs, spec)
		}
		return err
	}
	return w.skip(v)
}

// weight reads a field of a TensorProto: 8 name, 13 external_data. Everything else, the data above all, is skipped.
func (w *modelWalker) weight(num, wire int, v uint64) error {
	if num == 13 && wire == wireBytes {
		return w.entry(v, func(key, value string) {
			if key == "location" && !slices.Contains(w.s.Weights, value) {
				w.s.Weights = append(w.s.Weights, value)
			}
		})
	}
	if num == 8 && wire == wireBytes {
		var name string
		err := w.text(v, &name)
		w.weights[name] = true
		return err
	}
	return w.rest(wire, v)
}

// node reads a NodeProto: 4 op_type, 5 attribute, 7 domain.
func (w *modelWalker) node(size uint64) error {
	op, domain := "", ""
	err := w.within(size, func(num, wire int, v uint64) error {
		switch {
		case num == 4 && wire == wireBytes:
			return w.text(v, &op)
		case num == 5 && wire == wireBytes:
			return w.within(v, w.attribute)
		case num == 7 && wire == wireBytes:
			return w.text(v, &domain)
		}
		return w.rest(wire, v)
	})
	if domain != "" && domain != "ai.onnx" {
		op = domain + "." + op
	}
	w.s.Ops[op]++
	return err
}

// attribute reads a field of an AttributeProto: 6 g and 11 graphs are the bodies of If, Loop and Scan, of which only the
// nodes (1) matter: their inputs, outputs and initializers are not the model's.
func (w *modelWalker) attribute(num, wire int, v uint64) error {
	if wire != wireBytes || num != 6 && num != 11 {
		return w.rest(wire, v)
	}
	if w.depth++; w.depth > maxDepth {
		return errNotModel
	}
	defer func() { w.depth-- }()
	return w.within(v, func(num, wire int, v uint64) error {
		if num == 1 && wire == wireBytes {
			return w.node(v)
		}
		return w.rest(wire, v)
	})
}
