package lambda

// answerFailures lists every failed record, {"batchItemFailures":[{"itemIdentifier":"…"}]} (Lambda developer guide, "Handling
// errors for an SQS event source in Lambda"). Of a FIFO queue it is the first that failed and all after it: the order of
// what is left is kept.
func answerFailures(h *handler, _ *event, out []outcome) ([]byte, error) {
	return h.failures(out, func(dst []byte, o outcome) []byte { return appendString(dst, o.id) }, false)
}

// answerFirstFailure names the first failed record alone (Lambda developer guide, "Configuring partial batch response with
// Kinesis Data Streams" and "… with DynamoDB"): Lambda goes on at the lowest number that it is told.
func answerFirstFailure(h *handler, _ *event, out []outcome) ([]byte, error) {
	return h.failures(out, func(dst []byte, o outcome) []byte { return appendString(dst, o.id) }, true)
}

// failures writes the answer, or fails when nothing succeeded. first is for sources that go on at a position: one entry a
// lane.
func (h *handler) failures(out []outcome, id func([]byte, outcome) []byte, first bool) ([]byte, error) {
	if err := batchError(out); err != nil && (!h.env.partial || nothingSucceeded(out)) {
		return nil, err
	}
	dst := []byte(`{"batchItemFailures":[`)
	lane, n := -1, 0
	for _, o := range out {
		if o.err == nil || first && o.lane == lane {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		lane = o.lane
		dst = append(id(append(dst, `{"itemIdentifier":`...), o), '}')
	}
	return append(dst, "]}"...), nil
}
