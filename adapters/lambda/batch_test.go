package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

func TestBatchAnswers(t *testing.T) {
	t.Parallel()
	const sqsID = "5%df0d3e4-0000-4000-8000-00000000000%[1]d"
	failures := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = `{"itemIdentifier":"` + id + `"}`
		}
		return `{"batchItemFailures":[` + strings.Join(ids, ",") + `]}`
	}
	message := func(n int) string { return fmt.Sprintf(sqsID, n) }
	const shard = "4959033827149025660855969253836157109592157598913658889"
	const fire = "4954698668313554428650745793632162567570019247115678515"
	object := func(id, result string) string { return `{"results":[{"id":"` + id + `","result":` + result + `}]}` }
	for _, tt := range []struct {
		fixture    string
		env        string // one variable
		want, fail string // answer, or errorType
	}{
		{"sqs", "", failures(message(2), message(4)), ""},
		{"sqs", "SCOREFN_POISON=drop", failures(message(4)), ""},
		{"sqs", "SCOREFN_PARTIAL_BATCH=false", "", "Function.Internal"},
		{"sqs-fifo", "", failures(message(2), message(3), message(4)), ""},
		{"sqs-fifo", "SCOREFN_POISON=drop", failures(), ""},
		{"sqs-s3", "", failures(), ""},
		{"sqs-s3-test", "", failures(), ""},
		{"sqs-sns", "", failures(), ""},
		{"sqs-sns-s3", "", failures(), ""},
		{"sqs-eventbridge-s3", "", failures(), ""},
		{"sns", "", object("95df01b4-ee98-5cb9-9903-4c221d41eb5e", "10"), ""},
		{"sns-s3", "", object(key, "42"), ""},
		{"s3", "", object(key, "42"), ""},
		{"s3-test", "", `{"results":[]}`, ""},
		{"s3-batch-1", "", `{"invocationSchemaVersion":"1.0","treatMissingKeysAs":"PermanentFailure",` +
			`"invocationId":"YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo","results":[` +
			`{"taskId":"dGFza2lkZ29lc2hlcmUK","resultCode":"Succeeded","resultString":"42"}]}`, ""},
		{"eventbridge", "", object("53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "14"), ""},
		{"eventbridge-s3", "", object(key, "42"), ""},
		{"eventbridge-schedule", "", `{"results":[]}`, ""},
		{"kinesis", "", failures(shard + "2"), ""},
		{"kinesis", "SCOREFN_POISON=drop", failures(shard + "2"), ""},
		{"kinesis", "SCOREFN_PARTIAL_BATCH=false", "", "Function.Internal"},
		{"kinesis-kpl", "", failures(shard + "3"), ""},
		{"kinesis-kpl", "SCOREFN_POISON=drop", failures(shard + "3"), ""},
		{"kinesis-window", "", "", "Function.Unsupported"},
		{"dynamodb", "", failures("4400000000000000000003"), ""},
		{"kafka", "", `{"batchItemFailures":[{"itemIdentifier":{"partition":"requests-0","offset":101}}]}`, ""},
		{"activemq", "", object("ID:b-9bcfa592-1:2:1:1", "16"), ""},
		{"rabbitmq", "", object("requests::/#0", "18"), ""},
		{"firehose", "", `{"records":[{"recordId":"` + fire + `1","result":"Ok","data":"Mg=="},` +
			`{"recordId":"` + fire + `2","result":"ProcessingFailed","data":"eyJkYXRhIjogImludmFsaWQifQ=="},` +
			`{"recordId":"` + fire + `3","result":"Ok","data":"Ng=="}]}`, ""},
		{"firehose", "SCOREFN_POISON=drop", `{"records":[{"recordId":"` + fire + `1","result":"Ok","data":"Mg=="},` +
			`{"recordId":"` + fire + `2","result":"Dropped"},` +
			`{"recordId":"` + fire + `3","result":"Ok","data":"Ng=="}]}`, ""},
		{"cloudwatch-logs", "", "", "Function.Unsupported"},
		{"websocket", "", "", "Function.Unsupported"},
		{"authorizer-token", "", "", "Function.Unsupported"},
		{"authorizer-request", "", "", "Function.Unsupported"},
		{"ses", "", "", "Function.Unsupported"},
		{"codecommit", "", "", "Function.Unsupported"},
		{"s3-object-lambda", "", "", "Function.Unsupported"},
	} {
		t.Run(strings.Trim(tt.fixture+" "+tt.env, " "), func(t *testing.T) {
			t.Parallel()
			name, value, _ := strings.Cut(tt.env, "=")
			out, err := invoke(t, newTest(t, map[string]string{name: value}), fixture(t, tt.fixture))
			if tt.fail != "" {
				if got, message := typeOf(t, err); got != tt.fail {
					t.Errorf("got %s %q, want %s", got, message, tt.fail)
				}
				return
			}
			if err != nil || string(out) != tt.want {
				t.Errorf("got  %s %v\nwant %s", out, err, tt.want)
			}
		})
	}
}

func TestS3BatchTasks(t *testing.T) {
	t.Parallel()
	out, err := invoke(t, newTest(t, nil), fixture(t, "s3-batch-2"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results []struct{ TaskID, ResultCode, ResultString string }
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one Succeeded", "two PermanentFailure", "three TemporaryFailure"} {
		if r := got.Results[i]; r.TaskID+" "+r.ResultCode != want || r.ResultString == "" {
			t.Errorf("got %+v, want %s", r, want)
		}
	}
}

// sqsOf is an SQS event with these bodies.
func sqsOf(tb testing.TB, queue string, bodies ...string) []byte {
	tb.Helper()
	var records []map[string]string
	for i, b := range bodies {
		records = append(records, map[string]string{
			"messageId": fmt.Sprint("m", i), "body": b, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:1:" + queue,
		})
	}
	out, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestBatchesThatFailAsAWhole(t *testing.T) {
	t.Parallel()
	const bad, broken, good = `{"data":"invalid"}`, `{"data":"broken"}`, `{"data":1}`
	for _, tt := range []struct {
		name    string
		event   []byte
		env     map[string]string
		want    string
		message string
	}{
		{"one message", sqsOf(t, "q", bad), nil, "Function.Invalid", "1 of 1 records failed. m0: data is not a number"},
		{"the worst that may pass comes first", sqsOf(t, "q", bad, broken), nil, "Function.Internal", "2 of 2 records failed. m1: An unexpected error"},
		{"a queue that keeps its order", sqsOf(t, "q.fifo", broken, good), nil, "Function.Internal", "2 of 2 records failed. m0: An unexpected error"},
		{"dropped is not failed", sqsOf(t, "q", bad), map[string]string{"SCOREFN_POISON": "drop"}, "", `{"batchItemFailures":[]}`},
		{"ordered and dropped", sqsOf(t, "q.fifo", bad, bad, good, bad, broken, good), map[string]string{"SCOREFN_POISON": "drop"}, "", `{"batchItemFailures":[{"itemIdentifier":"m4"},{"itemIdentifier":"m5"}]}`},
		{
			"a notification with one bad object", []byte(`{"Records":[` +
				`{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"inputs"},"object":{"key":"day+1/a%2Bb+%28%C3%A9%29.json"}}},` +
				`{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"inputs"},"object":{"key":"busy.json"}}}]}`), nil,
			"Function.Unavailable", "1 of 2 records failed. s3://inputs/busy.json: ",
		},
		{"Firehose, when all may pass later", []byte(`{"deliveryStreamArn":"arn","records":[{"recordId":"r","data":"eyJkYXRhIjoiYnJva2VuIn0="}]}`), nil, "Function.Internal", "1 of 1 records failed. r: An unexpected error"},
		{"Firehose, when none will", []byte(`{"deliveryStreamArn":"arn","records":[{"recordId":"r","data":"not base64"}]}`), nil, "", `{"records":[{"recordId":"r","result":"ProcessingFailed","data":"not base64"}]}`},
		{"Kafka, two partitions", kafkaOf([]string{`"broken"`, "1"}, []string{`"broken"`, `"broken"`}, []string{"1"}), nil, "", `{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":0}},{"itemIdentifier":{"partition":"t-1","offset":0}}]}`},
		{"Kafka, all", kafkaOf([]string{`"broken"`, "1"}, []string{`"broken"`, `"broken"`}), nil, "Function.Internal", "4 of 4 records failed. t-0/0: "},
		{"a broker's message", []byte(`{"eventSource":"aws:mq","messages":[{"messageID":"m","data":"eyJkYXRhIjoiaW52YWxpZCJ9"}]}`), nil, "Function.Invalid", "1 of 1 records failed. m: data is not a number"},
		{"a broker's message, dropped", []byte(`{"eventSource":"aws:mq","messages":[{"messageID":"m","data":"eyJkYXRhIjoiaW52YWxpZCJ9"}]}`), map[string]string{"SCOREFN_POISON": "drop"}, "", `{"results":[{"id":"m","dropped":true}]}`},
		{"a dropped message leaves out no object", sqsOf(t, "q.fifo", twoObjects("none.json"), bad), map[string]string{"SCOREFN_POISON": "drop"}, "", `{"batchItemFailures":[]}`},
		{"what may pass is not dropped", sqsOf(t, "q", twoObjects("none.json"), twoObjects("busy.json"), good), map[string]string{"SCOREFN_POISON": "drop"}, "", `{"batchItemFailures":[{"itemIdentifier":"m1"}]}`},
		{"nested too deep", sqsOf(t, "q", nest(t, 5)), nil, "Function.Invalid", "1 of 1 records failed. m0: events are nested too deep"},
		{"nested deep", sqsOf(t, "q", nest(t, 4)), nil, "", `{"batchItemFailures":[]}`},
		{"not a well-formed event", []byte(`{"Records":[{"eventSource":"aws:sqs","messageId":1}]}`), nil, "Function.Invalid", "The event is not a well-formed sqs event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := invoke(t, newTest(t, tt.env), tt.event)
			if tt.want == "" {
				if err != nil || string(out) != tt.message {
					t.Errorf("got %s %v, want %s", out, err, tt.message)
				}
				return
			}
			if kind, message := typeOf(t, err); kind != tt.want || !strings.HasPrefix(message, tt.message) || strings.Contains(message, "secret") {
				t.Errorf("got %s %q, want %s %q", kind, message, tt.want, tt.message)
			}
		})
	}
}

// kafkaOf is an event with a partition for each list of data.
func kafkaOf(partitions ...[]string) []byte {
	var all []string
	for p, list := range partitions {
		var records []string
		for offset, data := range list {
			body := base64.StdEncoding.EncodeToString([]byte(`{"data":` + data + `}`))
			records = append(records, fmt.Sprintf(`{"offset":%d,"value":"%s"}`, offset, body))
		}
		all = append(all, fmt.Sprintf(`"t-%d":[%s]`, p, strings.Join(records, ",")))
	}
	return []byte(`{"eventSource":"aws:kafka","records":{` + strings.Join(all, ",") + `}}`)
}

// twoObjects is a notification that names an object and then the one of the fixtures.
func twoObjects(name string) string {
	const record = `{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"inputs"},"object":{"key":"%s"}}}`
	return fmt.Sprintf(`{"Records":[`+record+`,`+record+`]}`, name, "day+1/a%2Bb+%28%C3%A9%29.json")
}

// nest is a request in n notifications.
func nest(tb testing.TB, n int) string {
	tb.Helper()
	body := `{"data":1}`
	for range n {
		b, err := json.Marshal(map[string]string{"Type": "Notification", "TopicArn": "arn", "Message": body})
		if err != nil {
			tb.Fatal(err)
		}
		body = string(b)
	}
	return body
}

func TestDynamoDBAttributes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`{"a":{"S":"x\"y"},"b":{"N":"-1.5e3"},"c":{"BOOL":true},"d":{"NULL":true},"e":{"B":"AAE="}}`, `{"a":"x\"y","b":-1.5e3,"c":true,"d":null,"e":"AAE="}`},
		{`{"l":{"L":[{"N":"1"},{"L":[{"S":"x"}]}]},"m":{"M":{"k":{"N":"2"}}},"s":{"SS":["a"]},"n":{"NS":["1","2"]},"b":{"BS":[]}}`, `{"l":[1,["x"]],"m":{"k":2},"s":["a"],"n":[1,2],"b":[]}`},
		{`{}`, `{}`},
		{`{"a":{}}`, ""},
		{`{"a":{"N":"1","S":"x"}}`, ""},
		{`{"a":{"N":"0x1"}}`, ""},
		{`{"a":{"N":1}}`, ""},
		{`{"a":{"X":"1"}}`, ""},
		{`{"a":{"BOOL":"true"}}`, ""},
		{`{"a":` + strings.Repeat(`{"L":[`, 40) + strings.Repeat(`]}`, 40) + `}`, ""},
	} {
		out, err := appendAttributes(nil, raw(tt.in), attributeDepth)
		if err == nil && !json.Valid(out) {
			t.Errorf("%s: not JSON: %s", tt.in, out)
		}
		if tt.want == "" != (err != nil) || err == nil && string(out) != tt.want {
			t.Errorf("%s: got %s %v, want %s", tt.in, out, err, tt.want)
		}
	}
}

func TestAnswersAreStored(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	h := newTest(t, map[string]string{"SCOREFN_OUTPUT": "s3://scores/out"}, WithStore(store))
	out, err := invoke(t, h, fixture(t, "s3"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Results []struct{ ID, Output string } }
	if err := json.Unmarshal(out, &got); err != nil || len(got.Results) != 1 || !strings.HasPrefix(got.Results[0].Output, "s3://scores/out/") {
		t.Fatalf("got %s %v", out, err)
	}
	if _, body, err := blob.Read(t.Context(), store, got.Results[0].Output, 100); err != nil || string(body) != "42" {
		t.Errorf("stored: %q %v", body, err)
	}
	loop := sqsOf(t, "q", `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"scores"},"object":{"key":"out/scores/x.json"}}}]}`)
	if kind, message := typeOf(t, second(invoke(t, h, loop))); kind != "Function.Invalid" || !strings.Contains(message, "is a result") {
		t.Errorf("an object of ours: %s %s", kind, message)
	}
}

func second(_ []byte, err error) error { return err }
