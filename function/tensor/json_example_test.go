package tensor_test

import (
	"fmt"

	"github.com/scorefn/scorefn/function/tensor"
)

func ExampleDecoder_JSON() {
	inputs := []tensor.Spec{{Name: "image", Type: tensor.Type{DType: tensor.Float32, Ranked: true, Shape: []int64{-1, 3}, Symbols: []string{"N", ""}}}}
	d := tensor.NewDecoder(inputs, tensor.DecodeOptions{})
	b := tensor.GetBatch()
	defer b.Release()

	if err := d.JSON([]byte(`[[0.5, 1, 2], [3, 4, 5]]`), b); err != nil {
		fmt.Println(err)
		return
	}
	pixels, err := tensor.Data[float32](b.Values[0].Tensor)
	fmt.Println(b.Values[0].Shape, pixels, err)
	fmt.Println(d.JSON([]byte(`[[0.5, 1, 2], [3, 4]]`), b))
	// Output:
	// [2 3] [0.5 1 2 3 4 5] <nil>
	// data[1]: 2 values, expected 3 (input "image" float32[N,3]) (at byte 19)
}

func ExampleAppendObject() {
	text, err := tensor.AppendObject(nil, []string{"label", "probabilities"},
		[]tensor.Value{tensor.Of([]int64{7}), tensor.Of([]float32{0.25, 0.75}, 1, 2)}, tensor.EncodeOptions{})
	fmt.Println(string(text), err)
	// Output: {"label":[7],"probabilities":[[0.25,0.75]]} <nil>
}
