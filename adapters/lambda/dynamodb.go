package lambda

import (
	"errors"
	"fmt"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/jsonscan"
)

// decodeDynamoDB reads the stream of a table (Lambda developer guide, "Using Lambda to process DynamoDB event records"). The
// item as it is now, in plain JSON, is the request; a removed item has none. A shard keeps its order.
func decodeDynamoDB(e *event) (batch, error) {
	if err := noWindow(e); err != nil {
		return batch{}, err
	}
	var lane []record
	err := elements(e.members[mRecords], func(r raw) error {
		v, err := members(r, "eventName", "dynamodb", "eventID")
		if err != nil {
			return err
		}
		removed := string(v[0]) == `"REMOVE"`
		eventID, err := v[2].text()
		if err != nil {
			return err
		}
		if v, err = members(v[1], "SequenceNumber", "NewImage"); err != nil {
			return err
		}
		number, err := v[0].text()
		if err != nil {
			return err
		}
		rec := record{id: number}
		if !removed {
			body, err := image(v[1])
			rec.items = []function.Item{item(eventID, body, err)}
		}
		lane = append(lane, rec)
		return nil
	})
	return batch{lanes: [][]record{lane}, ordered: true}, err
}

// image is an item in plain JSON.
func image(attributes raw) ([]byte, error) {
	if attributes.absent() {
		return nil, errors.New("the record has no NewImage: set the stream's view type to NEW_IMAGE or NEW_AND_OLD_IMAGES")
	}
	return appendAttributes(nil, attributes, attributeDepth)
}

// attributeDepth is how deep attributes are followed; DynamoDB allows 32 levels.
const attributeDepth = 32

// appendAttributes writes a map of attributes as a plain object.
func appendAttributes(dst []byte, attributes raw, depth int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	err := jsonscan.Object(attributes, func(name []byte, from, to int) (err error) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, string(name)), ':')
		dst, err = appendAttribute(dst, attributes[from:to], depth)
		return err
	})
	return append(dst, '}'), err
}

// appendAttribute writes an attribute, {"N":"1"}, as a plain value (DynamoDB API reference, "AttributeValue").
func appendAttribute(dst []byte, attribute raw, depth int) ([]byte, error) {
	if depth == 0 {
		return dst, errors.New("attributes are nested too deep")
	}
	written := false
	err := jsonscan.Object(attribute, func(name []byte, from, to int) (err error) {
		if written {
			return errors.New("an attribute has two types")
		}
		written = true
		value := attribute[from:to]
		switch string(name) {
		case "S", "B":
			dst, err = appendTextValue(dst, value)
		case "N":
			dst, err = appendNumber(dst, value)
		case "BOOL":
			if text := string(value); text != "true" && text != "false" {
				return fmt.Errorf("a BOOL is %.20q", text)
			}
			dst = append(dst, value...)
		case "NULL":
			dst = append(dst, "null"...)
		case "M":
			dst, err = appendAttributes(dst, value, depth-1)
		case "L":
			dst, err = appendList(dst, value, func(dst []byte, v raw) ([]byte, error) { return appendAttribute(dst, v, depth-1) })
		case "NS":
			dst, err = appendList(dst, value, appendNumber)
		case "SS", "BS":
			dst, err = appendList(dst, value, appendTextValue)
		default:
			err = fmt.Errorf("an attribute has the unknown type %.20q", name)
		}
		return err
	})
	if err == nil && !written {
		err = errors.New("an attribute has no type")
	}
	return dst, err
}

func appendTextValue(dst []byte, value raw) ([]byte, error) {
	text, err := value.text()
	return appendString(dst, text), err
}

// appendNumber writes a number, which comes as a string.
func appendNumber(dst []byte, value raw) ([]byte, error) {
	text, err := value.text()
	if err != nil {
		return dst, err
	}
	if end, err := jsonscan.Number([]byte(text), 0); err != nil || end != len(text) {
		return dst, fmt.Errorf("the number %.40q is not one", text)
	}
	return append(dst, text...), nil
}

func appendList(dst []byte, list raw, add func([]byte, raw) ([]byte, error)) ([]byte, error) {
	dst = append(dst, '[')
	first := true
	err := elements(list, func(v raw) (err error) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst, err = add(dst, v)
		return err
	})
	return append(dst, ']'), err
}
