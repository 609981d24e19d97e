package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// kinesis: docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html.
func kinesis(m *maker) (any, error) {
	stream := arn("kinesis", "stream/requests")
	records, err := m.records(func(i int, body []byte) (object, error) {
		number := fmt.Sprintf("4959033827149025660855969253836157109592157598913%07d", i+1)
		return object{
			"kinesis": object{
				"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": number,
				"data": base64.StdEncoding.EncodeToString(body), "approximateArrivalTimestamp": float64(m.ms()) / 1000,
			},
			"eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "shardId-000000000006:" + number,
			"eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:aws:iam::" + lambdaemu.AccountID + ":role/local",
			"awsRegion": lambdaemu.Region, "eventSourceARN": stream,
		}, nil
	})
	return object{"Records": records}, err
}

// dynamoDB: docs.aws.amazon.com/lambda/latest/dg/with-ddb.html. The body is a JSON object; the image has its members as
// attributes, and the key id.
func dynamoDB(m *maker) (any, error) {
	table := arn("dynamodb", "table/requests/stream/"+m.now.Format("2006-01-02T15:04:05.000"))
	records, err := m.records(func(i int, body []byte) (object, error) {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var image map[string]any
		if err := d.Decode(&image); err != nil {
			return nil, fmt.Errorf("it must be a JSON object: %w", err)
		}
		attributes := object{}
		for name, v := range image {
			attributes[name] = attribute(v)
		}
		id := object{"S": fmt.Sprintf("item-%d", i+1)}
		attributes["id"] = id
		return object{
			"eventID": m.NewID(), "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
			"awsRegion": lambdaemu.Region, "eventSourceARN": table,
			"dynamodb": object{
				"ApproximateCreationDateTime": m.now.Unix(), "Keys": object{"id": id}, "NewImage": attributes,
				"SequenceNumber": fmt.Sprintf("%d", 4421584500000000017+i), "SizeBytes": len(body), "StreamViewType": "NEW_AND_OLD_IMAGES",
			},
		}, nil
	})
	return object{"Records": records}, err
}

// attribute is a JSON value as DynamoDB types it.
func attribute(v any) object {
	switch v := v.(type) {
	case string:
		return object{"S": v}
	case json.Number:
		return object{"N": v.String()}
	case bool:
		return object{"BOOL": v}
	case []any:
		list := make([]object, len(v))
		for i, e := range v {
			list[i] = attribute(e)
		}
		return object{"L": list}
	case map[string]any:
		m := make(map[string]object, len(v))
		for name, e := range v {
			m[name] = attribute(e)
		}
		return object{"M": m}
	}
	return object{"NULL": true}
}

// kafka: docs.aws.amazon.com/lambda/latest/dg/with-msk.html. Its records are a map, by topic and partition.
func kafka(m *maker) (any, error) {
	records, err := m.records(func(i int, body []byte) (object, error) {
		return object{
			"topic": "requests", "partition": 0, "offset": 15 + i, "timestamp": m.ms(), "timestampType": "CREATE_TIME",
			"key": base64.StdEncoding.EncodeToString([]byte("key")), "value": base64.StdEncoding.EncodeToString(body), "headers": []object{},
		}, nil
	})
	return object{
		"eventSource": "aws:kafka", "eventSourceArn": arn("kafka", "cluster/local/1"),
		"bootstrapServers": "b-1.local.kafka." + lambdaemu.Region + ".amazonaws.com:9092",
		"records":          object{"requests-0": records},
	}, err
}

// firehose: docs.aws.amazon.com/firehose/latest/dev/data-transformation.html.
func firehose(m *maker) (any, error) {
	records, err := m.records(func(i int, body []byte) (object, error) {
		return object{
			"recordId": fmt.Sprintf("49546986683135544286507457936321625675700192471156785154%d", i+1), "approximateArrivalTimestamp": m.ms(),
			"data": base64.StdEncoding.EncodeToString(body),
		}, nil
	})
	return object{
		"invocationId": m.NewID(), "deliveryStreamArn": arn("firehose", "deliverystream/requests"), "region": lambdaemu.Region,
		"records": records,
	}, err
}
