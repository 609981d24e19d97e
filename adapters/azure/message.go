package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/jsonscan"
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
func (s *server) messages(c *call, p *payload, d *delivered) ([]message, bool, error) {
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
		n := identify(c, p, v.body, i, many)
		if v.err != nil {
			list[i] = failed(n, v.err)
			continue
		}
		list[i] = unwrap(n, p.contentType(v.body, i, many), v.body, b.is("eventGridTrigger"))
	}
	return list, many, nil
}

// contentType is what Service Bus was told about a message that is no JSON object, "" for JSON.
func (p *payload) contentType(body []byte, i int, many bool) string {
	if i := jsonscan.Space(body, 0); i < len(body) && body[i] == '{' {
		return jsonType // and the metadata may be the message's own
	}
	t := p.metaOf("ContentType", i, many)
	switch m := mediaType(t); {
	case m == "text/csv", m == "application/x-npy", m == "application/octet-stream", strings.HasPrefix(m, "image/"), strings.HasSuffix(m, "ndjson"):
		return t
	}
	return jsonType
}

// deliver is the message of a blob whose content is here already. It is an object like any other to the core: the name and the
// store's word tell what it holds, and the result is named after it.
func deliver(c *call, p *payload, d *delivered, link string, v value) message {
	if link == "" {
		link = "https://blob.invalid/" + c.Function + "/" + hashOf(v.body)
	}
	id := blob.Redact(link)
	if v.err != nil {
		return failed(name{id: id, key: link}, v.err)
	}
	contentType, _ := p.meta("Properties").member("ContentType").text() // "" where it is none
	d.blobs[link] = &content{body: v.body, contentType: contentType, version: hashOf(v.body)}
	return message{id: id, items: []function.Item{{ID: id, URL: link}}}
}

// fetched is the message of a trigger with a blob input binding, which the host has filled: its content is what is scored.
func fetched(c *call, p *payload, d *delivered) (message, error) {
	b := c.fn.objects[0]
	v := p.data.member(b.Name)
	if v.absent() || string(v) == `"null"` { // so the host writes a value that there is not; a text is quoted twice
		return failed(name{id: c.ID, key: c.ID}, fmt.Errorf("the blob of the input binding %q is not there", b.Name)), nil
	}
	values, _, err := decode(binding{Type: "blob", DataType: b.DataType}, v)
	if err != nil {
		return message{}, err
	}
	link, _ := p.meta("data").member("url").text() // "" where the trigger is another
	m := deliver(c, p, d, link, values[0])
	if link == "" {
		m.id = identify(c, p, nil, 0, false).id
	}
	return m, nil
}

// failed is a message that cannot be scored.
func failed(n name, err error) message {
	return message{id: n.id, items: []function.Item{{ID: n.key, Err: function.Errorf(function.Invalid, "The message cannot be read: %w", err)}}}
}

// name is how a message is called: by its source, for answers, and uniquely among all that is stored, for its result.
type name struct{ id, key, space string }

// own is the name of an event that has an id itself, which is unique to its source.
func (n name) own(id, source string) name {
	key := id
	if source != "" {
		key += "-" + hashOf([]byte(source))[:8]
	}
	return name{id, n.space + key, n.space}
}

// identify names a message. The host lets a member of the message's own object replace the metadata of that name, in any case:
// where one did, and where the source has no name, the content is a part of the unique one, so that a redelivery has the same.
func identify(c *call, p *payload, body []byte, i int, many bool) (n name) {
	meta := func(name string) string { return p.metaOf(name, i, many) }
	names, unique := []string{"Id"}, true
	switch {
	case equal(c.Trigger, "serviceBusTrigger"), c.Trigger == "" && meta("MessageId") != "":
		names = []string{"MessageId", "SequenceNumber"}
		n.id, n.key = meta("MessageId"), strings.Trim(meta("MessageId")+"-"+meta("SequenceNumber"), "-")
		unique = meta("SequenceNumber") != "" // the other is the sender's, and may come twice
	case equal(c.Trigger, "eventHubTrigger"), c.Trigger == "" && p.meta("PartitionContext") != nil:
		names = []string{"SequenceNumber", "PartitionContext"}
		if number := meta("SequenceNumber"); number != "" {
			partition, _ := p.meta("PartitionContext").member("PartitionId").text() // "" where it is none
			n.id = strings.TrimPrefix(partition+"-"+number, "-")
		}
		n.key = n.id
	case equal(c.Trigger, "cosmosDBTrigger"):
		n.id, _ = raw(body).member("id").text() // "" where it is none
		n.key, unique = n.id, false             // a document that was changed comes again
	case !many:
		n.id = meta("Id")
		n.key = n.id
	}
	if n.key == "" || !unique || !many && overwritten(body, names) {
		n.key = strings.TrimPrefix(n.key+"-"+hashOf(append([]byte(meta("InsertionTime")+meta("EnqueuedTimeUtc")), body...)), "-")
	}
	if n.id == "" {
		n.id = c.ID
		if many {
			n.id += "-" + strconv.Itoa(i)
		}
	}
	if c.Function != "" {
		n.space = c.Function + "."
		n.key = n.space + n.key
	}
	return n
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
