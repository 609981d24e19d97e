package openapi

// Schema is the JSON schema of a value, as far as the documents need one. The zero Schema is any value.
type Schema struct {
	Type       string     // array, boolean, integer, number, object, string; "" is any
	Format     string     // int64, double, numpy.ndarray, …: a hint, which clients may ignore
	Nullable   bool       // null is a value, too. 2.0 cannot say it
	Required   []string   // names of the properties that an object must have
	Properties []Property // of an object, in the order of the document
	Values     *Schema    // of an object: what its other members hold
	Items      *Schema    // of an array; nil where nothing is known of them, which the reference calls objects
	Len        *int64     // of an array that always has this many items; 2.0 documents do not say it, as the reference's do not
}

// Property is a member of an object.
type Property struct {
	Name string
	Schema
}

// The formats with which the reference marks what a list or an object becomes in the script.
const (
	FormatArray   = "numpy.ndarray"
	FormatRecords = "pandas.DataFrame:records"
	FormatSplit   = "pandas.DataFrame:split"
)

// Parameters is the schema of a body that holds the parameters of run(). It requires none of them: a script may have defaults,
// and the reference's documents never do.
func Parameters(p ...Property) Schema {
	return Schema{Type: "object", Properties: p}
}

// object is s as it stands in a document of version v. The order of the keys is the reference's, which puts the example between
// an array's or object's parts and its format.
func (s Schema) object(v Version, example object) object {
	var o object
	switch {
	case s.Type == "": // in 3.1 null is among any
	case s.Nullable && v == V31:
		o = append(o, member{"type", []any{s.Type, "null"}})
	default:
		o = append(o, member{"type", s.Type})
	}
	if s.Nullable && v == V30 { // readers disagree whether 3.0's any has null
		o = append(o, member{"nullable", true})
	}
	scalar := s.Type != "array" && s.Type != "object"
	if scalar && s.Format != "" {
		o = append(o, member{"format", s.Format})
	}
	if len(s.Required) > 0 { // an empty list is not valid before 3.1
		names := make([]any, len(s.Required))
		for i, name := range s.Required {
			names[i] = name
		}
		o = append(o, member{"required", names})
	}
	if len(s.Properties) > 0 {
		properties := make(object, len(s.Properties))
		for i, p := range s.Properties {
			properties[i] = member{p.Name, p.object(v, nil)}
		}
		o = append(o, member{"properties", properties})
	}
	if s.Values != nil {
		o = append(o, member{"additionalProperties", s.Values.object(v, nil)})
	}
	if s.Type == "array" {
		items := Schema{Type: "object"}
		if s.Items != nil {
			items = *s.Items
		}
		o = append(o, member{"items", items.object(v, nil)})
		if s.Len != nil && v != V20 {
			o = append(o, member{"minItems", *s.Len}, member{"maxItems", *s.Len})
		}
	}
	o = append(o, example...)
	if !scalar && s.Format != "" {
		o = append(o, member{"format", s.Format})
	}
	return o
}
