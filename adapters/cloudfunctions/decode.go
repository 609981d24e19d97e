package cloudfunctions

import (
	"fmt"
	"strings"

	"github.com/scorefn/scorefn/function"
)

// work is what an event asks for.
type work struct {
	item function.Item
	skip string // why there is nothing to score; "" when there is
}

// decoders are the types of Google's events that are understood, by prefix (google-cloudevents, the folder proto/google/events).
var decoders = []struct {
	prefix string
	decode func(*delivery) (work, error)
}{
	{"google.cloud.storage.object.v1.finalized", decodeFinalized},
	{"google.cloud.storage.object.v1.", passOver},
	{typeMessage, decodeMessage},
	{"google.cloud.audit.log.v1.written", decodeAuditLog},
	{"google.cloud.scheduler.job.v1.executed", decodeSchedule},
	{"google.cloud.firestore.", refuseDocument},
	{"google.cloud.datastore.", refuseDocument},
	{"google.", refuseType},
}

// decode is what there is to score in an event. An event of a type that is not Google's is a scoring request itself: its
// data is {"data": …}, or what its content type says.
func decode(d *delivery) (work, error) {
	if d.err != nil {
		return work{}, d.err
	}
	for _, e := range decoders {
		if !strings.HasPrefix(d.Type, e.prefix) {
			continue
		}
		w, err := e.decode(d)
		if err != nil && isProtobuf(d.contentType) && function.AsError(err).Kind == function.Invalid {
			err = refuseProtobuf(d)
		}
		return w, err
	}
	if isProtobuf(d.contentType) {
		return work{}, refuseProtobuf(d)
	}
	return request(d, d.contentType, d.data), nil
}

func isProtobuf(contentType string) bool { return strings.Contains(mediaType(contentType), "protobuf") }

func refuseProtobuf(d *delivery) error {
	return function.Errorf(function.Unsupported, "The data of the event of type %.200q is %s, which is not understood: "+
		"make the trigger with --event-data-content-type=application/json.", d.Type, mediaType(d.contentType))
}

// request is the work of scoring a body. The item's id names its result: an event's id is unique within its source only, and
// a source holds no space.
func request(d *delivery, contentType string, body []byte) work {
	return work{item: function.Item{ID: d.Source + " " + d.ID, Request: function.Request{ContentType: contentType, Body: body}}}
}

// object is the work of scoring an object of Cloud Storage, whose result is named after the object.
func object(d *delivery, bucket, name, generation string) (work, error) {
	if bucket == "" || name == "" || strings.Contains(bucket, "/") {
		return work{}, malformed(d, fmt.Errorf("it names no object: bucket %.100q, name %.100q", bucket, name))
	}
	w := request(d, "", nil)
	w.item.URL, w.item.ObjectVersion = "gs://"+bucket+"/"+name, generation
	return w, nil
}

func malformed(d *delivery, err error) error {
	return function.Errorf(function.Invalid, "The data is not that of an event of type %s: %w", d.Type, err)
}

// passOver is for events that say that an object is no more, or has another class or label: there is nothing to score.
func passOver(d *delivery) (work, error) {
	return work{skip: "nothing is scored for events of type " + d.Type}, nil
}

// refuseDocument is for events of Firestore and Datastore. Eventarc delivers them as protobuf; as JSON each field is wrapped
// in its type. Neither is a scoring request.
func refuseDocument(d *delivery) (work, error) {
	return work{}, function.Errorf(function.Unsupported,
		"Events of Firestore and Datastore (%s, %s) are not scored: a document is no {\"data\": …}. "+
			"Publish the request to Pub/Sub, or write it to Cloud Storage.", d.Type, mediaType(d.contentType))
}

func refuseType(d *delivery) (work, error) {
	return work{}, function.Errorf(function.Unsupported,
		"Events of type %.200q are not scored: objects of Cloud Storage that were finalized, messages of Pub/Sub, "+
			"audit logs of storage.objects.create and jobs of Cloud Scheduler are.", d.Type)
}

// decodeSchedule reads {"customData": base64} (google.events.cloud.scheduler.v1.SchedulerJobData).
func decodeSchedule(d *delivery) (work, error) {
	v, err := members(d.data, "customData")
	if err != nil {
		return work{}, malformed(d, err)
	}
	body, err := v[0].base64()
	if err != nil {
		return work{}, malformed(d, fmt.Errorf("customData: %w", err))
	}
	return request(d, "application/json", body), nil
}
