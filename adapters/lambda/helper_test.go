package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
)

// twice is a script that doubles a number and misbehaves on request.
type twice struct{}

func (twice) Run(ctx context.Context, data json.RawMessage) (any, error) {
	switch string(data) {
	case `"invalid"`:
		return nil, function.Errorf(function.Invalid, "data is not a number")
	case `"broken"`:
		return nil, errors.New("secret of the script")
	case `"panic"`:
		panic("secret of the panic")
	case `"slow"`:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case `"large"`:
		return strings.Repeat("x", 7<<20), nil
	case `"medium"`:
		return strings.Repeat("x", 2<<20), nil
	case `"echo"`:
		return data, nil
	}
	var n float64
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, err
	}
	return 2 * n, nil
}

// key is the object that the fixtures name.
const key = "s3://inputs/day 1/a+b (é).json"

// busy is a store in which one object cannot be had just now.
type busy struct{ blob.Store }

func (b busy) Get(ctx context.Context, url string) (*blob.Object, error) {
	if strings.HasSuffix(url, "/busy.json") {
		return nil, fmt.Errorf("%w: try later", blob.ErrTemporary)
	}
	return b.Store.Get(ctx, url)
}

func newStore(tb testing.TB) blob.Store {
	tb.Helper()
	s := blob.Mem()
	if err := s.Put(tb.Context(), key, "application/json", []byte(`{"data":21}`)); err != nil {
		tb.Fatal(err)
	}
	return busy{s}
}

// newTest is a handler of twice.
func newTest(tb testing.TB, env map[string]string, opts ...Option) *handler {
	tb.Helper()
	f := function.New(
		func(context.Context, modeldir.Model) (function.Script, error) { return twice{}, nil },
		function.WithModel(modeldir.Model{Name: "twice", Version: "1"}))
	tb.Cleanup(func() { _ = f.Close() })
	opts = append([]Option{WithStore(newStore(tb)), WithEnv(func(name string) string { return env[name] })}, opts...)
	h, err := newHandler(f, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// invoke calls h as aws-lambda-go does, which uses the payload's memory for the next event.
func invoke(tb testing.TB, h *handler, payload []byte) ([]byte, error) {
	tb.Helper()
	ctx := lambdacontext.NewContext(tb.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd"})
	payload = bytes.Clone(payload)
	out, err := h.Invoke(ctx, payload)
	clear(payload)
	return out, err
}

func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// fixtures are the names of all of them.
func fixtures(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no fixtures: %v", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	return files
}

// typeOf is the errorType of an error of Invoke, which must be typed and not wrapped.
func typeOf(tb testing.TB, err error) (kind, message string) {
	tb.Helper()
	e, ok := err.(messages.InvokeResponse_Error) //nolint:errorlint // as aws-lambda-go looks at it
	if !ok {
		tb.Fatalf("got %T %v", err, err)
	}
	if e.ShouldExit {
		tb.Errorf("the process would end: %v", e)
	}
	return e.Type, e.Message
}
