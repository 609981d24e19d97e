package azure

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/jsonscan"
)

// event is an event of Event Grid's own schema or of CloudEvents 1.0 (Azure Event Grid documentation, "Azure Event Grid event
// schema"; CloudEvents specification, "JSON Event Format").
type event struct {
	id, kind, source, contentType string
	data, packed                  raw
}

// parseEvent reads a JSON object as an event; false when it is none. sure tells that it can be nothing else.
func parseEvent(body []byte, sure bool) (e event, ok bool) {
	if !raw(body).starts('{') {
		return e, false
	}
	texts := map[string]string{}
	err := raw(body).object(func(name string, v raw) error {
		switch name {
		case "data":
			e.data = v
		case "data_base64":
			e.packed = v
		case "id", "type", "source", "topic", "specversion", "datacontenttype", "eventType", "subject", "eventTime":
			text, err := v.text()
			texts[name] = text
			return err
		}
		return nil
	})
	if err != nil {
		return e, false
	}
	e.id, e.kind, e.contentType = texts["id"], texts["type"], texts["datacontenttype"]
	e.source = texts["source"] + texts["topic"]
	cloud := texts["specversion"] != "" && e.kind != "" && texts["source"] != ""
	grid := texts["eventType"] != "" && texts["eventTime"] != "" && e.id != ""
	if grid && !cloud {
		e.kind = texts["eventType"]
	}
	return e, cloud || grid || sure && (e.data != nil || e.packed != nil)
}

// unwrap is what there is to score in a message: the message itself, or what an event that is its body brings or names. Queues,
// topics and hubs get Event Grid's events one or many in a message.
func unwrap(n name, contentType string, body []byte, grid bool) message {
	if e, ok := parseEvent(body, grid); ok {
		if e.id != "" && grid {
			n = n.own(e.id, e.source)
		}
		return e.message(n)
	}
	if grid {
		return failed(n, errors.New("it is no event of Event Grid's schema or of CloudEvents"))
	}
	if m, ok := unwrapList(n, body); ok {
		return m
	}
	return message{id: n.id, items: []function.Item{item(n.key, contentType, body)}}
}

// unwrapList is a message that is an array of events, all of them.
func unwrapList(n name, body []byte) (message, bool) {
	if i := jsonscan.Space(body, 0); i >= len(body) || body[i] != '[' {
		return message{}, false
	}
	list, err := raw(body).elements()
	if err != nil || len(list) == 0 {
		return message{}, false
	}
	all := message{id: n.id}
	for i, v := range list {
		e, ok := parseEvent(v, false)
		if !ok {
			return message{}, false
		}
		m := e.message(name{id: n.id, key: fmt.Sprintf("%s-%d", n.key, i)})
		all.items = append(all.items, m.items...)
		all.skipped = m.skipped
	}
	return all, true
}

func item(key, contentType string, body []byte) function.Item {
	return function.Item{ID: key, Request: function.Request{ContentType: contentType, Body: body}}
}

// message is what an event brings.
func (e event) message(n name) message {
	if strings.HasPrefix(e.kind, "Microsoft.Storage.") {
		return e.storage(n)
	}
	contentType, body, err := e.body()
	if err != nil {
		return failed(n, err)
	}
	return message{id: n.id, items: []function.Item{item(n.key, contentType, body)}}
}

// storage is the blob that an event of a storage account names (Azure Event Grid documentation, "Azure Blob Storage as an Event
// Grid source"). Data Lake tells of a file twice: CreateFile is when it is still empty.
func (e event) storage(n name) message {
	created := strings.HasSuffix(e.kind, ".BlobCreated") || strings.HasSuffix(e.kind, ".BlobRenamed")
	api, _ := e.data.member("api").text() // "" where it is none
	if !created || api == "CreateFile" {
		return message{id: n.id, skipped: "an event of the kind " + e.kind + " names nothing to score"}
	}
	member := "url"
	if strings.HasSuffix(e.kind, ".BlobRenamed") {
		member = "destinationUrl"
	}
	link, err := e.data.member(member).text()
	if err != nil || link == "" {
		return failed(n, fmt.Errorf("an event of the kind %s without data.%s", e.kind, member))
	}
	contentType, _ := e.data.member("contentType").text() // "" where it is none
	etag, _ := e.data.member("eTag").text()               // "" where it is none
	it := function.Item{ID: n.key, URL: percent(link), Request: function.Request{ContentType: contentType}}
	return message{id: n.id, items: []function.Item{it}, etag: etag}
}

// percent is a URL in which every % begins an escape: a name that was not escaped on its way here may have others.
func percent(link string) string {
	if _, err := url.Parse(link); err == nil {
		return link
	}
	return strings.ReplaceAll(link, "%", "%25")
}

// body is the scoring request that an event brings: its data, {"data":…}, or where that is a list or a number, what stands
// under data in one.
func (e event) body() (contentType string, body []byte, err error) {
	switch {
	case !e.packed.absent():
		text, err := e.packed.text()
		if err != nil {
			return "", nil, err
		}
		body, err = base64.StdEncoding.DecodeString(text)
		return e.contentType, body, err
	case e.data.starts('"'):
		body, err = e.data.unquote()
		if first := bytes.TrimSpace(body); len(first) > 0 && first[0] != '{' && isJSON(e.contentType) {
			body = append(append([]byte(`{"data":`), e.data...), '}') // a string is the value itself
		}
		return e.contentType, body, err
	case e.data.starts('{'):
		return jsonType, e.data, nil
	case e.data.absent():
		return "", nil, errors.New("the event has no data")
	}
	return jsonType, append(append([]byte(`{"data":`), e.data...), '}'), nil
}

// isJSON tells the media types of JSON; an event that has none is JSON.
func isJSON(contentType string) bool {
	m := mediaType(contentType)
	return m == "" || m == jsonType || strings.HasSuffix(m, "+json")
}
