package lambda

import "strings"

// decodeSQS reads messages of Amazon SQS (Lambda developer guide, "Using Lambda with Amazon SQS"). A body is a request or
// an event of S3, SNS or EventBridge. The queue of a FIFO keeps its order.
func decodeSQS(e *event) (batch, error) {
	var b batch
	var lane []record
	err := elements(e.members[mRecords], func(r raw) error {
		v, err := members(r, "messageId", "body", "eventSourceARN")
		if err != nil {
			return err
		}
		id, err := v[0].text()
		if err != nil {
			return err
		}
		if arn, _ := v[2].text(); strings.HasSuffix(arn, ".fifo") {
			b.ordered = true
		}
		body, err := v[1].appendText(nil)
		if err != nil {
			lane = append(lane, one(id, nil, err))
			return nil
		}
		lane = append(lane, unwrapped(id, body))
		return nil
	})
	b.lanes = [][]record{lane}
	return b, err
}
