package lambda

// decodeFirehose reads records that Amazon Data Firehose wants transformed (Firehose developer guide, "Transform source data
// in Amazon Data Firehose"). Their data is base64 of a request.
func decodeFirehose(e *event) (batch, error) {
	return decodeBase64(e.members[mTopicRecords], "recordId")
}

// answerFirehose gives every record back: Ok with the answer as its data, Dropped under SCOREFN_POISON=drop, else
// ProcessingFailed, which Firehose delivers to its error prefix. Firehose itself tries again only when the invocation fails:
// it does when nothing succeeded and something may succeed later.
func answerFirehose(_ *handler, e *event, out []outcome) ([]byte, error) {
	if err := batchError(out); err != nil && nothingSucceeded(out) && retryable(err) {
		return nil, err
	}
	data := firehoseData(e)
	dst := []byte(`{"records":[`)
	for i, o := range out {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(append(dst, `{"recordId":`...), o.id), `,"result":"`...)
		switch {
		case o.dropped != nil:
			dst = append(dst, `Dropped"}`...)
		case o.err != nil: // with the data as it came
			dst = append(append(append(dst, `ProcessingFailed","data":`...), data[i]...), '}')
		default:
			dst = append(dst, `Ok","data":`...)
			for _, r := range o.results {
				dst = appendBase64String(dst, r.Response.Body)
			}
			dst = append(dst, '}')
		}
	}
	return append(dst, "]}"...), nil
}

// firehoseData is the data of the records as it stands in the event.
func firehoseData(e *event) []raw {
	var found []raw
	_ = elements(e.members[mTopicRecords], func(r raw) error { // it was read once without an error
		v, err := members(r, "data")
		found = append(found, orNull(v[0]))
		return err
	})
	return found
}
