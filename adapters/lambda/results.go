package lambda

import (
	"cmp"
	"strings"
)

// answerResults is the answer to the sources that only know success and failure of the whole event: SNS, S3 and EventBridge,
// which call asynchronously (Lambda developer guide, "Adding a destination": the result goes to the OnSuccess destination,
// an error is retried and then goes to OnFailure), and message brokers (Lambda developer guide, "Using Lambda with Amazon
// MQ"). It is ours: {"results":[{"id":"…","result":answer}]}, with "output" where the answer is stored, and "dropped" in
// place of both.
func answerResults(_ *handler, _ *event, out []outcome) ([]byte, error) {
	if err := batchError(out); err != nil {
		return nil, err
	}
	dst, n := []byte(`{"results":[`), 0
	open := func(id string) {
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"id":`...), id)
	}
	for _, o := range out {
		for _, r := range o.results {
			open(cmp.Or(r.ID, o.id))
			switch {
			case r.Err != nil:
				dst = append(dst, `,"dropped":true}`...)
				continue
			case r.Stored != "":
				dst = appendString(append(dst, `,"output":`...), r.Stored)
			case strings.HasPrefix(r.Response.ContentType, "application/json"):
				dst = append(append(dst, `,"result":`...), r.Response.Body...)
			default:
				dst = appendBase64String(append(dst, `,"base64":`...), r.Response.Body)
			}
			dst = append(dst, '}')
		}
	}
	return append(dst, "]}"...), nil
}
