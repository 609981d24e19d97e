package tensor_test

import (
	"fmt"

	"github.com/scorefn/scorefn/function/tensor"
)

// Columns named as the inputs are go to them, whatever their order.
func ExampleDecoder_JSON_records() {
	column := func(name string, d tensor.DType) tensor.Spec {
		return tensor.Spec{Name: name, Type: tensor.Type{DType: d, Ranked: true, Shape: []int64{-1, 1}, Symbols: []string{"N", ""}}}
	}
	d := tensor.NewDecoder([]tensor.Spec{column("age", tensor.Float32), column("city", tensor.String)}, tensor.DecodeOptions{})
	b := tensor.GetBatch()
	defer b.Release()

	if err := d.JSON([]byte(`[{"city": "Oslo", "age": 7}, {"age": null, "city": "Rome"}]`), b); err != nil {
		fmt.Println(err)
		return
	}
	ages, err := tensor.Data[float32](b.Values[0].Tensor)
	fmt.Println(ages, b.Values[0].Shape, b.Values[1].Strings, err)
	fmt.Println(d.JSON([]byte(`[{"city": "Oslo", "age": 7}, {"city": "Rome"}]`), b))
	// Output:
	// [7 NaN] [2 1] [Oslo Rome] <nil>
	// data[1].age: the column is missing, which the first record has (at byte 44)
}

func ExampleDecoder_CSV() {
	inputs := []tensor.Spec{{Name: "x", Type: tensor.Type{DType: tensor.Float32, Ranked: true, Shape: []int64{-1, 2}, Symbols: []string{"N", ""}}}}
	d := tensor.NewDecoder(inputs, tensor.DecodeOptions{})
	b := tensor.GetBatch()
	defer b.Release()

	if err := d.CSV([]byte("width,height\n1,2.5\n3,\n"), b); err != nil {
		fmt.Println(err)
		return
	}
	x, err := tensor.Data[float32](b.Values[0].Tensor)
	fmt.Println(x, b.Values[0].Shape, err)
	fmt.Println(d.CSV([]byte("1,2\n3\n"), b))
	// Output:
	// [1 2.5 3 NaN] [2 2] <nil>
	// line 2: 1 cell, expected 2 columns (input "x" float32[N,2]) (at byte 5)
}

func ExampleAppendCSV() {
	text, err := tensor.AppendCSV(nil, []tensor.Value{tensor.OfStrings([]string{"cat", "dog, wet"}), tensor.Of([]float32{0.75, 0.25}, 2, 1)}, tensor.EncodeOptions{})
	fmt.Print(string(text))
	fmt.Println(err)
	// Output:
	// cat,0.75
	// "dog, wet",0.25
	// <nil>
}

func ExampleAppendRows() {
	text, err := tensor.AppendRows(nil, []string{"label", "score"},
		[]tensor.Value{tensor.Of([]int64{7, 1}), tensor.Of([]float32{0.25, 0.75, 0.5, 0.5}, 2, 2)}, tensor.EncodeOptions{})
	fmt.Println(string(text), err)
	// Output: [{"label":7,"score":[0.25,0.75]},{"label":1,"score":[0.5,0.5]}] <nil>
}
