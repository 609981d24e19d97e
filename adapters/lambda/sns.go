package lambda

// decodeSNS reads notifications of Amazon SNS (Lambda developer guide, "Invoking Lambda functions with Amazon SNS
// notifications"). A message is a request or an event of S3 or EventBridge.
func decodeSNS(e *event) (batch, error) {
	var lane []record
	err := elements(e.members[mRecords], func(r raw) error {
		v, err := members(r, "Sns")
		if err != nil {
			return err
		}
		if v, err = members(v[0], "MessageId", "Message"); err != nil {
			return err
		}
		id, err := v[0].text()
		if err != nil {
			return err
		}
		body, err := v[1].appendText(nil)
		if err != nil {
			lane = append(lane, one(id, nil, err))
			return nil
		}
		lane = append(lane, unwrapped(id, body))
		return nil
	})
	return batch{lanes: [][]record{lane}}, err
}
