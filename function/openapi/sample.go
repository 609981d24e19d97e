package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SchemaOf is the schema of a value like sample, by the rules with which the reference reads the sample of a plain Python value:
// whole numbers are int64 and others double, a list is an array of what its last element is, an object requires all its members.
// Set Format on the result to mark an array or a data frame.
//
// It departs from the last element where that would describe a sample as invalid although nothing is wrong with it: in a list,
// a number wins over a whole one, null makes the others nullable, and members are required that every element has.
func SchemaOf(sample json.RawMessage) (Schema, error) {
	value, err := parse(sample)
	if err != nil {
		return Schema{}, fmt.Errorf("openapi: the sample: %w", err)
	}
	return schemaOf(value), nil
}

func schemaOf(value any) Schema {
	switch value := value.(type) {
	case object:
		s := Schema{Type: "object"}
		for _, m := range value {
			s.Properties = append(s.Properties, Property{m.name, schemaOf(m.value)})
			s.Required = append(s.Required, m.name)
		}
		return s
	case []any:
		s := Schema{Type: "array"}
		for i, item := range value {
			next := schemaOf(item)
			if i > 0 {
				next = merge(*s.Items, next)
			}
			s.Items = &next
		}
		return s
	case string:
		return Schema{Type: "string"}
	case bool:
		return Schema{Type: "boolean"}
	case json.Number:
		return number(value.String())
	default: // null tells nothing about what else may stand there
		return Schema{Nullable: true}
	}
}

func number(text string) Schema {
	if strings.ContainsAny(text, ".eE") {
		return Schema{Type: "number", Format: "double"}
	}
	if _, err := strconv.ParseInt(text, 10, 64); err != nil {
		return Schema{Type: "integer"} // Python's have no end
	}
	return Schema{Type: "integer", Format: "int64"}
}

// merge is the schema of a list's elements when those so far have the schema a and the next one b.
func merge(a, b Schema) Schema {
	out := b
	switch {
	case b.Type == "":
		out = a
	case a.Type == "number" && b.Type == "integer":
		out = Schema{Type: a.Type, Format: a.Format}
	case a.Type != b.Type:
	case b.Type == "integer" && a.Format == "":
		out.Format = ""
	case b.Type == "array" && a.Items != nil && b.Items != nil:
		out.Items = new(merge(*a.Items, *b.Items))
	case b.Type == "array" && b.Items == nil:
		out.Items = a.Items
	case b.Type == "object":
		out.Properties, out.Required = mergeMembers(a, b)
	}
	out.Nullable = a.Nullable || b.Nullable
	return out
}

func mergeMembers(a, b Schema) (properties []Property, required []string) {
	properties = slices.Clone(b.Properties)
	at := make(map[string]int, len(properties))
	for i, p := range properties {
		at[p.Name] = i
	}
	for _, p := range a.Properties {
		if i, both := at[p.Name]; both {
			properties[i].Schema = merge(p.Schema, properties[i].Schema)
		} else {
			properties = append(properties, p)
		}
	}
	in := make(map[string]bool, len(a.Required))
	for _, name := range a.Required {
		in[name] = true
	}
	for _, name := range b.Required {
		if in[name] {
			required = append(required, name)
		}
	}
	return properties, required
}

// mixed tells whether a list somewhere in value has elements of several JSON types. Whole and other numbers are one type in JSON.
func mixed(value any) bool {
	switch value := value.(type) {
	case object:
		return slices.ContainsFunc(value, func(m member) bool { return mixed(m.value) })
	case []any:
		for i, item := range value {
			if mixed(item) || i > 0 && kind(item) != kind(value[0]) {
				return true
			}
		}
	}
	return false
}

func kind(value any) string {
	switch value.(type) {
	case object:
		return "object"
	case []any:
		return "array"
	case nil:
		return "null"
	default:
		return strings.Replace(schemaOf(value).Type, "integer", "number", 1)
	}
}
