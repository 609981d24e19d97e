package lambda

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// fixtureKinds is what every fixture is.
var fixtureKinds = map[string]kind{
	"direct": direct, "http-api": httpAPI, "function-url": functionURL, "rest-api": restAPI, "alb": loadBalancer,
	"alb-multi": loadBalancer, "sqs": sqs, "sqs-fifo": sqs, "sqs-s3": sqs, "sqs-s3-test": sqs, "sqs-sns": sqs,
	"sqs-sns-s3": sqs, "sqs-eventbridge-s3": sqs, "sns": sns, "sns-s3": sns, "s3": s3Notification, "s3-test": s3Test,
	"s3-batch-1": s3Batch, "s3-batch-2": s3Batch, "eventbridge": eventBridge, "eventbridge-s3": eventBridge,
	"eventbridge-schedule": eventBridge, "kinesis": kinesis, "kinesis-window": kinesis, "kinesis-kpl": kinesis, "dynamodb": dynamoDB, "kafka": kafka,
	"activemq": activeMQ, "rabbitmq": rabbitMQ, "firehose": firehose, "cloudwatch-logs": cloudWatchLogs,
	"websocket": webSocket, "authorizer-token": authorizer, "authorizer-request": authorizer, "ses": ses,
	"codecommit": codeCommit, "s3-object-lambda": objectLambda,
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, name := range fixtures(t) {
		want, ok := fixtureKinds[name]
		if !ok {
			t.Errorf("%s: nobody says what it is", name)
		}
		if got := classify(fixture(t, name)).kind; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for _, tt := range []struct {
		payload, reason string
		want            kind
	}{
		{`{"data":[1],"Records":[{"eventSource":"aws:sqs"}]}`, "data makes it a request", direct},
		{`{"Records":[{"eventSource":"aws:sqs"}],"data":[1]}`, "in any order", direct},
		{`{"detail-type":"x","source":"y","detail":{"data":1}}`, "but not inside the event", eventBridge},
		{`{"inputs":{"Records":[{"eventSource":"aws:sqs"}]}}`, "nested names do not count", direct},
		{`{"Records":[{}]}`, "no source", direct},
		{`{"Records":[]}`, "no record", direct},
		{`{"Records":[1]}`, "no objects", direct},
		{`{"Records":"x"}`, "no list", direct},
		{`{"Records":[{"EventSource":"aws:sqs"}]}`, "only SNS writes it so", direct},
		{`{"Records":[{"eventSource":"aws:sns"}]}`, "and only so", otherRecords},
		{`{"Records":[{"eventSource":"aws:new"}]}`, "a source of tomorrow", otherRecords},
		{`{"eventSource":"SelfManagedKafka","records":{}}`, "", kafka},
		{`{"eventSource":"aws:kafka"}`, "no records", direct},
		{`{"requestContext":{}}`, "no door", direct},
		{`{"requestContext":null}`, "no door", direct},
		{`{"requestContext":{"http":{}}}`, "a function URL without a route key", functionURL},
		{`{"requestContext":{"http":{}},"routeKey":"$default"}`, "", httpAPI},
		{`{"R\u0065cords":[{"eventSource":"aws:sqs"}]}`, "an escaped name is the same name", sqs},
		{`{"Type":"Notification","TopicArn":"a","Message":"m"}`, "", notification},
		{`{"key1":"value1","key2":"value2"}`, "the console's test event", direct},
		{``, "", direct},
		{`null`, "", direct},
		{`[1]`, "", direct},
		{`{"Records":[{"eventSource":"aws:sqs"}]`, "cut off", direct},
	} {
		if got := classify([]byte(tt.payload)).kind; got != tt.want {
			t.Errorf("%s (%s): got %v, want %v", tt.payload, tt.reason, got, tt.want)
		}
	}
}

func TestClassifyCopiesNothing(t *testing.T) {
	payload := fixture(t, "http-api")
	if n := testing.AllocsPerRun(100, func() { classify(payload) }); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever comes, Invoke answers JSON or a typed error and does not end the process.
func FuzzInvoke(f *testing.F) {
	for _, name := range fixtures(f) { // none at all is a failure
		f.Add(fixture(f, name))
	}
	h := newTest(f, map[string]string{"SCOREFN_POISON": "drop"})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if string(payload) == `{"data":"slow"}` {
			t.Skip("waits for its deadline")
		}
		out, err := h.Invoke(t.Context(), payload)
		if err == nil {
			if !json.Valid(out) {
				t.Errorf("not JSON: %s", out)
			}
			return
		}
		if e, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || e.Type == "" || e.Message == "" {
			t.Errorf("got %#v", err)
		}
	})
}
