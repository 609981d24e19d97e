package lambdaemu

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// StreamType is the content type of a response that begins with its status and headers: JSON, 8 NUL bytes, the body
// (docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html).
const StreamType = "application/vnd.awslambda.http-integration-response"

// maxErrorBody bounds what a function may post as an error.
const maxErrorBody = MaxPayload

// exceeded is what the process reads in a 413.
const exceeded = "Exceeded maximum allowed payload size (%d bytes)."

const (
	errorTypeHeader  = "Lambda-Runtime-Function-Error-Type" // as header and as trailer
	errorBodyTrailer = "Lambda-Runtime-Function-Error-Body"
	modeHeader       = "Lambda-Runtime-Function-Response-Mode"
)

// runtimeAPI is what the process talks to: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, version 2018-06-01.
func (s *sandbox) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.invocationError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", s.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", s.extensionNext)
	return mux
}

// next ends the call before it and waits for one.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.current != nil && !s.current.replied {
		s.mu.Unlock()
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "Transition from InvocationInProgress to Ready is not allowed: the invocation has no response yet")
		return
	}
	if s.current != nil {
		close(s.current.settled)
		s.current = nil
	}
	if !s.isReady {
		s.isReady = true
		close(s.ready)
	}
	s.mu.Unlock()
	var inv *invocation
	select {
	case inv = <-s.calls:
	case <-s.stopped: // an answer without an invocation would be an error to the function: it gets none, as of the service
		<-r.Context().Done()
		return
	case <-r.Context().Done():
		return
	}
	s.mu.Lock()
	s.current = inv
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.trace)
	if inv.client != "" {
		h.Set("Lambda-Runtime-Client-Context", inv.client)
	}
	_, _ = w.Write(inv.payload) // the process may have gone: then its end is the answer
}

// claim is the call that a response is for, once.
func (s *sandbox) claim(w http.ResponseWriter, r *http.Request) *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := s.current
	if inv == nil || inv.id != r.PathValue("id") {
		apiError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	if inv.replied {
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "the invocation has its response already")
		return nil
	}
	inv.replied = true
	return inv
}

func (s *sandbox) response(w http.ResponseWriter, r *http.Request) {
	inv := s.claim(w, r)
	if inv == nil {
		return
	}
	kind := r.Header.Get("Content-Type")
	streams := kind == StreamType || strings.EqualFold(r.Header.Get(modeHeader), "streaming")
	if inv.stream && streams {
		s.streamed(w, r, inv, kind)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
	if err != nil {
		return // the process ended in the middle: that is the answer
	}
	if len(body) > MaxPayload {
		n, _ := io.Copy(io.Discard, r.Body) // a client that still sends would not read the status
		inv.replies <- reply{retire: true, fail: tooLarge(int64(len(body))+n, MaxPayload)}
		apiError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf(exceeded, MaxPayload))
		return
	}
	if f := trailerError(r.Trailer); f != nil {
		inv.replies <- reply{fail: ownFail(f.Type, f.Body)}
	} else {
		inv.replies <- reply{payload: body, contentType: kind}
	}
	accepted(w)
}

// streamed passes the body on while it comes. The run that waits for the end closes the caller's side: it alone knows of a
// timeout.
func (s *sandbox) streamed(w http.ResponseWriter, r *http.Request, inv *invocation, kind string) {
	pr, pw := io.Pipe()
	copied := make(chan error, 1)
	inv.replies <- reply{contentType: kind, stream: pr, pipe: pw, copied: copied}
	n, err := io.Copy(pw, io.LimitReader(r.Body, MaxStream))
	if errors.Is(err, io.ErrClosedPipe) { // the caller left; the function goes on
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		return // the process ended in the middle
	}
	if rest, err := io.Copy(io.Discard, r.Body); err == nil && rest > 0 && n == MaxStream {
		f := tooLarge(n+rest, MaxStream)
		copied <- &StreamError{f.kind, f.body(inv.id)}
		apiError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf(exceeded, MaxStream))
		return
	}
	if f := trailerError(r.Trailer); f != nil {
		copied <- f
	} else {
		copied <- nil
	}
	accepted(w)
}

func tooLarge(n, limit int64) *functionFail {
	const kind = "Function.ResponseSizeTooLarge"
	text := fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", n, limit)
	return &functionFail{kind: kind, message: text, payload: errorJSON(kind, text)}
}

// trailerError is the error that a function met after it had begun to answer.
func trailerError(t http.Header) *StreamError {
	kind := t.Get(errorTypeHeader)
	if kind == "" {
		return nil
	}
	body, err := base64.StdEncoding.DecodeString(t.Get(errorBodyTrailer))
	if err != nil || len(body) == 0 {
		body = errorJSON(kind, "")
	}
	return &StreamError{kind, body}
}

func (s *sandbox) invocationError(w http.ResponseWriter, r *http.Request) {
	inv := s.claim(w, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxErrorBody))
	if err != nil {
		return // as in response
	}
	inv.replies <- reply{fail: ownFail(r.Header.Get(errorTypeHeader), body)}
	accepted(w)
}

func (s *sandbox) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxErrorBody))
	if err != nil {
		return
	}
	s.mu.Lock()
	late := s.isReady
	s.mu.Unlock()
	if late {
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "Transition from Ready to InitError is not allowed")
		return
	}
	select {
	case s.failed <- ownFail(r.Header.Get(errorTypeHeader), body):
	default: // said already
	}
	accepted(w)
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func apiError(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(errorJSON(kind, message))
}
