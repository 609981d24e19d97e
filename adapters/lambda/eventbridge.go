package lambda

// decodeEventBridge reads an event of Amazon EventBridge (EventBridge user guide, "Events in Amazon EventBridge"; S3 user
// guide, "EventBridge event message structure"). Its detail is the request; an event of Amazon S3 names an object; a
// schedule has nothing to score and only keeps the function warm.
func decodeEventBridge(e *event) (batch, error) {
	id, err := e.members[mID].text()
	if err != nil {
		return batch{}, err
	}
	r, err := detail(e, id)
	return batch{lanes: [][]record{{r}}}, err
}

// detail is what there is to score in an event. Keys of S3 are plain here.
func detail(e *event, id string) (record, error) {
	switch {
	case e.is(mSource, "aws.s3"):
		if !e.is(mDetailType, "Object Created") && !e.is(mDetailType, "Object Restore Completed") {
			return record{id: id}, nil
		}
		bucket, about, err := bucketAndObject(e.members[mDetail])
		o := record{id: id}
		if err == nil {
			o = object(bucket, about[0], about[1], nil)
			o.id = id
		}
		return o, err
	case e.is(mDetailType, "Scheduled Event") && string(e.members[mDetail]) == "{}":
		return record{id: id}, nil
	}
	return one(id, e.members[mDetail], nil), nil
}
