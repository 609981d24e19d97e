package door

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// preludeEnd is between the prelude and the body: docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html.
var preludeEnd = make([]byte, 8)

// maxPrelude bounds the status and headers of a stream.
const maxPrelude = mb

// stream passes a streamed answer on while it comes. What went wrong after the first byte ends the connection: the caller
// sees a broken body and not a short one.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, a *lambdaemu.Answer) {
	if a.Body == nil {
		h.buffered(w, r, a)
		return
	}
	body := bufio.NewReader(a.Body)
	defer func() { _, _ = io.Copy(io.Discard, body) }() // the function goes on
	out := &answer{status: 200, header: http.Header{"Content-Type": {"application/octet-stream"}}}
	if a.ContentType == lambdaemu.StreamType {
		prelude, err := readPrelude(body)
		if err == nil {
			out, err = parsePrelude(h.kind, prelude, nil)
		}
		if err != nil {
			h.unusable(w, err)
			return
		}
	}
	out.head(w)
	w.WriteHeader(out.status)
	if !bodyAllowed(out.status) || r.Method == http.MethodHead {
		return
	}
	control := http.NewResponseController(w)
	_ = control.Flush() // fails only for a caller that left, which the next write tells
	chunk := make([]byte, 32*1024)
	for {
		n, err := body.Read(chunk)
		if n > 0 {
			if _, err := w.Write(chunk[:n]); err != nil {
				return
			}
			_ = control.Flush() // as above
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			h.log(fmt.Errorf("%s: %w", h.kind, err))
			panic(http.ErrAbortHandler)
		}
	}
}

func readPrelude(r *bufio.Reader) ([]byte, error) {
	var b []byte
	for !bytes.HasSuffix(b, preludeEnd) {
		c, err := r.ReadByte()
		if err != nil {
			return nil, fmt.Errorf("the prelude has no end: %w", err)
		}
		if b = append(b, c); len(b) > maxPrelude {
			return nil, errors.New("the prelude is too long")
		}
	}
	return b[:len(b)-len(preludeEnd)], nil
}

// parsePrelude is the head of an integration response; a prelude without a status is 200.
func parsePrelude(k Kind, prelude, body []byte) (*answer, error) {
	var e envelope
	if err := json.Unmarshal(prelude, &e); err != nil {
		return nil, fmt.Errorf("the prelude: %w", err)
	}
	if e.StatusCode == nil {
		e.StatusCode = json.RawMessage("200")
	}
	e.Body, e.Base64 = nil, false
	a, err := e.answer(k)
	if err != nil {
		return nil, err
	}
	a.body = body
	return a, nil
}
