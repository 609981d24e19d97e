package event

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// Object is an object that was put into a bucket.
type Object struct {
	Key  string
	Size int64
	ETag string // without quotes
}

// Created is the S3 event of one object: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html.
func Created(bucket string, o Object) ([]byte, error) {
	s, err := Find("s3")
	if err != nil {
		return nil, err
	}
	s.make = func(m *maker) (any, error) { return m.created([]Object{o}), nil }
	return s.Make(Options{Bucket: bucket, Keys: []string{o.Key}})
}

func s3(m *maker) (any, error) {
	var all []Object
	for _, k := range m.Keys {
		all = append(all, Object{Key: k, Size: 1024, ETag: "d41d8cd98f00b204e9800998ecf8427e"})
	}
	return m.created(all), nil
}

func (m *maker) created(all []Object) object {
	records := make([]object, 0, len(all))
	for _, o := range all {
		records = append(records, object{
			"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": lambdaemu.Region, "eventTime": m.iso(),
			"eventName":    "ObjectCreated:Put",
			"userIdentity": object{"principalId": "EXAMPLE"}, "requestParameters": object{"sourceIPAddress": "127.0.0.1"},
			"responseElements": object{"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
			"s3": object{
				"s3SchemaVersion": "1.0", "configurationId": "local",
				"bucket": object{"name": m.Bucket, "ownerIdentity": object{"principalId": "EXAMPLE"}, "arn": "arn:aws:s3:::" + m.Bucket},
				"object": object{"key": formEncoded(o.Key), "size": o.Size, "eTag": o.ETag, "sequencer": "0A1B2C3D4E5F678901"},
			},
		})
	}
	return object{"Records": records}
}

// formEncoded is a key as S3 writes it into events: a blank is "+", a slash stays.
func formEncoded(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

// s3Batch: docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html, schema 1.0, whose keys are encoded.
func s3Batch(m *maker) (any, error) {
	tasks := make([]object, 0, len(m.Keys))
	for _, k := range m.Keys {
		tasks = append(tasks, object{"taskId": m.NewID(), "s3Key": formEncoded(k), "s3VersionId": nil, "s3BucketArn": "arn:aws:s3:::" + m.Bucket})
	}
	return object{
		"invocationSchemaVersion": "1.0", "invocationId": m.NewID(), "job": object{"id": m.NewID()}, "tasks": tasks,
	}, nil
}

// eventBridge: docs.aws.amazon.com/eventbridge/latest/userguide/eb-events.html, and S3's own events
// (AmazonS3/latest/userguide/ev-events.html), whose keys are not encoded.
func eventBridge(m *maker) (any, error) {
	event := object{
		"version": "0", "id": m.NewID(), "account": lambdaemu.AccountID, "time": m.now.Format("2006-01-02T15:04:05Z"),
		"region": lambdaemu.Region, "resources": []string{},
	}
	if len(m.Keys) == 1 {
		event["source"], event["detail-type"] = "aws.s3", "Object Created"
		event["resources"] = []string{"arn:aws:s3:::" + m.Bucket}
		event["detail"] = object{
			"version": "0", "bucket": object{"name": m.Bucket},
			"object":     object{"key": m.Keys[0], "size": 1024, "etag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0A1B2C3D4E5F678901"},
			"request-id": "EXAMPLE", "requester": lambdaemu.AccountID, "source-ip-address": "127.0.0.1", "reason": "PutObject",
		}
		return event, nil
	}
	var detail map[string]json.RawMessage
	if err := json.Unmarshal(m.Bodies[0], &detail); err != nil {
		return nil, err
	}
	event["source"], event["detail-type"], event["detail"] = "local.scorefn", "Score", detail
	return event, nil
}
