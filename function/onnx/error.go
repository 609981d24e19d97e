package onnx

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function/tensor"
)

// ErrClosed is the answer of a [Session] after Close.
var ErrClosed = errors.New("onnx: session is closed")

// Code is ONNX Runtime's error code, OrtErrorCode in its C API.
type Code int

// The codes of ONNX Runtime. CodeUnknown is ours: an error that came without a code, as those of loading a model do.
const (
	CodeUnknown Code = iota
	CodeFail
	CodeInvalidArgument
	CodeNoSuchFile
	CodeNoModel
	CodeEngineError
	CodeRuntimeException
	CodeInvalidProtobuf
	CodeModelLoaded
	CodeNotImplemented
	CodeInvalidGraph
	CodeEPFail
	CodeModelLoadCanceled
	CodeModelRequiresCompilation
	CodeNotFound
)

var codes = [...]string{
	"UNKNOWN", "FAIL", "INVALID_ARGUMENT", "NO_SUCHFILE", "NO_MODEL", "ENGINE_ERROR", "RUNTIME_EXCEPTION", "INVALID_PROTOBUF",
	"MODEL_LOADED", "NOT_IMPLEMENTED", "INVALID_GRAPH", "EP_FAIL", "MODEL_LOAD_CANCELED", "MODEL_REQUIRES_COMPILATION", "NOT_FOUND",
}

// String is the name in ONNX Runtime's header, without its prefix: INVALID_ARGUMENT.
func (c Code) String() string {
	if c >= 0 && int(c) < len(codes) {
		return codes[c]
	}
	return "CODE_" + strconv.Itoa(int(c))
}

// Error is what ONNX Runtime answered.
type Error struct {
	Code Code
	Msg  string // its own text
}

// Error is "INVALID_GRAPH: This is an invalid model. …".
func (e *Error) Error() string {
	if e.Code == CodeUnknown {
		return e.Msg
	}
	return e.Code.String() + ": " + e.Msg
}

// take makes an error of s, which it releases; nil is success.
func take(s *C.OrtStatus) error {
	if s == nil {
		return nil
	}
	defer C.sfn_release_status(s)
	return &Error{Code: Code(C.sfn_code(s)), Msg: strings.TrimSpace(C.GoString(C.sfn_message(s)))}
}

// blame makes the client's mistake of an INVALID_ARGUMENT, which is what ONNX Runtime calls inputs that do not fit the
// model. Any other error stays what it is.
func blame(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Code == CodeInvalidArgument {
		return &tensor.Error{Offset: -1, Msg: "the model does not take these inputs: " + e.Error()}
	}
	return err
}
