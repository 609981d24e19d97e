package function

import (
	"context"
	"encoding/json"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/tensor"
)

// Init is the contract's init(): it loads the model m and returns the script that scores with it. It runs once for all
// callers; its context is not cancelled when the request that came first goes away. After an error or a panic a later
// request runs it again, so it must leave nothing behind when it fails.
type Init func(ctx context.Context, m modeldir.Model) (Script, error)

// Script is the contract's run(data). Run gets exactly the bytes of the request's "data" value, which are valid JSON, and
// returns what the caller is to read: anything that encoding/json can write, or a [JSONAppender]; nil is answered {}.
// It is called by many goroutines at one time. It must stop when ctx is done. It must not keep data after it returns: the
// memory is used for the next request. Errors made with [Errorf], *tensor.Error and the errors of encoding/json's decoder
// are the client's fault where they say so; every other error is answered as an internal error and logged in full.
//
// A script may also be an [io.Closer], which is closed with the function, and have any of the methods of the interfaces
// below; *onnx.Session has some of them, which a script that embeds it promotes.
type Script interface {
	Run(ctx context.Context, data json.RawMessage) (any, error)
}

// JSONAppender is an answer that writes itself, as tensors do: faster than encoding/json, and exact. When it also has a
// method Release, that is called once the answer is written.
type JSONAppender interface {
	AppendJSON(dst []byte, o tensor.EncodeOptions) ([]byte, error)
}

// TensorAnswer is an answer that is tensors, by name: it can also be written as rows, CSV, NPY or raw bytes.
type TensorAnswer interface {
	Tensors() (names []string, values []tensor.Value)
}

// Concurrent is a script that knows how many of its runs make sense at one time.
type Concurrent interface {
	Concurrency() int
}

// Batcher is a script whose model can score the rows of several requests in one run, as *onnx.Session can: SCOREFN_BATCH.
// Batch is called once, before the model is warmed up. Its error says why the model cannot. When it can, Run is called by as
// many goroutines at one time as there are rows in all runs; the joiner bounds the model's runs.
type Batcher interface {
	Batch(o batch.Options) (*batch.Joiner, error)
}

// Sampler is a script that has a request body to warm up with and to show in the API documents, {"data": …}. Without it the
// file sample.json beside the model is used where there is one.
type Sampler interface {
	Sample() []byte
}

// Warmed is a script that may have run its model already when init returns: then the sample is not scored to warm it up.
type Warmed interface {
	Warmed() bool
}

// SelfChecking is a script that itself refuses data which is not one valid JSON value, and so saves the check that is made
// before Run otherwise.
type SelfChecking interface {
	ChecksJSON()
}

// Parameter is one parameter of a script that takes others than data.
type Parameter struct {
	Name    string
	Default json.RawMessage // what an absent one is; nil when it is required
}

// Named is a script whose run() has parameters of its own names: run(num, size). Its Run gets a JSON object of exactly these
// parameters. The body, or the query of a GET request, has each under its name; other keys are ignored.
type Named interface {
	Parameters() []Parameter
}

// WholeBody is a script whose Run gets the whole body as it is, which need not be JSON, or the JSON object that the query of
// a GET request stands for: what an undecorated run() of the reference server gets.
type WholeBody interface {
	TakesBody()
}

// Inferer is a script that is also a model of tensors: CSV, NPY and raw bodies are then decoded to its inputs, and its
// outputs are the answer.
type Inferer interface {
	Inputs() []tensor.Spec
	Outputs() []tensor.Spec
	Infer(ctx context.Context, inputs ...tensor.Value) ([]tensor.Value, error)
}

// TensorScript is an Inferer with a say in what the answer is: Score is Run for values that are tensors already.
type TensorScript interface {
	Inferer
	Score(ctx context.Context, inputs []tensor.Value) (any, error)
}

// ImageScript is a script that takes pictures: DecodeImage makes one (PNG, JPEG, WebP) the inputs that Score takes. It is
// asked only when TakesImages is true.
type ImageScript interface {
	TakesImages() bool
	DecodeImage(body []byte, into *tensor.Batch) error
}

// releaser is an answer whose memory is used again once it is written.
type releaser interface{ Release() }
