package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/jsonscan"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/tensor"
)

// Kind is what an error means to the caller. The adapters turn it into their platform's answer and retry decision.
type Kind uint8

// The kinds of errors.
const (
	Internal       Kind = iota // the model or the script failed: nothing that the caller sent
	Invalid                    // the caller sent something wrong; sending it again is useless
	NotFound                   // no such model, version or route
	NotAllowed                 // the route exists, the method does not
	TooLarge                   // over a limit that the message names
	HeaderTooLarge             // a request id that is too long
	NotAcceptable              // the answer cannot be written as Accept asks
	Unsupported                // a media type or encoding that is not understood
	Unavailable                // overloaded, closing, or the model could not be loaded yet: try again later
	Timeout                    // the run did not end in time and was stopped
	Canceled                   // the caller went away
	kinds
)

// table is the one place where a Kind becomes an HTTP status.
var table = [kinds]struct {
	name   string
	status int
	retry  bool
}{
	Internal:       {"internal", http.StatusInternalServerError, true},
	Invalid:        {"invalid", http.StatusBadRequest, false},
	NotFound:       {"not found", http.StatusNotFound, false},
	NotAllowed:     {"not allowed", http.StatusMethodNotAllowed, false},
	TooLarge:       {"too large", http.StatusRequestEntityTooLarge, false},
	HeaderTooLarge: {"header too large", http.StatusRequestHeaderFieldsTooLarge, false},
	NotAcceptable:  {"not acceptable", http.StatusNotAcceptable, false},
	Unsupported:    {"unsupported", http.StatusUnsupportedMediaType, false},
	Unavailable:    {"unavailable", http.StatusServiceUnavailable, true},
	Timeout:        {"timeout", http.StatusInternalServerError, true}, // 500 as the reference server answers, not 504
	Canceled:       {"canceled", 499, true},                           // nobody reads it; the log does
}

// String is the kind's name in logs.
func (k Kind) String() string { return table[k].name }

// Status is the HTTP status of the kind.
func (k Kind) Status() int { return table[k].status }

// Retryable tells whether the same request may succeed later.
func (k Kind) Retryable() bool { return table[k].retry }

// Error is an error of a known kind. Msg is for the caller; Err, when not nil, is for the log only.
type Error struct {
	Kind       Kind
	Msg        string
	Err        error
	RetryAfter time.Duration // of Unavailable: when to try again; 0 when unknown
}

// Error is the public message, followed by the cause that only the log shows.
func (e *Error) Error() string {
	if e.Err == nil || e.told() {
		return e.Msg
	}
	return strings.TrimSuffix(e.Msg, ".") + ": " + e.Err.Error()
}

// told tells that the message has the cause's text already.
func (e *Error) told() bool {
	_, ok := e.Err.(hidden) //nolint:errorlint // Errorf puts it there bare
	return ok
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind whose text is for the caller. %w keeps the wrapped error for errors.Is and errors.As; its
// text is then part of the message.
func Errorf(kind Kind, format string, a ...any) error {
	err := fmt.Errorf(format, a...)
	return &Error{Kind: kind, Msg: err.Error(), Err: hidden{errors.Unwrap(err)}.orNil()}
}

// hidden keeps a cause for errors.Is and errors.As whose text stands in the message already.
type hidden struct{ error }

func (h hidden) orNil() error {
	if h.error == nil {
		return nil
	}
	return h
}
func (h hidden) Unwrap() error { return h.error }

// The texts of the reference server where it has one (azureml_inference_server_http, server/routes.py).
const (
	msgScript   = "An unexpected error occurred in scoring script. Check the logs for more info."
	msgInternal = "An unexpected internal error occurred. Check the logs for more info."
	msgInit     = "The model could not be loaded. Check the logs for more info."
)

// AsError finds the kind and the public message of any error. An error that is of no known kind is Internal, and its text
// is for the log alone.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if t, ok := errors.AsType[*tensor.Error](err); ok {
		return &Error{Kind: Invalid, Msg: t.Error()}
	}
	if scan, ok := errors.AsType[*jsonscan.Error](err); ok {
		return &Error{Kind: Invalid, Msg: scan.Error()}
	}
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax), errors.As(err, &typ):
		return &Error{Kind: Invalid, Msg: err.Error()}
	case errors.Is(err, modeldir.ErrNotFound):
		return &Error{Kind: NotFound, Msg: err.Error()}
	case errors.Is(err, ErrClosed):
		return &Error{Kind: Unavailable, Msg: "The function is shutting down.", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Timeout, Msg: "Scoring timeout", Err: err}
	case errors.Is(err, context.Canceled):
		return &Error{Kind: Canceled, Msg: "The request was canceled.", Err: err}
	}
	return &Error{Kind: Internal, Msg: msgScript, Err: err}
}

// Reason is what an error hides from its caller, for the person who runs the function: the cause where there is one.
func Reason(err error) error {
	if e := AsError(err); e.Err != nil && !e.told() {
		return e.Err
	}
	return err
}
