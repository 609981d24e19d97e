package lambdaemu

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// invocation is one call on its way through a process.
type invocation struct {
	id, arn, trace, client string
	payload                []byte
	deadline               time.Time
	stream                 bool // the caller takes a streamed response
	log                    *callLog

	replies chan reply    // the process's first word
	settled chan struct{} // closed when it asks for the next call

	// Guarded by the sandbox's mutex.
	replied bool

	result   chan *Answer // the caller's
	deliver  sync.Once
	finished chan struct{} // closed when the process is free again
}

// reply is how a process answers a call.
type reply struct {
	payload     []byte
	contentType string
	fail        *functionFail
	retire      bool // the process is of no use after this

	stream *io.PipeReader
	pipe   *io.PipeWriter
	copied chan error // the end of the stream, as the process sent it
}

// functionFail is a function error: the answer of a call that failed in the function.
type functionFail struct {
	kind, message string
	payload       []byte // the function's own words, if it had any
	timeout       bool
}

// body is the answer's text.
func (f *functionFail) body(id string) []byte {
	if f.payload != nil {
		return f.payload
	}
	return errorJSON(f.kind, fmt.Sprintf("RequestId: %s Error: %s", id, f.message))
}

func errorJSON(kind, message string) []byte {
	b, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		return []byte("{}") // two strings always marshal
	}
	return b
}

func timedOut(after time.Duration) *functionFail {
	return &functionFail{kind: "Sandbox.Timedout", message: timeoutText(after), timeout: true}
}

func timeoutText(after time.Duration) string {
	return fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds())
}

// ownFail is an error that the function posted.
func ownFail(header string, body []byte) *functionFail {
	f := &functionFail{kind: header, payload: body}
	var posted struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(body, &posted) == nil {
		f.message = posted.Message
		if f.kind == "" {
			f.kind = posted.Type
		}
	}
	if len(body) == 0 {
		f.payload = nil
	}
	if f.kind == "" {
		f.kind = "Runtime.UnknownReason"
	}
	return f
}

// StreamError ends a streamed response that did not end well.
type StreamError struct {
	Type string
	Body []byte // JSON: errorType and errorMessage
}

func (e *StreamError) Error() string { return fmt.Sprintf("lambdaemu: stream: %s: %s", e.Type, e.Body) }
