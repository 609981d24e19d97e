package lambda

import (
	"cmp"
	"strconv"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/jsonscan"
)

// decodeActiveMQ reads messages of Apache ActiveMQ (Lambda developer guide, "Using Lambda with Amazon MQ"). Their data is
// base64 of a request.
func decodeActiveMQ(e *event) (batch, error) {
	return decodeBase64(e.members[mMessages], "messageID")
}

// decodeRabbitMQ reads messages of RabbitMQ, by queue and virtual host. Most have no id: their place in the queue's batch
// stands for it in messages. A message may say its media type.
func decodeRabbitMQ(e *event) (batch, error) {
	var b batch
	all := e.members[mQueues]
	err := jsonscan.Object(all, func(name []byte, from, to int) error {
		var lane []record
		err := elements(all[from:to], func(r raw) error {
			v, err := members(r, "basicProperties", "data")
			if err != nil {
				return err
			}
			about, err := texts(v[0], "messageId", "contentType")
			if err != nil {
				return err
			}
			data, err := v[1].appendBase64(nil)
			it := item(about[0], data, err) // without an id a result is named after the body
			if about[1] != "" {
				it.ContentType = about[1]
			}
			id := cmp.Or(about[0], string(name)+"#"+strconv.Itoa(len(lane)))
			lane = append(lane, record{id: id, items: []function.Item{it}})
			return nil
		})
		b.lanes = append(b.lanes, lane)
		return err
	})
	return b, err
}
