package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
)

// SampleFile is the name of the request body beside a model that shows how to call it, and that warms it up.
const SampleFile = "sample.json"

// scorer is one loaded model.
type scorer struct {
	script      Script
	gate        *gate
	model       modeldir.Model
	selfChecked bool // the script refuses data that is not JSON
}

// load runs the script's init and one request through the whole path: the first run of a session is slower than the others,
// most of all when its weights are mapped and their pages have to be read.
func (f *Function) load(ctx context.Context, m modeldir.Model) (*scorer, error) {
	start := time.Now()
	script, err := f.init(settings.With(ctx, f.settings), m)
	if err != nil {
		return nil, withTree(m, err)
	}
	if script == nil {
		return nil, errors.New("init returned neither a script nor an error")
	}
	ok := false
	defer func() { // a panic in what follows must not leak the session
		if c, is := script.(io.Closer); is && !ok {
			_ = c.Close() // the panic is the error that counts
		}
	}()
	s := &scorer{script: script, model: m}
	_, s.selfChecked = script.(SelfChecking)
	concurrency := f.settings.Concurrency
	if concurrency == 0 {
		concurrency = f.settings.VCPUs()
		if c, is := script.(Concurrent); is {
			concurrency = c.Concurrency()
		}
	}
	s.gate = newGate(concurrency, f.settings.Queue)
	loaded := time.Now()
	f.warmUp(ctx, s)
	f.log.LogAttrs(ctx, slog.LevelInfo, "model loaded", slog.String("model", m.Name), slog.String("version", m.Version),
		slog.String("file", m.File), slog.Duration("load", loaded.Sub(start)), slog.Duration("warmup", time.Since(loaded)))
	ok = true
	return s, nil
}

// withTree adds what lies in the model's folder to an error of its init: most of them are about a file.
func withTree(m modeldir.Model, err error) error {
	if m.Dir == "" {
		return err
	}
	return fmt.Errorf("%w\n%s", err, modeldir.Tree(m.Dir, treeLines))
}

// treeLines is how much of a model folder is listed, as much as the reference server lists.
const treeLines = 200

// warmUp scores the sample. A sample that fails says nothing about other requests, so that it is logged and no more.
func (f *Function) warmUp(ctx context.Context, s *scorer) {
	body, err := sample(s)
	if err != nil {
		f.log.WarnContext(ctx, "the sample could not be read", "model", s.model.Name, "error", err)
		return
	}
	if body == nil {
		return
	}
	if _, err := f.append(ctx, nil, s, body); err != nil {
		f.log.WarnContext(ctx, "the sample was not scored", "model", s.model.Name, "error", err)
	}
}

// sample is the request body to warm up with; nil when there is none.
func sample(s *scorer) ([]byte, error) {
	if sm, ok := s.script.(Sampler); ok {
		if b := sm.Sample(); b != nil {
			return b, nil
		}
	}
	if s.model.Dir == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(s.model.Dir, SampleFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// data is the envelope of the contract taken apart: the value of "data" and its offset in body.
func data(body []byte) (value []byte, offset int, err error) {
	if len(body) >= 3 && body[0] == 0xEF && body[1] == 0xBB && body[2] == 0xBF { // a byte order mark
		offset = 3
	}
	first := jsonscan.Space(body, offset)
	if first == len(body) {
		return nil, 0, Errorf(Invalid, "POST body is empty. Expecting a JSON dictionary.")
	}
	if body[first] != '{' {
		return nil, 0, notAnObject(body, first)
	}
	start := -1
	err = jsonscan.Object(body[offset:], func(name []byte, from, to int) error {
		if string(name) != "data" {
			_, err := jsonscan.Skip(body[offset:], from, jsonscan.MaxDepth)
			return err
		}
		if start >= 0 {
			return &jsonscan.Error{Offset: from, Msg: `"data" is given twice`}
		}
		start = from
		value = body[offset+from : offset+to]
		return nil
	})
	if err != nil {
		return nil, 0, undecodable(err, offset)
	}
	if start < 0 {
		return nil, 0, Errorf(Invalid, "A value is not provided for the 'data' parameter.")
	}
	return value, offset + start, nil
}

func notAnObject(body []byte, first int) error {
	end, err := jsonscan.Skip(body, first, jsonscan.MaxDepth)
	if err == nil && jsonscan.Space(body, end) == len(body) {
		return Errorf(Invalid, "POST body should be a JSON dictionary.")
	}
	if err == nil {
		err = &jsonscan.Error{Offset: jsonscan.Space(body, end), Msg: "unexpected text after the value"}
	}
	return undecodable(err, 0)
}

// undecodable is the reference server's text in front of the place and the reason.
func undecodable(err error, offset int) error {
	if scan, ok := errors.AsType[*jsonscan.Error](err); ok {
		err = &jsonscan.Error{Offset: scan.Offset + offset, Msg: scan.Msg}
	}
	return Errorf(Invalid, "POST body could not be decoded as JSON: %w", err)
}
