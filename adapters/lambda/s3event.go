package lambda

import (
	"net/url"
	"strings"

	"github.com/scorefn/scorefn/function"
)

// decodeS3 reads event notifications of Amazon S3 (S3 user guide, "Event message structure"): each names an object that is
// a request. What is told about an object that was removed or whose tags changed is passed over.
func decodeS3(e *event) (batch, error) {
	lane, err := objects(e)
	return batch{lanes: [][]record{lane}}, err
}

// decodeS3Test reads the message that S3 sends when a notification is set up. There is nothing to score.
func decodeS3Test(*event) (batch, error) { return batch{}, nil }

// objects are the objects that a notification names. Their keys are form-encoded.
func objects(e *event) ([]record, error) {
	var list []record
	err := elements(e.members[mRecords], func(r raw) error {
		v, err := members(r, "eventName", "s3")
		if err != nil {
			return err
		}
		name, err := v[0].text()
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "s3:")
		if !strings.HasPrefix(name, "ObjectCreated:") && name != "ObjectRestore:Completed" {
			return nil
		}
		bucket, about, err := bucketAndObject(v[1])
		if err != nil {
			return err
		}
		key, err := url.QueryUnescape(about[0])
		list = append(list, object(bucket, key, about[1], err))
		return nil
	})
	return list, err
}

// bucketAndObject reads {"bucket":{"name"},"object":{"key","versionId"}}, the version under either of its spellings.
func bucketAndObject(about raw) (bucket string, object []string, err error) {
	v, err := members(about, "bucket", "object")
	if err != nil {
		return "", nil, err
	}
	name, err := texts(v[0], "name")
	if err != nil {
		return "", nil, err
	}
	if object, err = texts(v[1], "key", "versionId", "version-id"); err != nil {
		return "", nil, err
	}
	if object[1] == "" {
		object[1] = object[2]
	}
	return name[0], object, nil
}

// object is the record of an object.
func object(bucket, key, version string, err error) record {
	link := "s3://" + bucket + "/" + key
	it := item(link, nil, err)
	it.URL, it.ContentType = link, "" // the object has its own type
	if version != "null" {            // the version in a bucket without versions
		it.ObjectVersion = version
	}
	return record{id: link, items: []function.Item{it}}
}
