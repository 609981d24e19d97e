package lambda

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// answer is what an invocation answers.
type answer struct {
	head        []byte // before the body, in a stream
	body        []byte
	contentType string // "" for JSON
}

// The parts of a streamed HTTP answer (Lambda developer guide, "Response streaming for Lambda functions", and aws-lambda-go's
// events.LambdaFunctionURLStreamingResponse): JSON with status, headers and cookies, eight zero bytes, the body as it is.
const streamType = "application/vnd.awslambda.http-integration-response"

var streamSeparator = make([]byte, 8)

// stream is w for a function URL or a REST API that streams. An answer may then have 200 MB, and any bytes.
func (w *response) stream() answer {
	if len(w.body) > maxStream {
		w.fail(http.StatusRequestEntityTooLarge, tooLarge(len(w.body), maxStream))
	}
	head := append(append(w.appendHead(nil), '}'), streamSeparator...)
	return answer{head: head, body: w.body, contentType: streamType}
}

// streamed hands an answer to aws-lambda-go, which sends what it reads.
type streamed struct {
	io.Reader
	contentType string
}

func newStreamed(a answer) *streamed {
	contentType := a.contentType
	if contentType == "" {
		contentType = "application/json"
	}
	return &streamed{io.MultiReader(bytes.NewReader(a.head), bytes.NewReader(a.body)), contentType}
}

// ContentType is asked for by aws-lambda-go.
func (s *streamed) ContentType() string { return s.contentType }

// MarshalJSON fails, which makes aws-lambda-go send the reader instead.
func (s *streamed) MarshalJSON() ([]byte, error) { return nil, errors.New("a stream is not JSON") }
