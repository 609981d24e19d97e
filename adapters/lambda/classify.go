package lambda

import (
	"errors"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// kind is where an event comes from.
type kind uint8

const (
	direct kind = iota // an invocation whose payload is the request
	restAPI
	httpAPI
	functionURL
	loadBalancer
	sqs
	sns
	s3Notification
	s3Test
	s3Batch
	eventBridge
	kinesis
	dynamoDB
	kafka
	activeMQ
	rabbitMQ
	firehose
	notification // an SNS message as SQS and HTTP get it; never the event itself
	authorizer
	webSocket
	cloudWatchLogs
	ses
	codeCommit
	objectLambda
	otherRecords // Records of a source that is not known
	kinds
)

// names are the kinds in logs, metrics and messages.
var names = [kinds]string{
	direct: "direct", restAPI: "rest-api", httpAPI: "http-api", functionURL: "function-url", loadBalancer: "alb",
	sqs: "sqs", sns: "sns", s3Notification: "s3", s3Test: "s3-test", s3Batch: "s3-batch", eventBridge: "eventbridge",
	kinesis: "kinesis", dynamoDB: "dynamodb", kafka: "kafka", activeMQ: "activemq", rabbitMQ: "rabbitmq", firehose: "firehose",
	notification: "sns-notification", authorizer: "authorizer", webSocket: "websocket", cloudWatchLogs: "cloudwatch-logs",
	ses: "ses", codeCommit: "codecommit", objectLambda: "s3-object-lambda", otherRecords: "records",
}

func (k kind) String() string { return names[k] }

// member is a top-level member that tells events apart or is read by a decoder.
type member uint8

const (
	mRequestContext member = iota
	mHTTPMethod
	mResource
	mRouteKey
	mPath
	mRawPath
	mRawQueryString
	mHeaders
	mMultiHeaders
	mQuery
	mMultiQuery
	mCookies
	mBody
	mIsBase64
	mRecords
	mEventSource
	mTopicRecords // Kafka's and Firehose's, in lower case
	mMessages
	mQueues
	mDeliveryStream
	mInvocationID
	mSchemaVersion
	mTasks
	mDetailType
	mSource
	mDetail
	mID
	mLogs
	mEvent
	mObjectContext
	mType
	mMessage
	mTopic
	mMethodARN
	mToken
	mWindow
	memberCount
)

var memberNames = map[string]member{
	"requestContext": mRequestContext, "httpMethod": mHTTPMethod, "resource": mResource, "routeKey": mRouteKey, "path": mPath,
	"rawPath": mRawPath, "rawQueryString": mRawQueryString, "headers": mHeaders, "multiValueHeaders": mMultiHeaders,
	"queryStringParameters": mQuery, "multiValueQueryStringParameters": mMultiQuery, "cookies": mCookies, "body": mBody,
	"isBase64Encoded": mIsBase64, "Records": mRecords, "eventSource": mEventSource, "records": mTopicRecords,
	"messages": mMessages, "rmqMessagesByQueue": mQueues, "deliveryStreamArn": mDeliveryStream, "invocationId": mInvocationID,
	"invocationSchemaVersion": mSchemaVersion, "tasks": mTasks, "detail-type": mDetailType, "source": mSource,
	"detail": mDetail, "id": mID, "awslogs": mLogs, "Event": mEvent, "getObjectContext": mObjectContext, "type": mType,
	"Type": mType, "Message": mMessage, "TopicArn": mTopic, "methodArn": mMethodARN, "authorizationToken": mToken, "window": mWindow,
}

// event is an event with the places of the members that matter. It holds no memory but the event's own.
type event struct {
	kind    kind
	payload raw
	members [memberCount]raw
}

func (e *event) has(names ...member) bool {
	for _, m := range names {
		if e.members[m] == nil {
			return false
		}
	}
	return true
}

func (e *event) is(m member, text string) bool {
	v := e.members[m]
	return len(v) == len(text)+2 && v[0] == '"' && string(v[1:len(v)-1]) == text
}

// errFound ends a walk that has seen enough.
var errFound = errors.New("found")

// classify tells events apart by their top-level members (AWS Lambda developer guide, the pages "Using AWS Lambda with …",
// and the samples in aws-lambda-go's events/testdata). It reads the payload once and copies nothing.
//
// A member "data" makes the payload a scoring request, whatever stands beside it: no event of AWS has one, and what is
// nested in it is the caller's own. A payload that is no JSON object is a scoring request too: a wrong one, whose error is
// then that of the scoring route.
func classify(payload []byte) *event {
	e := &event{payload: payload}
	err := jsonscan.Object(payload, func(name []byte, from, to int) error {
		if string(name) == "data" {
			return errFound
		}
		if m, ok := memberNames[string(name)]; ok {
			e.members[m] = payload[from:to]
		}
		return nil
	})
	if err == nil {
		e.kind = e.find()
	}
	return e
}

// find is the kind that the members speak for.
func (e *event) find() kind {
	switch {
	case e.has(mRequestContext):
		return e.http()
	case e.has(mMethodARN) && (e.is(mType, "TOKEN") || e.is(mType, "REQUEST")):
		return authorizer
	case e.has(mRecords):
		return e.record()
	case e.has(mTopicRecords) && (e.is(mEventSource, "aws:kafka") || e.is(mEventSource, "SelfManagedKafka")):
		return kafka
	case e.has(mMessages) && e.is(mEventSource, "aws:mq"):
		return activeMQ
	case e.has(mQueues) && e.is(mEventSource, "aws:rmq"):
		return rabbitMQ
	case e.has(mDeliveryStream, mTopicRecords):
		return firehose
	case e.has(mSchemaVersion, mTasks):
		return s3Batch
	case e.has(mDetailType, mSource):
		return eventBridge
	case e.has(mLogs):
		return cloudWatchLogs
	case e.is(mEvent, "s3:TestEvent"):
		return s3Test
	case e.has(mObjectContext):
		return objectLambda
	case e.has(mTopic, mMessage) && e.is(mType, "Notification"):
		return notification
	}
	return direct
}

// http tells the events apart that have a requestContext.
func (e *event) http() kind {
	if e.has(mToken) || e.is(mType, "REQUEST") || e.is(mType, "TOKEN") {
		return authorizer
	}
	context, err := members(e.members[mRequestContext], "elb", "http", "connectionId", "domainName")
	switch {
	case err != nil:
		return direct
	case context[0] != nil:
		return loadBalancer
	case context[1] != nil:
		if domain, _ := context[3].text(); isFunctionURL(domain) || !e.has(mRouteKey) {
			return functionURL
		}
		return httpAPI
	case context[2] != nil:
		return webSocket
	case e.has(mHTTPMethod, mResource):
		return restAPI
	}
	return direct
}

// record tells the events apart that are a list of Records. Amazon SNS writes EventSource, all others eventSource.
func (e *event) record() kind {
	first := firstElement(e.members[mRecords])
	if first == nil || first[0] != '{' {
		return direct
	}
	v, err := texts(first, "eventSource", "EventSource")
	if err != nil {
		return direct
	}
	switch v[0] {
	case "aws:sqs":
		return sqs
	case "aws:s3":
		return s3Notification
	case "aws:kinesis":
		return kinesis
	case "aws:dynamodb":
		return dynamoDB
	case "aws:ses":
		return ses
	case "aws:codecommit":
		return codeCommit
	case "":
		if v[1] == "aws:sns" {
			return sns
		}
		return direct
	}
	return otherRecords
}
