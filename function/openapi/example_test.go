package openapi_test

import (
	"encoding/json"
	"fmt"

	"github.com/scorefn/scorefn/function/openapi"
	"github.com/scorefn/scorefn/function/tensor"
)

// The document of a model follows from its signature.
func ExampleDocument() {
	iris := []tensor.Spec{{Name: "X", Type: tensor.Type{DType: tensor.Float32, Ranked: true, Shape: []int64{-1, 4}}}}
	label := []tensor.Spec{{Name: "label", Type: tensor.Type{DType: tensor.Int64, Ranked: true, Shape: []int64{-1}}}}
	v, err := openapi.ParseVersion("3", true)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := openapi.Document(v, openapi.Service{
		Name:         "iris",
		Input:        openapi.InputOf(iris),
		Output:       openapi.OutputOf(label),
		InputExample: openapi.ExampleOf(iris),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var doc struct {
		OpenAPI    string `json:"openapi"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.OpenAPI)
	fmt.Printf("%s\n%s\n", doc.Components.Schemas["ServiceInput"], doc.Components.Schemas["ServiceOutput"])
	// Output:
	// 3.0.3
	// {"type": "object", "properties": {"data": {"type": "array", "items": {"type": "array", "items": {"type": "number", "format": "float"}, "minItems": 4, "maxItems": 4}, "format": "numpy.ndarray"}}, "example": {"data": [[1.0, 1.0, 1.0, 1.0]]}}
	// {"type": "array", "items": {"type": "integer", "format": "int64"}, "format": "numpy.ndarray"}
}
