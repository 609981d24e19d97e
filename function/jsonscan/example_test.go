package jsonscan_test

import (
	"fmt"

	"github.com/scorefn/scorefn/function/jsonscan"
)

func ExampleObject() {
	b := []byte(`{"data": [[1, 2], [3]], "method": "predict"}`)
	err := jsonscan.Object(b, func(name []byte, start, end int) error {
		fmt.Printf("%s = %s\n", name, b[start:end])
		_, err := jsonscan.Skip(b[:end], start, jsonscan.MaxDepth)
		return err
	})
	fmt.Println(err)
	// Output:
	// data = [[1, 2], [3]]
	// method = "predict"
	// <nil>
}
