package function

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// Request is one call: a body for a model, "" for the default model and for its highest version.
type Request struct {
	Model, Version string
	ContentType    string // text/csv, application/x-npy, application/octet-stream and image/… are what they say; the rest is JSON
	Accept         string // text/csv, application/x-npy and application/octet-stream are answered where the answer is tensors
	Body           []byte // {"data": …}

	bareList bool // the route takes a JSON list without an object around it
}

// Response is the answer to a Request.
type Response struct {
	ContentType string
	Body        []byte
}

const jsonType = "application/json"

// Run scores one request. The error is of a known kind: see [AsError]. A run that lasts longer than SCORING_TIMEOUT_MS or
// than ctx is stopped.
func (f *Function) Run(ctx context.Context, r Request) (Response, error) {
	return f.Append(ctx, nil, r)
}

// Append is Run for a caller that has memory for the answer, which is appended to dst.
func (f *Function) Append(ctx context.Context, dst []byte, r Request) (out Response, err error) {
	err = f.locked(ctx, r.Model, r.Version, func(ctx context.Context, c *Call, s *scorer) error {
		out, err = f.append(ctx, c, dst, s, &r)
		return err
	})
	return out, err
}

// locked hands do a loaded model with a slot to run in. The run ends at SCORING_TIMEOUT_MS; whatever the script does, the
// process goes on.
func (f *Function) locked(ctx context.Context, model, version string, do func(context.Context, *Call, *scorer) error) error {
	ctx, c := withCall(ctx, nil)
	if f.problem == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.settings.ScoringTimeout, errScoringTimeout)
		defer cancel()
	}
	s, err := f.scorer(ctx, model, version)
	if err != nil {
		return err
	}
	c.model, c.version = s.model.Name, s.model.Version
	c.cold = s.cold.CompareAndSwap(true, false)
	c.queued = time.Now()
	enter := s.gate.enter
	if batch.CallerOf(ctx) != nil {
		enter = s.gate.wait // a worker of an event that shares runs: there are as many of them as slots
	}
	if err := enter(ctx); err != nil {
		return f.stopped(ctx, err)
	}
	defer s.gate.leave()
	err = f.stopped(ctx, recovered(func() error { return do(ctx, c, s) }))
	s.stats.note(c, err, time.Now())
	return err
}

// recovered is do with a panic as an error.
func recovered(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{Kind: Internal, Msg: msgScript, Err: newPanic("run", p)}
		}
	}()
	return do()
}

// errScoringTimeout is the cause of a context that SCORING_TIMEOUT_MS ended.
var errScoringTimeout = fmt.Errorf("function: %w", context.DeadlineExceeded)

// stopped turns the error of a run that its context ended into one with the reference server's text; other errors stay.
func (f *Function) stopped(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, errScoringTimeout) || ctx.Err() != nil && errors.Is(context.Cause(ctx), errScoringTimeout) {
		return &Error{Kind: Timeout, Msg: fmt.Sprintf("Scoring timeout after %d ms", f.settings.ScoringTimeout/time.Millisecond), Err: err}
	}
	return err
}

// append scores r with s, whose slot the caller holds.
func (f *Function) append(ctx context.Context, c *Call, dst []byte, s *scorer, r *Request) (out Response, err error) {
	media := mediaType(r.ContentType)
	if decode := s.format(media, r.Body); decode != nil {
		answer, err := s.score(ctx, c, decode, r.Body)
		if err != nil {
			return out, err
		}
		return f.reply(dst, answer, bare, r.Accept)
	}
	if f.settings.StrictType && !isJSON(media) && !s.whole {
		return out, Errorf(Unsupported, "Expects Content-Type to be application/json")
	}
	p, err := f.envelope(s, r)
	if err != nil {
		return out, err
	}
	if !s.selfChecked && p.offset >= 0 && !s.whole {
		if err := checkValue(p.value); err != nil {
			return out, undecodable(err, p.body, p.offset)
		}
	}
	c.started = time.Now()
	answer, err := s.script.Run(ctx, p.value)
	c.ended = time.Now()
	if err != nil {
		return out, p.inBody(err)
	}
	c.ran = true
	return f.reply(dst, answer, p.wrap, r.Accept)
}

// decodeFunc reads a body of one format into the inputs of a model.
type decodeFunc func(body []byte, into *tensor.Batch) error

// format is how a body of that media type is decoded; nil when it is JSON, as any type is that is not known.
func (s *scorer) format(media string, body []byte) decodeFunc {
	if s.decoder == nil || s.whole {
		return nil
	}
	switch media {
	case "text/csv":
		return s.decoder.CSV
	case "application/x-npy":
		return s.decoder.NPY
	case "application/octet-stream", "application/x-www-form-urlencoded":
		if media == "application/octet-stream" && !looksJSON(body) {
			return s.decoder.Raw
		}
	}
	if i, ok := s.script.(ImageScript); ok && strings.HasPrefix(media, "image/") && i.TakesImages() {
		return i.DecodeImage
	}
	return nil
}

// looksJSON tells a JSON object that was sent as bytes from the bytes of a tensor.
func looksJSON(body []byte) bool {
	i, end := jsonscan.Space(body, 0), len(body)
	for end > i && (body[end-1] == '\n' || body[end-1] == ' ' || body[end-1] == '\r' || body[end-1] == '\t') {
		end--
	}
	return i < end && body[i] == '{' && body[end-1] == '}'
}

// score is Run for a body that is not JSON.
func (s *scorer) score(ctx context.Context, c *Call, decode decodeFunc, body []byte) (any, error) {
	in := tensor.GetBatch()
	defer in.Release()
	c.started = time.Now()
	if err := decode(body, in); err != nil {
		return nil, err
	}
	c.Decoded()
	answer, err := s.infer(ctx, in.Values)
	c.ended = time.Now()
	c.ran = err == nil
	return answer, err
}

// infer scores tensors: with the script's own ending where it has one.
func (s *scorer) infer(ctx context.Context, in []tensor.Value) (any, error) {
	if t, ok := s.script.(TensorScript); ok {
		return t.Score(ctx, in)
	}
	m := s.script.(Inferer) // there is a decoder, so it is one
	values, err := m.Infer(ctx, in...)
	if err != nil {
		return nil, err
	}
	a := &tensors{values: values}
	for _, o := range m.Outputs() {
		a.names = append(a.names, o.Name)
	}
	return a, nil
}

// inBody places an error about the value in the body that the caller sent. Where the body is no JSON at that very place, it
// is told so in the reference server's words: the value alone would seem to end too early.
func (p *payload) inBody(err error) error {
	t, ok := errors.AsType[*tensor.Error](err)
	if !ok || t.Offset < 0 || p.offset < 0 {
		return err
	}
	if _, syntax := jsonscan.Skip(p.body, p.offset, jsonscan.MaxDepth); syntax != nil {
		if e, ok := asScan(syntax); ok && e.Offset == p.offset+min(t.Offset, len(p.value)) {
			return undecodable(syntax, p.body, 0)
		}
	}
	moved := *t
	moved.Offset += p.offset
	return &moved
}

func asScan(err error) (*jsonscan.Error, bool) { return errors.AsType[*jsonscan.Error](err) }
