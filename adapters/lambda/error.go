package lambda

import (
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/scorefn/scorefn/function"
)

// The largest answers that get through (Lambda developer guide, "Lambda quotas"; Elastic Load Balancing user guide, "Use
// Lambda functions as targets"). The Runtime API answers a larger one with 413, and aws-lambda-go then ends the process.
const (
	maxAnswer = 6291556
	maxALB    = 1 << 20
	maxStream = 200 << 20
)

func tooLarge(n, limit int) string {
	return fmt.Sprintf("The answer has %d bytes, AWS Lambda lets %d through here. Score fewer rows in one request, or store the answers of events: SCOREFN_OUTPUT.", n, limit)
}

// functionError is err as Lambda reports it: the errorType is Function. and the kind. It is a value, and is not wrapped:
// aws-lambda-go looks for nothing else. ShouldExit stays false, so that the sandbox keeps its model.
func functionError(err error) messages.InvokeResponse_Error {
	e := function.AsError(err)
	return messages.InvokeResponse_Error{Type: errorType(e.Kind), Message: e.Msg}
}

// errorType is a kind as Lambda writes types: Function.TooLarge.
func errorType(k function.Kind) string {
	var b strings.Builder
	b.WriteString("Function.")
	for word := range strings.FieldsSeq(k.String()) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
