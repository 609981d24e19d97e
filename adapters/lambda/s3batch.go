package lambda

import (
	"net/url"
	"strings"

	"github.com/scorefn/scorefn/function"
)

// decodeS3Batch reads tasks of S3 Batch Operations (S3 user guide, "Invoke AWS Lambda function"). Schema 1.0 has the bucket's
// ARN and form-encoded keys, 2.0 its name and plain keys.
func decodeS3Batch(e *event) (batch, error) {
	var lane []record
	schema, err := e.members[mSchemaVersion].text()
	if err != nil {
		return batch{}, err
	}
	err = elements(e.members[mTasks], func(r raw) error {
		v, err := texts(r, "taskId", "s3Key", "s3VersionId", "s3Bucket", "s3BucketArn")
		if err != nil {
			return err
		}
		key, bucket := v[1], v[3]
		if bucket == "" {
			bucket = v[4][strings.LastIndexByte(v[4], ':')+1:]
		}
		if schema == "1.0" {
			key, err = url.QueryUnescape(key)
		}
		o := object(bucket, key, v[2], err)
		o.id = v[0]
		lane = append(lane, o)
		return nil
	})
	return batch{lanes: [][]record{lane}}, err
}

// answerS3Batch answers each task: Succeeded, TemporaryFailure, which is tried again, or PermanentFailure. The text stands
// in the job's report: the object that the answer is stored in, or the answer itself, cut to what a report has room for.
func answerS3Batch(_ *handler, e *event, out []outcome) ([]byte, error) {
	dst := append([]byte(`{"invocationSchemaVersion":`), e.members[mSchemaVersion]...)
	dst = append(dst, `,"treatMissingKeysAs":"PermanentFailure","invocationId":`...)
	dst = append(append(dst, orNull(e.members[mInvocationID])...), `,"results":[`...)
	for i, o := range out {
		if i > 0 {
			dst = append(dst, ',')
		}
		code, text := taskResult(o)
		dst = appendString(append(dst, `{"taskId":`...), o.id)
		dst = append(append(append(dst, `,"resultCode":"`...), code...), `","resultString":`...)
		dst = append(appendString(dst, text), '}')
	}
	return append(dst, "]}"...), nil
}

// maxResult is the longest resultString: a report is a table.
const maxResult = 1024

func taskResult(o outcome) (code, text string) {
	err := o.err
	if err == nil {
		err = o.dropped
	}
	if err != nil {
		e := function.AsError(err)
		if e.Kind.Retryable() {
			return "TemporaryFailure", e.Msg
		}
		return "PermanentFailure", e.Msg
	}
	for _, r := range o.results {
		if text = r.Stored; text == "" {
			text = string(r.Response.Body[:min(len(r.Response.Body), maxResult)])
		}
	}
	return "Succeeded", text
}

func orNull(r raw) raw {
	if r == nil {
		return raw("null")
	}
	return r
}
