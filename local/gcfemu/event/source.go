package event

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
)

type object = map[string]any

// event is one event before it has a form.
type event struct {
	id, source, kind, subject string
	extensions                map[string]string
	contentType               string
	data                      []byte

	// Of a message of Pub/Sub that is the event, for the push forms.
	payload    []byte
	attributes map[string]string
}

func (m *maker) json(e event, v any) (event, error) {
	e.id, e.contentType = m.NewID(), "application/json; charset=utf-8"
	var err error
	e.data, err = marshal(v)
	return e, err
}

// marshal is JSON that leaves < and & in a body as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// finalized: google.events.cloud.storage.v1.StorageObjectData, whose numbers are strings. A push carries the same as a
// notification of Cloud Storage (cloud.google.com/storage/docs/pubsub-notifications).
func finalized(m *maker, name string, _ []byte) (event, error) {
	resource := object{
		"kind": "storage#object", "id": m.Bucket + "/" + name, "bucket": m.Bucket, "name": name,
		"metageneration": "1", "contentType": "application/json", "size": "1024", "storageClass": "STANDARD",
		"md5Hash": "1B2M2Y8AsgTpgAmY7PhCfg==", "crc32c": "AAAAAA==", "etag": "CAE=",
		"timeCreated": m.time(), "updated": m.time(), "timeStorageClassUpdated": m.time(),
	}
	attributes := map[string]string{
		"eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": m.Bucket, "objectId": name,
		"eventTime": m.time(), "notificationConfig": "projects/_/buckets/" + m.Bucket + "/notificationConfigs/1",
	}
	if m.Generation > 0 {
		generation := strconv.FormatInt(m.Generation, 10)
		resource["generation"], attributes["objectGeneration"] = generation, generation
		resource["id"] = m.Bucket + "/" + name + "/" + generation
	}
	e, err := m.json(event{
		source: "//storage.googleapis.com/projects/_/buckets/" + m.Bucket, kind: "google.cloud.storage.object.v1.finalized", subject: "objects/" + name,
		extensions: map[string]string{"bucket": m.Bucket},
	}, resource)
	e.payload, e.attributes = e.data, attributes
	return e, err
}

const (
	topic        = "projects/" + Project + "/topics/requests"
	subscription = "projects/" + Project + "/subscriptions/requests"
)

// published: google.events.cloud.pubsub.v1.MessagePublishedData.
func published(m *maker, _ string, body []byte) (event, error) {
	id := m.NewID()
	e, err := m.json(event{source: "//pubsub.googleapis.com/" + topic, kind: "google.cloud.pubsub.topic.v1.messagePublished"},
		m.envelope(id, body, nil))
	e.id, e.payload = id, body
	return e, err
}

// envelope is the body of a push: cloud.google.com/pubsub/docs/push#receive_push.
func (m *maker) envelope(id string, payload []byte, attributes map[string]string) object {
	message := object{
		"messageId": id, "message_id": id, "publishTime": m.time(), "publish_time": m.time(), "data": base64.StdEncoding.EncodeToString(payload),
	}
	if len(attributes) > 0 {
		message["attributes"] = attributes
	}
	return object{"subscription": subscription, "message": message}
}

// executed: google.events.cloud.scheduler.v1.SchedulerJobData.
func executed(m *maker, _ string, body []byte) (event, error) {
	return m.json(event{
		source: "//cloudscheduler.googleapis.com/projects/" + Project + "/locations/us-central1/jobs/score",
		kind:   "google.cloud.scheduler.job.v1.executed",
	}, object{"customData": base64.StdEncoding.EncodeToString(body)})
}

// logged: google.events.cloud.audit.v1.LogEntryData.
func logged(m *maker, name string, _ []byte) (event, error) {
	resource := "projects/_/buckets/" + m.Bucket + "/objects/" + name
	const service, method = "storage.googleapis.com", "storage.objects.create"
	return m.json(event{
		source: "//cloudaudit.googleapis.com/projects/" + Project + "/logs/data_access", kind: "google.cloud.audit.log.v1.written",
		subject:    service + "/" + resource,
		extensions: map[string]string{"servicename": service, "methodname": method, "resourcename": resource},
	}, object{
		"insertId": m.NewID(), "logName": "projects/" + Project + "/logs/cloudaudit.googleapis.com%2Fdata_access", "severity": "INFO",
		"timestamp": m.time(), "receiveTimestamp": m.time(),
		"resource": object{"type": "gcs_bucket", "labels": object{"bucket_name": m.Bucket, "location": "us", "project_id": Project}},
		"protoPayload": object{
			"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": service, "methodName": method, "resourceName": resource,
			"status": object{}, "authenticationInfo": object{}, "requestMetadata": object{"callerIp": "127.0.0.1"},
		},
	})
}

// written: google.events.cloud.firestore.v1.DocumentEventData, which Eventarc sends as protobuf. The document's one field,
// data, is the body as a string.
func written(m *maker, _ string, body []byte) (event, error) {
	if len(body) > 1<<20 {
		return event{}, errors.New("a document has 1 MiB at most")
	}
	const name = "projects/" + Project + "/databases/(default)/documents/requests/1"
	value := field(17, body)                                      // Value.string_value
	entry := append(field(1, []byte("data")), field(2, value)...) // an entry of Document.fields
	document := append(field(1, []byte(name)), field(2, entry)...)
	return event{
		id: m.NewID(), source: "//firestore.googleapis.com/projects/" + Project + "/databases/(default)",
		kind: "google.cloud.firestore.document.v1.written", subject: "documents/requests/1",
		extensions:  map[string]string{"database": "(default)", "document": "requests/1", "project": Project, "location": "nam5"},
		contentType: "application/protobuf", data: field(1, document), // DocumentEventData.value
	}, nil
}

// field is a field of bytes in protobuf's wire format.
func field(number uint64, value []byte) []byte {
	b := binary.AppendUvarint(nil, number<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}
