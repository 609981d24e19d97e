// Package openapi writes the OpenAPI documents of a model: Swagger 2.0, OpenAPI 3.0.3 and 3.1.0, with the routes, texts, key
// order and spacing of the documents that the Azure ML inference server answers on /swagger.json. Clients were generated from
// those, so they are the contract. It owns the documents and the schemas in them; it does not know HTTP, files or settings,
// and it does not check requests.
//
// Where a model's signature says more than the reference's samples do, 3.x documents say it, too: minItems and maxItems of a
// fixed dimension, and that a floating point answer may be null, which is how NaN is written. 2.0 has no null, and there the
// documents say nothing that the reference's do not.
package openapi

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Version is the version of the OpenAPI specification that a document follows, as the document itself says it.
type Version string

// The versions that a document can have. The reference writes 3.1.0 like 3.0.3; only what [Schema] adds differs here.
const (
	V20 Version = "2.0"
	V30 Version = "3.0.3"
	V31 Version = "3.1.0"
)

// versions holds what ?version= may say. The comparison is literal: 3.1.0 is not among them in the reference, either.
var versions = map[string]Version{"2": V20, "2.0": V20, "3": V30, "3.0": V30, "3.1": V31}

// ParseVersion is the version that /swagger.json?version=query asks for; given is false when there is no such parameter, which
// means 2. The error is a [*VersionError] with the text of the reference.
func ParseVersion(query string, given bool) (Version, error) {
	if !given {
		return V20, nil
	}
	v, ok := versions[query]
	if !ok {
		return "", &VersionError{fmt.Sprintf("Swagger version [%s] is not valid. Supported versions: [2, 3, 3.1].", query)}
	}
	return v, nil
}

// Files are the names of the files with which a user replaces the document of version v, the one that wins first.
func (v Version) Files() []string {
	switch v {
	case V20:
		return []string{"swagger.json", "swagger2.json"}
	case V30:
		return []string{"swagger3.json"}
	case V31:
		return []string{"swagger3.1.json"}
	default:
		return nil
	}
}

// VersionError is a version that is not known, or in which the service cannot be described. The reference answers it with 404
// and this text.
type VersionError struct{ msg string }

// Error is the text of the reference, whole: clients may compare it.
func (e *VersionError) Error() string { return e.msg }

// Service is what a document describes.
type Service struct {
	Name       string // SERVICE_NAME, the title; "" is ML service
	Version    string // SERVICE_VERSION; "" is 1.0
	PathPrefix string // SERVICE_PATH_PREFIX: before every path in the document; the routes themselves do not move

	Input         Schema          // of the request's body: see [Parameters] and [InputOf]
	Output        Schema          // of the answer: see [OutputOf]
	InputExample  json.RawMessage // a body, {"data": …}; nil for none. Everybody can read it: never a customer's data
	OutputExample json.RawMessage // an answer; nil for none
}

// Undeclared is s for a script about whose body and answer nothing is known: any object.
func (s Service) Undeclared() Service {
	s.Input, s.Output = Schema{Type: "object"}, Schema{Type: "object"}
	s.InputExample, s.OutputExample = json.RawMessage("{}"), json.RawMessage("{}")
	return s
}

// Document is the JSON text of the document of s in version v. As in the reference, 2.0 cannot describe a service with an
// example that has a list of several JSON types: then the error is a [*VersionError]. Any other error is an example that is
// not JSON.
func Document(v Version, s Service) ([]byte, error) {
	if v.Files() == nil {
		return nil, fmt.Errorf("openapi: there is no version %q", string(v))
	}
	input, err := s.definition(v, s.Input, s.InputExample, "input")
	if err != nil {
		return nil, err
	}
	output, err := s.definition(v, s.Output, s.OutputExample, "output")
	if err != nil {
		return nil, err
	}
	schemas := object{
		{"ServiceInput", input},
		{"ServiceOutput", output},
		{"ErrorResponse", object{
			{"type", "object"},
			{"properties", object{{"message", object{{"type", "string"}}}}},
		}},
	}
	return appendValue(nil, layout{v != V20}.document(v, s, schemas)), nil
}

func (s Service) definition(v Version, schema Schema, example json.RawMessage, what string) (object, error) {
	if example == nil {
		return schema.object(v, nil), nil
	}
	value, err := parse(example)
	if err != nil {
		return nil, fmt.Errorf("openapi: the %s example: %w", what, err)
	}
	if v == V20 && mixed(value) {
		return nil, &VersionError{"Swagger version [2] is not supported for the scoring script. Supported swagger versions: [3, 3.1]."}
	}
	return schema.object(v, object{{"example", value}}), nil
}

// prefix is what comes before every path: "" or /a/b.
func (s Service) prefix() string {
	if p := strings.Trim(s.PathPrefix, "/"); p != "" {
		return "/" + p
	}
	return ""
}
