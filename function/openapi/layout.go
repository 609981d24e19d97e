package openapi

import "cmp"

// layout knows what goes where in a document. 3.x wraps what 2.0 says about a body into "content" and a media type.
type layout struct{ three bool }

func (l layout) document(v Version, s Service, schemas object) object {
	name := cmp.Or(s.Name, "ML service")
	info := object{
		{"title", name},
		{"description", "API specification for the Azure Machine Learning service " + name},
		{"version", cmp.Or(s.Version, "1.0")},
	}
	bearer := object{{"Bearer", object{
		{"type", "apiKey"},
		{"name", "Authorization"},
		{"in", "header"},
		{"description", "For example: Bearer abc123"},
	}}}
	prefix := s.prefix()
	paths := object{
		{prefix + "/", object{{"get", l.health()}}},
		{prefix + "/score", object{{"post", l.score()}}},
		{prefix + "/swagger.json", object{{"get", l.swagger()}}},
	}
	if l.three {
		return object{
			{"openapi", string(v)},
			{"info", info},
			{"security", security},
			{"paths", paths},
			{"components", object{{"schemas", schemas}, {"securitySchemes", bearer}}},
		}
	}
	return object{
		{"swagger", string(v)},
		{"info", info},
		{"schemes", []any{"https"}},
		{"consumes", []any{"application/json"}},
		{"produces", []any{"application/json"}},
		{"securityDefinitions", bearer},
		{"paths", paths},
		{"definitions", schemas},
	}
}

var security = []any{object{{"Bearer", []any{}}}}

func (l layout) health() object {
	body := object{
		{"schema", object{{"type", "string"}}},
		{"examples", object{{"application/json", "Healthy"}}},
	}
	if l.three {
		body = content("text/plain", object{{"type", "string"}, {"example", "Healthy"}})
	}
	return object{
		{"operationId", "ServiceHealthCheck"},
		{"description", "Simple health check endpoint to ensure the service is up at any given point."},
		l.responses("If service is up and running, this response will be returned with the content 'Healthy'", body),
	}
}

func (l layout) score() object {
	text := member{"description", "The input payload for executing the real-time machine learning service."}
	input := member{"parameters", []any{append(
		object{{"name", "serviceInputPayload"}, {"in", "body"}, text},
		l.reference("ServiceInput")...,
	)}}
	if l.three {
		input = member{"requestBody", append(object{text}, l.reference("ServiceInput")...)}
	}
	return object{
		{"operationId", "RunMLService"},
		{"description", "Run web service's model and get the prediction output"},
		{"security", security},
		input,
		l.responses(
			"The service processed the input correctly and provided a result prediction, if applicable.",
			l.reference("ServiceOutput"),
		),
	}
}

// swagger repeats what the reference says of its own route: that it knows the versions 2 and 3, and answers a string.
func (l layout) swagger() object {
	version := object{{"name", "version"}, {"in", "query"}, {"required", false}}
	values := object{{"type", "integer"}, {"enum", []any{2, 3}}}
	body := object{{"schema", object{{"type", "string"}}}}
	if l.three {
		values = object{{"schema", values}}
		body = content("text/plain", object{{"type", "string"}})
	}
	return object{
		{"operationId", "GetSwaggerSpec"},
		{"description", "Get the Swagger specification."},
		{"parameters", []any{append(version, values...)}},
		l.responses("The Swagger specification.", body),
	}
}

func (l layout) responses(description string, body object) member {
	return member{"responses", object{
		{"200", append(object{{"description", description}}, body...)},
		{"default", append(
			object{{"description", "The service failed to execute due to an error."}},
			l.reference("ErrorResponse")...,
		)},
	}}
}

// reference is a body of application/json with the schema of that name.
func (l layout) reference(name string) object {
	if l.three {
		return content("application/json", object{{"$ref", "#/components/schemas/" + name}})
	}
	return object{{"schema", object{{"$ref", "#/definitions/" + name}}}}
}

func content(mediaType string, schema object) object {
	return object{{"content", object{{mediaType, object{{"schema", schema}}}}}}
}
