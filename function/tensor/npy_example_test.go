package tensor_test

import (
	"fmt"

	"github.com/scorefn/scorefn/function/tensor"
)

func ExampleDecoder_NPY() {
	file, err := tensor.AppendNPY(nil, tensor.Of([]int64{1, 2, 3, 4}, 2, 2)) // numpy.save of an int64 array
	if err != nil {
		fmt.Println(err)
		return
	}
	inputs := []tensor.Spec{{Name: "x", Type: tensor.Type{DType: tensor.Float32, Ranked: true, Shape: []int64{-1, 2}}}}
	batch := tensor.GetBatch()
	defer batch.Release()
	if err := tensor.NewDecoder(inputs, tensor.DecodeOptions{}).NPY(file, batch); err != nil {
		fmt.Println(err)
		return
	}
	text, err := batch.Values[0].AppendJSON(nil, tensor.EncodeOptions{})
	fmt.Println(string(text), err)
	// Output: [[1.0,2.0],[3.0,4.0]] <nil>
}
