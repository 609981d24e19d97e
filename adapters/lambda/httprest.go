package lambda

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// decodeREST reads the events of REST APIs and of HTTP APIs with payload format 1.0 (API Gateway developer guide, "Input
// format of a Lambda function for proxy integration"). The path has no stage in it; query values are unescaped.
func decodeREST(e *event, r *request) error {
	if err := decodeV1(e, r, url.QueryEscape); err != nil {
		return err
	}
	context, err := members(e.members[mRequestContext], "identity", "domainName")
	if err != nil {
		return err
	}
	if r.host, err = context[1].text(); err != nil {
		return err
	}
	identity, err := texts(context[0], "sourceIp")
	if err == nil {
		r.remote = identity[0]
	}
	return err
}

// decodeALB reads the events of an Application Load Balancer (Elastic Load Balancing user guide, "Use Lambda functions as
// targets of an Application Load Balancer"). The query is as it was sent. A target group with multi-value headers sends
// lists, others the last value.
func decodeALB(e *event, r *request) error {
	return decodeV1(e, r, func(text string) string { return text })
}

// decodeV1 reads what the two have in common.
func decodeV1(e *event, r *request, escape func(string) string) (err error) {
	if r.method, err = e.members[mHTTPMethod].text(); err != nil {
		return err
	}
	if r.path, err = e.members[mPath].text(); err != nil {
		return err
	}
	parameters, headers := e.members[mMultiQuery], e.members[mMultiHeaders]
	if parameters.absent() {
		parameters = e.members[mQuery]
	}
	if headers.absent() {
		headers = e.members[mHeaders]
	}
	if r.query, err = query(parameters, escape); err != nil {
		return err
	}
	return addHeaders(r.header, headers)
}

// appendREST writes {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}: API Gateway merges the two
// kinds of headers.
func appendREST(dst []byte, _ *event, w *response) []byte {
	dst = appendStatus(dst, w)
	dst = w.appendSingle(append(dst, `,"headers":`...), true)
	if multi := w.appendMulti(nil, true); len(multi) > len("{}") {
		dst = append(append(dst, `,"multiValueHeaders":`...), multi...)
	}
	return append(w.appendBodyMember(dst), '}')
}

// appendALB writes the same with a statusDescription, and with the one kind of headers that the target group sends.
func appendALB(dst []byte, e *event, w *response) []byte {
	dst = appendStatus(dst, w)
	dst = append(dst, `,"statusDescription":`...)
	dst = appendString(dst, strconv.Itoa(w.status)+" "+http.StatusText(w.status))
	if e.members[mMultiHeaders].absent() {
		dst = w.appendSingle(append(dst, `,"headers":`...), false)
	} else {
		dst = w.appendMulti(append(dst, `,"multiValueHeaders":`...), false)
	}
	return append(w.appendBodyMember(dst), '}')
}

func appendStatus(dst []byte, w *response) []byte {
	return strconv.AppendInt(append(dst, `{"statusCode":`...), int64(w.status), 10)
}

// appendSingle writes headers as strings. A header with several values is left out when the caller writes it elsewhere;
// else its values are joined.
func (w *response) appendSingle(dst []byte, elsewhere bool) []byte {
	dst = append(dst, '{')
	first := true
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		values := w.header[name]
		if platformHeaders[name] || len(values) == 0 || elsewhere && len(values) > 1 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendString(append(appendString(dst, name), ':'), strings.Join(values, ","))
	}
	return append(dst, '}')
}

// appendMulti writes headers as lists, all of them or those with several values.
func (w *response) appendMulti(dst []byte, several bool) []byte {
	dst = append(dst, '{')
	first := true
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		values := w.header[name]
		if platformHeaders[name] || several && len(values) < 2 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendStrings(append(appendString(dst, name), ':'), values)
	}
	return append(dst, '}')
}
