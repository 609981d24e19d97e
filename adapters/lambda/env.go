package lambda

import "github.com/scorefn/scorefn/function/settings"

// table is everything that the adapter reads of the environment beside the core's settings, and the only place that says so.
var table = []settings.Setting{
	{Name: "SCOREFN_POISON", Default: "fail", Doc: "what becomes of a message that can never be scored. fail: it is reported as failed, so that retries end in the dead-letter queue. drop: it is logged and acknowledged"},
	{Name: "SCOREFN_OUTPUT", Doc: "s3://bucket/prefix where the answers to events are stored as well, one object each"},
	{Name: "SCOREFN_PARTIAL_BATCH", Default: "true", Doc: "false: the event source mapping is without ReportBatchItemFailures, so one failed message fails the batch (SQS, Kinesis, DynamoDB, Kafka)"},
	{Name: "SCOREFN_STREAM", Default: "false", Doc: "true: function URLs and REST APIs are in response streaming mode"},
	{Name: "SCOREFN_EMF", Default: "false", Doc: "true: metrics are written to the log in CloudWatch's embedded metric format"},
	{Name: "AWS_LAMBDA_LOG_LEVEL", Doc: "set by AWS Lambda with the JSON log format; beats SCOREFN_LOG_LEVEL"},
	{Name: "AWS_LAMBDA_FUNCTION_NAME", Doc: "set by AWS Lambda; a dimension of the metrics"},
	{Name: "AWS_LAMBDA_RUNTIME_API", Doc: "set by AWS Lambda; where a failed init is reported"},
	{Name: "AWS_REGION", Doc: "set by AWS Lambda; of the buckets"},
	{Name: "AWS_ACCESS_KEY_ID", Doc: "set by AWS Lambda, with AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; for Amazon S3"},
	{Name: "AWS_SECRET_ACCESS_KEY", Doc: "see AWS_ACCESS_KEY_ID"},
	{Name: "AWS_SESSION_TOKEN", Doc: "see AWS_ACCESS_KEY_ID"},
	{Name: "AWS_ENDPOINT_URL_S3", Doc: "another server than Amazon S3's; buckets are then a part of the path, and without keys requests are not signed"},
}

// Settings is the table of the adapter's own environment, in the order in which it is printed.
func Settings() []settings.Setting { return settings.Grouped("AWS Lambda", table) }

// environment is the table, parsed, apart from what the S3 store reads when it is first used.
type environment struct {
	drop, partial, stream, emf bool
	output                     string
	level, function, runtime   string
}

// readEnvironment reads it through getenv, where "" means not set. The error names each bad value; the others are good all
// the same, so that it can be reported.
func readEnvironment(getenv func(string) string) (environment, error) {
	r := settings.NewReader(getenv)
	e := environment{
		drop:     r.Word("SCOREFN_POISON", "fail", "drop") == "drop",
		partial:  r.Flag("SCOREFN_PARTIAL_BATCH", true),
		stream:   r.Flag("SCOREFN_STREAM", false),
		emf:      r.Flag("SCOREFN_EMF", false),
		output:   r.Place("SCOREFN_OUTPUT", "s3://bucket/prefix"),
		level:    getenv("AWS_LAMBDA_LOG_LEVEL"),
		function: getenv("AWS_LAMBDA_FUNCTION_NAME"),
		runtime:  getenv("AWS_LAMBDA_RUNTIME_API"),
	}
	return e, r.Err()
}
