package tensor_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"

	"github.com/scorefn/scorefn/function/tensor"
)

func ExampleImage() {
	im := tensor.Image{Mean: []float64{0.5}, Std: []float64{0.5}, Fit: "cover"}
	input := tensor.Spec{Name: "image", Type: tensor.Type{DType: tensor.Float32, Ranked: true, Shape: []int64{-1, 3, 1, 2}}}
	if err := im.Check(input); err != nil { // when the model is loaded
		fmt.Println(err)
		return
	}
	var body bytes.Buffer
	if err := png.Encode(&body, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		fmt.Println(err)
		return
	}
	batch := tensor.GetBatch()
	defer batch.Release()
	batch.Reset(1)
	if err := im.Decode(body.Bytes(), input, batch, 0); err != nil {
		fmt.Println(err)
		return
	}
	text, err := batch.Values[0].AppendJSON(nil, tensor.EncodeOptions{})
	fmt.Println(string(text), err)
	// Output: [[[[-1.0,-1.0]],[[-1.0,-1.0]],[[-1.0,-1.0]]]] <nil>
}
