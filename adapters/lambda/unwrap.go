package lambda

import "errors"

// maxNesting is how many events may lie in one another: S3 in SNS in SQS is two deep.
const maxNesting = 4

var errNesting = errors.New("events are nested too deep in each other")

// unwrapped is the record of a message whose body may be another event.
func unwrapped(id string, body []byte) record {
	r, err := unwrap(id, body, maxNesting)
	if err != nil {
		return one(id, nil, err)
	}
	return r
}

// unwrap is what there is to score in a message: the message itself, unless it is an event of S3, SNS or EventBridge. Other
// events are not sent in messages; they are requests, and wrong ones.
func unwrap(id string, body []byte, depth int) (record, error) {
	e := classify(body)
	switch e.kind {
	case s3Test:
		return record{id: id}, nil
	case s3Notification:
		return asOne(id, e)
	case eventBridge:
		return detail(e, id)
	case notification:
		if depth == 0 {
			return record{}, errNesting
		}
		inner, err := e.members[mMessage].appendText(nil)
		if err != nil {
			return record{}, err
		}
		return unwrap(id, inner, depth-1)
	default:
		return one(id, body, nil), nil
	}
}

// asOne is the objects of a notification as one record: the message that names them is acknowledged or comes again whole.
func asOne(id string, e *event) (record, error) {
	list, err := objects(e)
	all := record{id: id}
	for _, r := range list {
		all.items = append(all.items, r.items...)
	}
	return all, err
}
