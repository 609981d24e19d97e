package function

import (
	"strings"

	"github.com/scorefn/scorefn/function/tensor"
)

// tensors is the answer of a model whose script does not say another.
type tensors struct {
	names  []string
	values []tensor.Value
}

func (t *tensors) Tensors() ([]string, []tensor.Value) { return t.names, t.values }

func (t *tensors) AppendJSON(dst []byte, o tensor.EncodeOptions) ([]byte, error) {
	return AppendOutputs(dst, t.names, t.values, o)
}

// AppendOutputs is a model's answer in JSON: one output bare, several as an object by name.
func AppendOutputs(dst []byte, names []string, values []tensor.Value, o tensor.EncodeOptions) ([]byte, error) {
	if len(values) == 1 {
		return values[0].AppendJSON(dst, o)
	}
	return tensor.AppendObject(dst, names, values, o)
}

// reply writes an answer in the form that suits the request, and lets go of its memory.
func (f *Function) reply(dst []byte, answer any, w wrap, accept string) (Response, error) {
	if r, ok := answer.(releaser); ok {
		defer r.Release()
	}
	t, isTensors := answer.(TensorAnswer)
	if isTensors && w == bare && accept != "" {
		if media, write := format(accept); write != nil {
			names, values := t.Tensors()
			out, err := write(dst, names, values, f.encoding())
			if err != nil {
				return Response{}, Errorf(NotAcceptable, "The answer cannot be written as %s: %w", media, err)
			}
			return Response{media, out}, nil
		}
	}
	out, err := dst, error(nil)
	switch w {
	case bare:
		out, err = f.encode(out, answer)
		return Response{jsonType, out}, err
	case predictions:
		out = append(out, `{"predictions": `...)
		if isTensors {
			names, values := t.Tensors()
			if out, err = tensor.AppendRows(out, names, values, f.encoding()); err != nil {
				err = notEncoded(err)
			}
		} else {
			out, err = f.encode(out, answer)
		}
	case outputs:
		out, err = f.encode(append(out, `{"outputs": `...), answer)
	case results:
		out, err = f.encode(append(out, `{"Results": `...), answer)
	}
	if err != nil {
		return Response{}, err
	}
	return Response{jsonType, append(out, '}')}, nil
}

func (f *Function) encoding() tensor.EncodeOptions {
	if f.settings.NonFinite == "token" {
		return tensor.EncodeOptions{NonFinite: tensor.NonFiniteToken}
	}
	return tensor.EncodeOptions{}
}

type writeFunc func(dst []byte, names []string, values []tensor.Value, o tensor.EncodeOptions) ([]byte, error)

// format is the first media type of an Accept header that an answer can be written in; write is nil for JSON.
func format(accept string) (media string, write writeFunc) {
	for part := range strings.SplitSeq(accept, ",") {
		switch media = mediaType(part); media {
		case jsonType, "*/*", "application/*":
			return jsonType, nil
		case "text/csv":
			return media, func(dst []byte, _ []string, v []tensor.Value, o tensor.EncodeOptions) ([]byte, error) {
				return tensor.AppendCSV(dst, v, o)
			}
		case "application/x-npy":
			return media, only(tensor.AppendNPY)
		case "application/octet-stream":
			return media, only(tensor.AppendRaw)
		}
	}
	return jsonType, nil
}

// only is a format that holds one tensor.
func only(write func([]byte, tensor.Value) ([]byte, error)) writeFunc {
	return func(dst []byte, names []string, values []tensor.Value, _ tensor.EncodeOptions) ([]byte, error) {
		if len(values) != 1 {
			return dst, Errorf(NotAcceptable, "it has %d outputs (%s), choose one in score.json", len(values), strings.Join(names, ", "))
		}
		return write(dst, values[0])
	}
}
