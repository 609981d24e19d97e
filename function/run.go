package function

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/tensor"
)

// Request is one call: a body for a model, "" for the default model and for its highest version.
type Request struct {
	Model, Version string
	Body           []byte // {"data": …}
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
	body, err := f.Append(ctx, nil, r)
	if err != nil {
		return Response{}, err
	}
	return Response{ContentType: jsonType, Body: body}, nil
}

// Append is Run for a caller that has memory for the answer: the JSON text is appended to dst.
func (f *Function) Append(ctx context.Context, dst []byte, r Request) ([]byte, error) {
	if f.problem == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.settings.ScoringTimeout, errScoringTimeout)
		defer cancel()
	}
	s, err := f.scorer(ctx, r.Model, r.Version)
	if err != nil {
		return nil, err
	}
	if err := s.gate.enter(ctx); err != nil {
		return nil, f.stopped(ctx, err)
	}
	defer s.gate.leave()
	return f.append(ctx, dst, s, r.Body)
}

// errScoringTimeout is the cause of a context that SCORING_TIMEOUT_MS ended.
var errScoringTimeout = fmt.Errorf("function: %w", context.DeadlineExceeded)

// stopped turns the error of a run that its context ended into one with the reference server's text; other errors stay.
func (f *Function) stopped(ctx context.Context, err error) error {
	if errors.Is(err, errScoringTimeout) || ctx.Err() != nil && errors.Is(context.Cause(ctx), errScoringTimeout) {
		return &Error{Kind: Timeout, Msg: fmt.Sprintf("Scoring timeout after %d ms", f.settings.ScoringTimeout/time.Millisecond), Err: err}
	}
	return err
}

// append scores body with s, whose slot the caller holds. Whatever the script does, the process goes on.
func (f *Function) append(ctx context.Context, dst []byte, s *scorer, body []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, &Error{Kind: Internal, Msg: msgScript, Err: newPanic("run", p)}
		}
	}()
	value, offset, err := data(body)
	if err != nil {
		return nil, err
	}
	if !s.selfChecked {
		if err := checkValue(value); err != nil {
			return nil, undecodable(err, offset)
		}
	}
	answer, err := s.script.Run(ctx, value)
	if err != nil {
		return nil, f.stopped(ctx, inBody(err, body, offset, len(value)))
	}
	if r, ok := answer.(releaser); ok {
		defer r.Release()
	}
	return f.encode(dst, answer)
}

// checkValue checks that value is one JSON value.
func checkValue(value []byte) error {
	end, err := jsonscan.Skip(value, 0, jsonscan.MaxDepth)
	if err == nil && end != len(value) {
		err = &jsonscan.Error{Offset: end, Msg: "unexpected text after the value"}
	}
	return err
}

// inBody places an error about the value of "data" in the body that the caller sent. Where the body is no JSON at that very
// place, it is told so in the reference server's words: the value alone would seem to end too early.
func inBody(err error, body []byte, offset, length int) error {
	var t *tensor.Error
	if !errors.As(err, &t) || t.Offset < 0 {
		return err
	}
	var scan *jsonscan.Error
	if _, syntax := jsonscan.Skip(body, offset, jsonscan.MaxDepth); errors.As(syntax, &scan) && scan.Offset == min(offset+t.Offset, offset+length) {
		return undecodable(syntax, 0)
	}
	moved := *t
	moved.Offset += offset
	return &moved
}
