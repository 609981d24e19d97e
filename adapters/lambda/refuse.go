package lambda

import "github.com/scorefn/scorefn/function"

// refused is the error of an event that holds nothing to score. It says what does.
func refused(k kind) error {
	why := "is not supported"
	switch k {
	case authorizer:
		why = "asks who may call, which is not a scoring function's to answer: give the authorizer a function of its own"
	case webSocket:
		why = "is not supported: use a REST or HTTP API or a function URL"
	case cloudWatchLogs:
		why = "holds log lines, not scoring requests: remove the subscription of the log group"
	case ses:
		why = "holds a mail's headers: let the rule store the mail in S3 and the bucket call the function"
	case objectLambda:
		why = "asks for an object to be changed on its way: score the object itself, with an S3 event"
	default:
	}
	return function.Errorf(function.Unsupported, "An event of the kind %s %s. Events that are scored: HTTP, SQS, SNS, S3, "+
		"S3 Batch, EventBridge, Kinesis, DynamoDB streams, Kafka, ActiveMQ, RabbitMQ, Firehose.", k, why)
}
