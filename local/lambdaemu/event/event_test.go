package event_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/scorefn/scorefn/local/lambdaemu/event"
)

var options = event.Options{
	Bodies: [][]byte{[]byte(`{"data":[1.5]}`), []byte(`{"data":["é",true,null,{"a":[]}]}`)},
	Now:    func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC) },
}

// made decodes an event into AWS's own type.
func made[T any](t *testing.T, name string, o event.Options) T {
	t.Helper()
	s, err := event.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Make(o)
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, b)
	}
	return v
}

func TestBodiesArrive(t *testing.T) {
	t.Parallel()
	unbase64 := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, got := range map[string]func() []string{
		"sqs": func() (all []string) {
			for _, r := range made[events.SQSEvent](t, "sqs", options).Records {
				all = append(all, r.Body)
			}
			return all
		},
		"sns": func() (all []string) {
			for _, r := range made[events.SNSEvent](t, "sns", options).Records {
				all = append(all, r.SNS.Message)
			}
			return all
		},
		"kinesis": func() (all []string) {
			for _, r := range made[events.KinesisEvent](t, "kinesis", options).Records {
				all = append(all, string(r.Kinesis.Data))
			}
			return all
		},
		"kafka": func() (all []string) {
			for _, r := range made[events.KafkaEvent](t, "kafka", options).Records["requests-0"] {
				all = append(all, unbase64(r.Value))
			}
			return all
		},
		"activemq": func() (all []string) {
			for _, r := range made[events.ActiveMQEvent](t, "activemq", options).Messages {
				all = append(all, unbase64(r.Data))
			}
			return all
		},
		"rabbitmq": func() (all []string) {
			for _, r := range made[events.RabbitMQEvent](t, "rabbitmq", options).MessagesByQueue["requests::/"] {
				all = append(all, unbase64(r.Data))
			}
			return all
		},
		"firehose": func() (all []string) {
			for _, r := range made[events.KinesisFirehoseEvent](t, "firehose", options).Records {
				all = append(all, string(r.Data))
			}
			return all
		},
	} {
		all := got()
		if len(all) != 2 || all[0] != string(options.Bodies[0]) || all[1] != string(options.Bodies[1]) {
			t.Errorf("%s: %q", name, all)
		}
	}
}

// The record is the very one that AWS's own Python library, aws_kinesis_agg, makes of these bodies and the partition key 1.
func TestKinesisProducerLibrary(t *testing.T) {
	t.Parallel()
	k := made[events.KinesisEvent](t, "kinesis-kpl", options)
	if len(k.Records) != 1 {
		t.Fatalf("%d records", len(k.Records))
	}
	const want = "84mawgoBMRoSCAAaDnsiZGF0YSI6WzEuNV19GiYIABoieyJkYXRhIjpbIsOpIix0cnVlLG51bGwseyJhIjpbXX1dfRpjQ/3weYE2Mis8dQwRHzQ="
	if got := base64.StdEncoding.EncodeToString(k.Records[0].Kinesis.Data); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	q := made[events.SQSEvent](t, "sqs-fifo", options)
	if a, b := q.Records[0], q.Records[1]; a.MessageId == b.MessageId || a.Attributes["SequenceNumber"] >= b.Attributes["SequenceNumber"] || a.Attributes["MessageGroupId"] == "" || !strings.HasSuffix(a.EventSourceARN, ".fifo") {
		t.Errorf("%+v", q)
	}
	k := made[events.KinesisEvent](t, "kinesis", options)
	if k.Records[0].Kinesis.SequenceNumber >= k.Records[1].Kinesis.SequenceNumber || k.Records[0].Kinesis.ApproximateArrivalTimestamp.UTC().Year() != 2026 {
		t.Errorf("%+v", k)
	}
	d := made[events.DynamoDBEvent](t, "dynamodb", options)
	image := d.Records[1].Change.NewImage
	if l := image["data"].List(); len(l) != 4 || l[0].String() != "é" || !l[1].Boolean() || !l[2].IsNull() || image["id"].String() != "item-2" {
		t.Errorf("%+v", d)
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	o := event.Options{Bucket: "data", Keys: []string{"in/a b+ü.json"}}
	s3 := made[events.S3Event](t, "s3", o).Records[0].S3
	if s3.Bucket.Name != "data" || s3.Object.Key != "in/a+b%2B%C3%BC.json" || s3.Object.URLDecodedKey != o.Keys[0] {
		t.Errorf("%+v", s3)
	}
	b := made[events.S3BatchJobEvent](t, "s3-batch", o)
	if b.InvocationSchemaVersion != "1.0" || b.Tasks[0].S3BucketARN != "arn:aws:s3:::data" || b.Tasks[0].S3Key != "in/a+b%2B%C3%BC.json" {
		t.Errorf("%+v", b)
	}
	e := made[events.EventBridgeEvent](t, "eventbridge", o)
	if e.DetailType != "Object Created" || !strings.Contains(string(e.Detail), `"in/a b+ü.json"`) {
		t.Errorf("%+v", e)
	}
	created, err := event.Created("data", event.Object{Key: "k", Size: 7, ETag: "e"})
	if err != nil || !strings.Contains(string(created), `"size": 7`) {
		t.Errorf("%s %v", created, err)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	one := event.Options{Bodies: options.Bodies[:1], Path: "/v2/models"}
	for name, body := range map[string]func() (path, body string){
		"http-v2": func() (string, string) {
			e := made[events.APIGatewayV2HTTPRequest](t, "http-v2", one)
			return e.RawPath, e.Body
		},
		"http-v1": func() (string, string) {
			e := made[events.APIGatewayProxyRequest](t, "http-v1", one)
			return e.Path, e.Body
		},
		"alb": func() (string, string) {
			e := made[events.ALBTargetGroupRequest](t, "alb", one)
			return e.Path, e.Body
		},
		"function-url": func() (string, string) {
			e := made[events.LambdaFunctionURLRequest](t, "function-url", one)
			return e.RawPath, e.Body
		},
	} {
		if p, b := body(); p != "/v2/models" || b != `{"data":[1.5]}` {
			t.Errorf("%s: %s %s", name, p, b)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	if _, err := event.Find("sqss"); err == nil || !strings.Contains(err.Error(), "rabbitmq") {
		t.Errorf("%v", err)
	}
	for _, s := range event.Sources() {
		if _, err := s.Make(event.Options{}); err == nil {
			t.Errorf("%s of nothing", s.Name)
		}
		if s.What == "" {
			t.Errorf("%s says nothing", s.Name)
		}
	}
	for name, o := range map[string]event.Options{
		"s3":          {Bodies: options.Bodies},
		"sqs":         {Keys: []string{"k"}},
		"http-v2":     {Bodies: options.Bodies},
		"eventbridge": {Bodies: [][]byte{[]byte("[1]")}},
		"dynamodb":    {Bodies: [][]byte{[]byte("[1]")}},
		"sns":         {Bodies: [][]byte{{0xff}}},
		"sqs-fifo":    {Bodies: [][]byte{{0xff}}},
	} {
		s, err := event.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := s.Make(o); err == nil {
			t.Errorf("%s: %s", name, b)
		}
	}
}
