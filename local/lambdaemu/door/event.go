package door

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

type object = map[string]any

const (
	apiID    = "local00000"
	urlID    = "localurl000000000000000000000000"
	clockGMT = "02/Jan/2006:15:04:05 -0700"
)

func domain(id, service string) string { return id + "." + service }

// text is a body as the services put it into JSON: as it is when its type is one of text, else in base64. Whatever the type
// says, bytes that are not UTF-8 and compressed bodies are base64.
func text(h http.Header, body []byte, formIsText bool) (s string, isBase64 bool) {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	plain := err != nil || strings.HasPrefix(kind, "text/") || kind == jsonType || kind == "application/javascript" ||
		kind == "application/xml" || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") ||
		formIsText && kind == "application/x-www-form-urlencoded"
	if plain && h.Get("Content-Encoding") == "" && utf8.Valid(body) {
		return string(body), false
	}
	if len(body) == 0 {
		return "", false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// headers is the request's headers with the ones that a proxy adds.
func (i in) headers() http.Header {
	h := i.r.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("Host", i.r.Host)
	set := func(name, value string) {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	set("X-Amzn-Trace-Id", "Root=1-"+i.id[:8]+"-"+strings.ReplaceAll(i.id, "-", "")[8:])
	set("X-Forwarded-For", i.ip)
	set("X-Forwarded-Port", "443")
	set("X-Forwarded-Proto", "https")
	if i.r.ContentLength > 0 || len(i.body) > 0 {
		h.Set("Content-Length", intText(len(i.body)))
	}
	return h
}

// v2 is payload format 2.0: lower-case names, several values joined with commas, cookies apart
// (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
func (i in) v2(id, host string) object {
	headers := map[string]string{}
	var cookies []string
	for name, values := range i.headers() {
		if name == "Cookie" {
			for _, v := range values {
				for c := range strings.SplitSeq(v, ";") {
					cookies = append(cookies, strings.TrimSpace(c))
				}
			}
			continue
		}
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	prefix, _, _ := strings.Cut(host, ".")
	event := object{
		"version": "2.0", "routeKey": "$default",
		"rawPath": i.r.URL.Path, "rawQueryString": i.r.URL.RawQuery,
		"headers": headers,
		"requestContext": object{
			"accountId": lambdaemu.AccountID, "apiId": id, "domainName": host, "domainPrefix": prefix,
			"http": object{
				"method": i.r.Method, "path": i.r.URL.Path, "protocol": "HTTP/1.1", "sourceIp": i.ip, "userAgent": i.r.UserAgent(),
			},
			"requestId": i.id, "routeKey": "$default", "stage": "$default",
			"time": i.now.Format(clockGMT), "timeEpoch": i.now.UnixMilli(),
		},
		"isBase64Encoded": false,
	}
	if len(cookies) > 0 {
		event["cookies"] = cookies
	}
	if q := i.r.URL.Query(); len(q) > 0 {
		joined := map[string]string{}
		for name, values := range q {
			joined[name] = strings.Join(values, ",")
		}
		event["queryStringParameters"] = joined
	}
	if len(i.body) > 0 {
		event["body"], event["isBase64Encoded"] = text(i.r.Header, i.body, false)
	}
	return event
}

func httpAPIEvent(i in) ([]byte, error) {
	return json.Marshal(i.v2(apiID, domain(apiID, "execute-api."+lambdaemu.Region+".amazonaws.com")))
}

// urlEvent is the same format (docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html); without IAM the account is
// "anonymous".
func urlEvent(i in) ([]byte, error) {
	event := i.v2(urlID, domain(urlID, "lambda-url."+lambdaemu.Region+".on.aws"))
	event["requestContext"].(object)["accountId"] = "anonymous"
	return json.Marshal(event)
}

// restEvent is format 1.0 (docs.aws.amazon.com/apigateway/latest/developerguide/
// set-up-lambda-proxy-integrations.html): names with capitals, the last value of several and all of them, null for what is
// not there. Binary bodies come as if the API's binaryMediaTypes listed every type that is not text.
func restEvent(i in) ([]byte, error) {
	headers := i.headers()
	query := i.r.URL.Query()
	path := i.r.URL.Path
	event := object{
		"resource": "/{proxy+}", "path": path, "httpMethod": i.r.Method,
		"headers": last(headers), "multiValueHeaders": map[string][]string(headers),
		"queryStringParameters": null(last(query)), "multiValueQueryStringParameters": null(map[string][]string(query)),
		"pathParameters": object{"proxy": strings.TrimPrefix(path, "/")}, "stageVariables": nil,
		"requestContext": object{
			"accountId": lambdaemu.AccountID, "apiId": apiID, "resourceId": "proxy0", "resourcePath": "/{proxy+}",
			"httpMethod": i.r.Method, "path": "/prod" + path, "protocol": "HTTP/1.1", "stage": "prod",
			"domainName": domain(apiID, "execute-api."+lambdaemu.Region+".amazonaws.com"), "domainPrefix": apiID,
			"requestId": i.id, "extendedRequestId": i.id[:8], "requestTime": i.now.Format(clockGMT), "requestTimeEpoch": i.now.UnixMilli(),
			"identity": object{"sourceIp": i.ip, "userAgent": i.r.UserAgent()},
		},
		"body": nil, "isBase64Encoded": false,
	}
	if path == "/" {
		event["resource"], event["pathParameters"] = "/", nil
		event["requestContext"].(object)["resourcePath"] = "/"
	}
	if len(i.body) > 0 {
		event["body"], event["isBase64Encoded"] = text(i.r.Header, i.body, true)
	}
	return json.Marshal(event)
}

// albEvent is a load balancer's (docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html):
// lower-case names, a query that is not decoded, and either single values or multi-value maps, never both.
func albEvent(i in, multi bool) ([]byte, error) {
	headers := http.Header{}
	for name, values := range i.headers() {
		headers[strings.ToLower(name)] = values
	}
	query := rawQuery(i.r.URL.RawQuery)
	event := object{
		"requestContext": object{"elb": object{
			"targetGroupArn": "arn:aws:elasticloadbalancing:" + lambdaemu.Region + ":" + lambdaemu.AccountID + ":targetgroup/local/6d0ecf831eec9f09",
		}},
		"httpMethod": i.r.Method, "path": i.r.URL.Path,
	}
	if multi {
		event["multiValueHeaders"], event["multiValueQueryStringParameters"] = headers, query
	} else {
		event["headers"], event["queryStringParameters"] = last(headers), last(query)
	}
	event["body"], event["isBase64Encoded"] = text(i.r.Header, i.body, false)
	return json.Marshal(event)
}

// rawQuery splits without decoding.
func rawQuery(s string) url.Values {
	q := url.Values{}
	for pair := range strings.SplitSeq(s, "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			q[name] = append(q[name], value)
		}
	}
	return q
}

func last[M ~map[string][]string](m M) map[string]string {
	one := make(map[string]string, len(m))
	for name, values := range m {
		if len(values) > 0 {
			one[name] = values[len(values)-1]
		}
	}
	return one
}

// null is nil for an empty map.
func null[V any](m map[string]V) any {
	if len(m) == 0 {
		return nil
	}
	return m
}
