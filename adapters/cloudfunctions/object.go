package cloudfunctions

import (
	"errors"
	"fmt"
	"strings"

	"github.com/scorefn/scorefn/function"
)

// decodeFinalized reads the resource of an object that is there, whole (google.events.cloud.storage.v1.StorageObjectData).
func decodeFinalized(d *delivery) (work, error) {
	v, err := members(d.data, "bucket", "name", "generation", "size")
	if err != nil {
		return work{}, malformed(d, err)
	}
	bucket, err1 := v[0].text()
	name, err2 := v[1].text()
	generation, err3 := v[2].number()
	if err := errors.Join(err1, err2, err3); err != nil {
		return work{}, malformed(d, err)
	}
	if isFolder(name, v[3]) {
		return work{skip: skipFolder}, nil
	}
	return object(d, bucket, name, generation)
}

const skipFolder = "an empty object whose name ends in a slash is a folder of Google's console"

// isFolder tells the object that the console makes of "Create folder".
func isFolder(name string, size raw) bool {
	n, err := size.number()
	return strings.HasSuffix(name, "/") && err == nil && n == "0"
}

// The attributes of a notification of Cloud Storage (Cloud Storage documentation, "Pub/Sub notifications"), and what has
// happened to the object when there is one to score.
const finalized = "OBJECT_FINALIZE"

var notificationAttributes = []string{"eventType", "bucketId", "objectId", "objectGeneration", "payloadFormat"}

// notification is the work of a message that is a notification of Cloud Storage; false when it is none.
func notification(d *delivery, m *message) (work, bool, error) {
	kind, bucket, name := m.attributes["eventType"], m.attributes["bucketId"], m.attributes["objectId"]
	if !strings.HasPrefix(kind, "OBJECT_") || bucket == "" || name == "" || m.attributes["payloadFormat"] == "" {
		return work{}, false, nil
	}
	if kind != finalized {
		return work{skip: "nothing is scored for notifications of " + kind}, true, nil
	}
	generation, err := raw(m.attributes["objectGeneration"]).number()
	if err != nil {
		return work{}, true, malformed(d, fmt.Errorf("the attribute objectGeneration: %w", err))
	}
	if resource, err := members(m.data, "size"); err == nil && isFolder(name, resource[0]) { // the data may be left out
		return work{skip: skipFolder}, true, nil
	}
	w, err := object(d, bucket, name, generation)
	return w, true, err
}

// decodeAuditLog reads a log entry (google.events.cloud.audit.v1.LogEntryData) about an object that was created: its name is
// projects/_/buckets/BUCKET/objects/NAME, and its generation is not told.
func decodeAuditLog(d *delivery) (work, error) {
	v, err := members(d.data, "protoPayload")
	if err != nil {
		return work{}, malformed(d, err)
	}
	fields, err := members(v[0], "serviceName", "methodName", "resourceName", "status")
	if err != nil {
		return work{}, malformed(d, err)
	}
	service, err1 := fields[0].text()
	method, err2 := fields[1].text()
	resource, err3 := fields[2].text()
	status, err4 := members(fields[3], "code")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return work{}, malformed(d, err)
	}
	if service != "storage.googleapis.com" || method != "storage.objects.create" {
		return work{}, function.Errorf(function.Unsupported,
			"Audit logs of %.100q, method %.100q, are not scored: those of storage.googleapis.com, storage.objects.create, are.",
			service, method)
	}
	if code := string(status[0]); code != "" && code != "0" && code != "null" {
		return work{skip: "the call that the audit log tells of failed: no object was created"}, nil
	}
	rest, ok := strings.CutPrefix(resource, "projects/_/buckets/")
	bucket, name, found := strings.Cut(rest, "/objects/")
	if !ok || !found {
		return work{}, malformed(d, fmt.Errorf("resourceName is %.200q, expected projects/_/buckets/BUCKET/objects/NAME", resource))
	}
	return object(d, bucket, name, "")
}
