package event

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// errBinary is for the sources that carry text.
var errBinary = errors.New("it is not UTF-8, and this source carries text")

// sqs: docs.aws.amazon.com/lambda/latest/dg/with-sqs.html.
func sqs(m *maker) (any, error) { return m.queue("requests", nil) }

func sqsFIFO(m *maker) (any, error) {
	return m.queue("requests.fifo", func(i int, attributes object) {
		attributes["SequenceNumber"] = fmt.Sprintf("1884949646046769%04d", i+1)
		attributes["MessageGroupId"] = "group-1"
		attributes["MessageDeduplicationId"] = m.NewID()
	})
}

func (m *maker) queue(name string, more func(i int, attributes object)) (any, error) {
	records, err := m.records(func(i int, body []byte) (object, error) {
		if !utf8.Valid(body) {
			return nil, errBinary
		}
		sum := md5.Sum(body)
		attributes := object{
			"ApproximateReceiveCount": "1", "SentTimestamp": strconv.FormatInt(m.ms(), 10),
			"SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.ms()+1, 10),
		}
		if more != nil {
			more(i, attributes)
		}
		return object{
			"messageId": m.NewID(), "receiptHandle": "AQEB" + m.NewID(), "body": string(body), "attributes": attributes,
			"messageAttributes": object{}, "md5OfBody": hex.EncodeToString(sum[:]), "eventSource": "aws:sqs",
			"eventSourceARN": arn("sqs", name), "awsRegion": lambdaemu.Region,
		}, nil
	})
	return object{"Records": records}, err
}

// sns: docs.aws.amazon.com/lambda/latest/dg/with-sns.html. EventSource has a capital here.
func sns(m *maker) (any, error) {
	topic := arn("sns", "requests")
	records, err := m.records(func(_ int, body []byte) (object, error) {
		if !utf8.Valid(body) {
			return nil, errBinary
		}
		return object{
			"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": topic + ":" + m.NewID(),
			"Sns": object{
				"Type": "Notification", "MessageId": m.NewID(), "TopicArn": topic, "Subject": nil, "Message": string(body),
				"Timestamp": m.iso(), "SignatureVersion": "1", "Signature": "EXAMPLE", "SigningCertUrl": "EXAMPLE", "UnsubscribeUrl": "EXAMPLE",
				"MessageAttributes": object{},
			},
		}, nil
	})
	return object{"Records": records}, err
}

// activeMQ and rabbitMQ: docs.aws.amazon.com/lambda/latest/dg/with-mq.html.
func activeMQ(m *maker) (any, error) {
	messages, err := m.records(func(i int, body []byte) (object, error) {
		return object{
			"messageID": fmt.Sprintf("ID:local-1:1:1:%d", i+1), "messageType": "jms/text-message", "deliveryMode": 1, "replyTo": nil,
			"type": nil, "expiration": 0, "priority": 4, "correlationId": m.NewID(), "redelivered": false,
			"destination": object{"physicalName": "requests"}, "data": base64.StdEncoding.EncodeToString(body),
			"timestamp": m.ms(), "brokerInTime": m.ms(), "brokerOutTime": m.ms() + 1, "properties": object{},
		}, nil
	})
	return object{"eventSource": "aws:mq", "eventSourceArn": arn("mq", "broker:local:b-1"), "messages": messages}, err
}

func rabbitMQ(m *maker) (any, error) {
	messages, err := m.records(func(_ int, body []byte) (object, error) {
		return object{
			"basicProperties": object{
				"contentType": "application/json", "contentEncoding": nil, "headers": object{}, "deliveryMode": 1, "priority": 0,
				"correlationId": nil, "replyTo": nil, "expiration": "60000", "messageId": m.NewID(),
				"timestamp": m.now.Format("Jan 2, 2006, 3:04:05 PM"), "type": nil, "userId": "local", "appId": nil, "clusterId": nil,
				"bodySize": len(body),
			},
			"redelivered": false, "data": base64.StdEncoding.EncodeToString(body),
		}, nil
	})
	return object{
		"eventSource": "aws:rmq", "eventSourceArn": arn("mq", "broker:local:b-1"),
		"rmqMessagesByQueue": object{"requests::/": messages},
	}, err
}
