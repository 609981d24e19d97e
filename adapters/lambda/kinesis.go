package lambda

import (
	"strconv"

	"github.com/scorefn/scorefn/function"
)

// decodeKinesis reads records of Amazon Kinesis Data Streams (Lambda developer guide, "Using Lambda to process records from
// Amazon Kinesis Data Streams"). Their data is base64 of a request, or of many that the Kinesis Producer Library packed
// together, which are answered for as one: Lambda goes on at a record of the stream. A shard keeps its order.
func decodeKinesis(e *event) (batch, error) {
	if err := noWindow(e); err != nil {
		return batch{}, err
	}
	var lane []record
	err := elements(e.members[mRecords], func(r raw) error {
		v, err := members(r, "kinesis", "eventID")
		if err != nil {
			return err
		}
		eventID, err := v[1].text()
		if err != nil {
			return err
		}
		if v, err = members(v[0], "sequenceNumber", "data"); err != nil {
			return err
		}
		number, err := v[0].text()
		if err != nil {
			return err
		}
		data, err := v[1].appendBase64(nil)
		lane = append(lane, record{id: number, items: requests(eventID, data, err)}) // a number is a shard's own
		return nil
	})
	return batch{lanes: [][]record{lane}, ordered: true}, err
}

// requests are the items of a record. Those of an aggregated one have its id and their place in it, as the Kinesis Client
// Library numbers them: from 0.
func requests(id string, data []byte, err error) []function.Item {
	list, packed := userRecords(data)
	if err != nil || !packed {
		return []function.Item{item(id, data, err)}
	}
	items := make([]function.Item, len(list))
	for i, body := range list {
		items[i] = item(id+":"+strconv.Itoa(i), body, nil)
	}
	return items
}

// noWindow refuses tumbling windows: their answer is a state that the next call gets, and a score has none.
func noWindow(e *event) error {
	if e.has(mWindow) {
		return function.Errorf(function.Unsupported, "The event source mapping has a tumbling window, which is for sums over many records: set TumblingWindowInSeconds to 0.")
	}
	return nil
}
