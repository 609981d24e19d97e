package lambda

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// decodeV2 reads payload format 2.0 of HTTP APIs and function URLs (API Gateway developer guide, "Create AWS Lambda proxy
// integrations for HTTP APIs"; Lambda developer guide, "Invoking Lambda function URLs"). Values of one header stand in one
// string, cookies apart; the query is as it was sent. The path begins with the stage's name, except that of $default.
func decodeV2(e *event, r *request) error {
	context, err := members(e.members[mRequestContext], "http", "stage", "domainName")
	if err != nil {
		return err
	}
	about, err := texts(context[0], "method", "sourceIp")
	if err != nil {
		return err
	}
	r.method, r.remote = about[0], about[1]
	if r.host, err = context[2].text(); err != nil {
		return err
	}
	if r.path, err = e.members[mRawPath].text(); err != nil {
		return err
	}
	if stage, err := context[1].text(); err == nil && stage != "" && stage != "$default" {
		if rest, ok := strings.CutPrefix(r.path, "/"+stage); ok && (rest == "" || rest[0] == '/') {
			r.path = rest
		}
	}
	if r.query, err = e.members[mRawQueryString].text(); err != nil {
		return err
	}
	if err := addHeaders(r.header, e.members[mHeaders]); err != nil {
		return err
	}
	var cookies []string
	if err := each(e.members[mCookies], func(c string) { cookies = append(cookies, c) }); err != nil {
		return err
	}
	if len(cookies) > 0 {
		r.header["Cookie"] = []string{strings.Join(cookies, "; ")}
	}
	return nil
}

// appendV2 writes {"statusCode", "headers", "cookies", "body", "isBase64Encoded"}.
func appendV2(dst []byte, _ *event, w *response) []byte {
	dst = w.appendHead(dst)
	dst = w.appendBodyMember(dst)
	return append(dst, '}')
}

// appendHead writes the status, the headers and the cookies, without the closing brace.
func (w *response) appendHead(dst []byte) []byte {
	dst = append(dst, `{"statusCode":`...)
	dst = strconv.AppendInt(dst, int64(w.status), 10)
	dst = append(dst, `,"headers":{`...)
	first := true
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		if platformHeaders[name] || name == "Set-Cookie" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, name), ':')
		dst = appendString(dst, strings.Join(w.header[name], ","))
	}
	dst = append(dst, '}')
	if cookies := w.header["Set-Cookie"]; len(cookies) > 0 {
		dst = appendStrings(append(dst, `,"cookies":`...), cookies)
	}
	return dst
}

// appendStrings appends a list of strings.
func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, text := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, text)
	}
	return append(dst, ']')
}
