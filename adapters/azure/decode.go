package azure

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// value is one message of a trigger: what it holds, or why that cannot be told.
type value struct {
	body []byte
	err  error
}

// decode finds the messages in a trigger's value. The host writes objects as they are, bytes in base64, and everything else as
// JSON inside a JSON string: a text is quoted twice. b is the trigger in function.json, nothing where that is missing: then
// the value itself tells, as far as it can.
func decode(b binding, v raw) (list []value, many bool, err error) {
	text := []byte(v)
	if v.starts('"') {
		if text, err = v.unquote(); err != nil {
			return nil, false, err
		}
	}
	switch many = b.many(); {
	case many, b.is("blobTrigger"), b.is("blob"), b.is("queueTrigger"):
	case b.Cardinality == "": // a single text is quoted twice, so that an array below one quote is several
		many = listed(text)
	}
	if b.Type == "" {
		text = unpacked(text)
	}
	if !many {
		body, err := single(b, v, text)
		return []value{{body, err}}, false, nil
	}
	if inner, ok := inString(text); ok { // Cosmos DB's documents come as a text, and so they are quoted twice
		text = inner
	}
	elements, err := raw(text).elements()
	if err != nil {
		if b.Type != "" && !isValue(text) {
			return nil, true, fmt.Errorf("expected an array of messages: %w", err)
		}
		return []value{{body: text}}, true, nil // one alone
	}
	for _, e := range elements {
		body, err := element(b, e)
		list = append(list, value{body, err})
	}
	return list, true, nil
}

// many tells a trigger that brings lists.
func (b binding) many() bool {
	return b.is("cosmosDBTrigger") || equal(b.Cardinality, "many")
}

// single is the one message of a value whose string, if it is one, is unquoted once.
func single(b binding, v raw, text []byte) ([]byte, error) {
	if !v.starts('"') {
		return text, nil
	}
	inner, quoted := inString(text)
	if (b.is("blobTrigger") || b.binary()) && !quoted {
		body, err := base64.StdEncoding.AppendDecode(nil, text)
		if err != nil {
			return nil, errors.New("the value is not in base64, as bytes are")
		}
		return body, nil
	}
	if quoted {
		return inner, nil
	}
	return text, nil
}

// element is one message of a list.
func element(b binding, e raw) ([]byte, error) {
	if !e.starts('"') {
		return e, nil
	}
	text, err := e.unquote()
	if err != nil || !b.binary() {
		return text, err
	}
	body, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, errors.New("the message is not in base64, as bytes are")
	}
	return body, nil
}

// inString is the text of a JSON string that is the whole of text.
func inString(text []byte) ([]byte, bool) {
	if !raw(text).starts('"') {
		return nil, false
	}
	inner, err := raw(text).unquote()
	return inner, err == nil
}

// listed tells an array of messages.
func listed(text []byte) bool {
	if i := jsonscan.Space(text, 0); i >= len(text) || text[i] != '[' {
		return false
	}
	list, err := raw(text).elements()
	return err == nil && len(list) > 0 && (list[0].starts('{') || list[0].starts('"'))
}

// unpacked takes base64 off what is JSON below it.
func unpacked(text []byte) []byte {
	if body, err := base64.StdEncoding.AppendDecode(nil, text); err == nil && raw(body).starts('{') && isValue(body) {
		return body
	}
	return text
}
