package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
)

const jsonType = "application/json"

// message is what the trigger brings and accounts for as one.
type message struct {
	id      string          // in answers: the source's own
	items   []function.Item // what there is to score: none of an event that brings nothing
	skipped string          // why there is none
	etag    string          // of the blob that the only item names, "" where that is not known
}

// messages are those of an invocation. Blobs that the host has fetched are put into d.
func (s *server) messages(c *call, p payload, d *delivered) ([]message, bool, error) {
	var b binding
	if c.fn != nil {
		b = c.fn.trigger
	}
	v, err := p.value(b.Name)
	if err != nil {
		return nil, false, err
	}
	if c.fn != nil && len(c.fn.objects) > 0 {
		m, err := fetched(c, p, d)
		return []message{m}, false, err
	}
	values, many, err := decode(b, v)
	if err != nil {
		return nil, many, err
	}
	if b.is("blobTrigger") || c.fn == nil && len(values) == 1 && p.meta("Uri") != nil && p.meta("Properties") != nil {
		return []message{deliver(c, p, d, p.metaText("Uri"), values[0])}, false, nil
	}
	list := make([]message, len(values))
	for i, v := range values {
		id, key := identify(c, p, v.body, i, many)
		if v.err != nil {
			list[i] = failed(id, key, v.err)
			continue
		}
		list[i] = unwrap(id, key, v.body, b.is("eventGridTrigger"))
	}
	return list, many, nil
}

// deliver is the message of a blob whose content is here already. It is an object like any other to the core: the name and the
// store's word tell what it holds, and the result is named after it.
func deliver(c *call, p payload, d *delivered, link string, v value) message {
	if link == "" {
		link = "https://blob.invalid/" + c.Function + "/" + hashOf(v.body)
	}
	id := blob.Redact(link)
	if v.err != nil {
		return failed(id, link, v.err)
	}
	contentType, _ := p.meta("Properties").member("ContentType").text() // "" where it is none
	d.blobs[link] = &content{body: v.body, contentType: contentType, version: hashOf(v.body)}
	return message{id: id, items: []function.Item{{ID: id, URL: link}}}
}

// fetched is the message of a trigger with a blob input binding, which the host has filled: its content is what is scored.
func fetched(c *call, p payload, d *delivered) (message, error) {
	b := c.fn.objects[0]
	v := p.data.member(b.Name)
	if v.absent() {
		return failed(c.ID, c.ID, fmt.Errorf("the blob of the input binding %q is not there", b.Name)), nil
	}
	values, _, err := decode(binding{Type: "blob", DataType: b.DataType}, v)
	if err != nil {
		return message{}, err
	}
	link, _ := p.meta("data").member("url").text() // "" where the trigger is another
	return deliver(c, p, d, link, values[0]), nil
}

// failed is a message that cannot be scored.
func failed(id, key string, err error) message {
	return message{id: id, items: []function.Item{{ID: key, Err: function.Errorf(function.Invalid, "The message cannot be read: %w", err)}}}
}

// identify names a message twice: as its source does, for answers, and uniquely among all that is stored, for its result. The
// host lets a member of the message's own object replace the metadata of that name, in any case: where one did, and where the
// source has no name, the content is a part of the unique one, so that a redelivery has the same.
func identify(c *call, p payload, body []byte, i int, many bool) (id, key string) {
	meta := func(name string) string {
		if !many {
			return p.metaText(name)
		}
		list, err := p.meta(name + "Array").elements()
		if err != nil || i >= len(list) {
			return ""
		}
		text, err := list[i].text()
		if err != nil {
			return string(list[i]) // a number
		}
		return text
	}
	names := []string{"Id"}
	switch {
	case c.Trigger == "" && meta("MessageId") != "", equal(c.Trigger, "serviceBusTrigger"):
		names = []string{"MessageId", "SequenceNumber"}
		id = meta("MessageId")
	case c.Trigger == "" && p.meta("PartitionContext") != nil, equal(c.Trigger, "eventHubTrigger"):
		names = []string{"SequenceNumber", "PartitionContext"}
		if n := meta("SequenceNumber"); n != "" {
			partition, _ := p.meta("PartitionContext").member("PartitionId").text() // "" where it is none
			id = strings.TrimPrefix(partition+"-"+n, "-")
		}
	case equal(c.Trigger, "cosmosDBTrigger"):
		id, _ = raw(body).member("id").text() // "" where it is none
	case !many:
		id = meta("Id")
	}
	key = id
	if equal(c.Trigger, "serviceBusTrigger") && meta("SequenceNumber") != "" {
		key += "-" + meta("SequenceNumber")
	}
	if key == "" || equal(c.Trigger, "cosmosDBTrigger") || !many && overwritten(body, names) {
		key = strings.TrimPrefix(key+"-"+hashOf(append([]byte(meta("InsertionTime")+meta("EnqueuedTimeUtc")), body...)), "-")
	}
	if id == "" {
		id = c.ID
		if many {
			id += "-" + strconv.Itoa(i)
		}
	}
	if c.Function != "" {
		key = c.Function + "." + key
	}
	return id, key
}

// overwritten tells whether a message has a member that replaces metadata.
func overwritten(body []byte, names []string) bool {
	if !raw(body).starts('{') {
		return false
	}
	found := false
	_ = raw(body).object(func(member string, _ raw) error { // what is no object overwrites nothing
		for _, n := range names {
			found = found || equal(n, member)
		}
		return nil
	})
	return found
}

func equal(a, b string) bool { return strings.EqualFold(a, b) }

// hashOf is a third of a SHA-256 of bytes.
func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:10])
}
