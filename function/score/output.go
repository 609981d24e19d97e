package score

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/scorefn/scorefn/function/tensor"
)

// output is one entry of the answer: an output of the model and what is made of it.
type output struct {
	index           int // in the model's outputs
	softmax, argmax bool
	topK            int
	scores          bool
	labels          []string
	squeeze         bool
	axes            []int
}

// plain tells that the model's output is the answer as it is.
func (o *output) plain() bool {
	return !o.softmax && !o.argmax && o.topK == 0 && !o.scores && o.labels == nil && !o.squeeze && o.axes == nil
}

// check finds what can never work, at init.
func (o *output) check(spec tensor.Spec) error {
	if o.plain() {
		return nil
	}
	classes := o.softmax || o.argmax || o.topK > 0
	switch {
	case spec.Kind != tensor.KindTensor:
		return errors.New("only a tensor can be changed")
	case o.argmax && o.topK > 0:
		return errors.New("expected argmax or topK, found both")
	case o.topK < 0:
		return fmt.Errorf("topK is %d, expected 1 or more", o.topK)
	case o.scores && o.topK == 0:
		return errors.New("scores goes with topK")
	case classes && spec.DType != tensor.Float32 && spec.DType != tensor.Float64:
		return errors.New("softmax, argmax and topK take float32 and float64")
	case classes && spec.Ranked && len(spec.Shape) == 0:
		return errors.New("softmax, argmax and topK need an axis, this is a scalar")
	case o.labels != nil && o.scores:
		return errors.New("labels do not go with scores")
	case o.labels != nil && !classes && !whole(spec.DType) && spec.DType != tensor.Float32 && spec.DType != tensor.Float64:
		return errors.New("labels take whole numbers and floats")
	}
	if n := len(spec.Shape); o.labels != nil && n > 0 && (classes || !whole(spec.DType)) {
		if size := spec.Shape[n-1]; size >= 0 && size != int64(len(o.labels)) {
			return fmt.Errorf("%d labels for %d classes", len(o.labels), size)
		}
	}
	return nil
}

func whole(d tensor.DType) bool {
	switch d {
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64:
		return true
	default:
		return false
	}
}

// of makes the entry of the model's output v, which it does not change.
func (o *output) of(v tensor.Value) (tensor.Value, error) {
	if o.plain() {
		return v, nil
	}
	v, err := o.values(v)
	if err != nil {
		return v, err
	}
	return o.squeezed(v)
}

func (o *output) values(v tensor.Value) (tensor.Value, error) {
	if v.DType == tensor.Float64 {
		return floats[float64](o, v)
	}
	if v.DType == tensor.Float32 {
		return floats[float32](o, v)
	}
	if o.labels == nil {
		return v, nil
	}
	indices, err := int64s(v)
	if err != nil {
		return v, err
	}
	return o.words(indices, v.Shape)
}

// floats does what is done to rows of scores.
func floats[T float32 | float64](o *output, v tensor.Value) (tensor.Value, error) {
	x, err := tensor.Data[T](v.Tensor)
	if err != nil {
		return v, err
	}
	if len(v.Shape) == 0 {
		return v, nil
	}
	last := len(v.Shape) - 1
	width := int(v.Shape[last])
	rows := 0
	if width > 0 {
		rows = len(x) / width
	}
	outer := v.Shape[:last]
	if o.softmax {
		x = softmax(x, width)
		v = tensor.Of(x, v.Shape...)
	}
	switch {
	case width == 0 && (o.argmax || o.topK > 0):
		return v, fmt.Errorf("the last axis of shape %v is empty", v.Shape)
	case o.argmax:
		best := make([]int64, 0, rows)
		for row := range slices.Chunk(x, width) {
			best = append(best, int64(argmax(row)))
		}
		return o.words(best, outer)
	case o.topK > 0:
		k := min(o.topK, width)
		shape := append(slices.Clone(outer), int64(k))
		var best []int64
		var scores []T
		for row := range slices.Chunk(x, width) {
			for _, i := range top(row, k) {
				best, scores = append(best, int64(i)), append(scores, row[i])
			}
		}
		if o.scores {
			return tensor.Of(scores, shape...), nil
		}
		return o.words(best, shape)
	case o.labels != nil:
		return labelled(o.labels, x, width, rows)
	}
	return v, nil
}

// words puts labels in place of indices.
func (o *output) words(indices, shape []int64) (tensor.Value, error) {
	if o.labels == nil {
		return make64(indices, shape), nil
	}
	words := make([]string, len(indices))
	for i, k := range indices {
		if k < 0 || k >= int64(len(o.labels)) {
			return tensor.Value{}, fmt.Errorf("index %d has no label: there are %d", k, len(o.labels))
		}
		words[i] = o.labels[k]
	}
	v := tensor.Value{Tensor: tensor.Tensor{DType: tensor.String, Shape: shape, Strings: words}}
	return v, nil
}

func make64(data, shape []int64) tensor.Value {
	v := tensor.Of(data)
	v.Shape = shape
	return v
}

// labelled is a list of rows, each {label: score}.
func labelled[T float32 | float64](labels []string, x []T, width, rows int) (tensor.Value, error) {
	if width != len(labels) {
		return tensor.Value{}, fmt.Errorf("%d labels for %d classes", len(labels), width)
	}
	list := tensor.Value{Kind: tensor.KindSequence}
	for r := range rows {
		list.Items = append(list.Items, tensor.Value{
			Kind: tensor.KindMap, Items: []tensor.Value{tensor.OfStrings(labels), tensor.Of(x[r*width : (r+1)*width])},
		})
	}
	return list, nil
}

// softmax is e^x over the sum of its row, shifted by the row's largest value so that nothing overflows.
func softmax[T float32 | float64](x []T, width int) []T {
	out := make([]T, len(x))
	for from := 0; width > 0 && from < len(x); from += width {
		row := x[from : from+width]
		high := math.Inf(-1)
		for _, v := range row {
			high = max(high, float64(v))
		}
		sum := 0.0
		for _, v := range row {
			sum += math.Exp(float64(v) - high)
		}
		for i, v := range row {
			out[from+i] = T(math.Exp(float64(v)-high) / sum)
		}
	}
	return out
}

// argmax is the first of the largest values, as numpy's; a NaN is larger than any number.
func argmax[T float32 | float64](row []T) int {
	best := 0
	for i, v := range row {
		if v != v {
			return i
		}
		if v > row[best] {
			best = i
		}
	}
	return best
}

// top is the indices of the k largest values, largest first, the first of equals first.
func top[T float32 | float64](row []T, k int) []int {
	all := make([]int, len(row))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int {
		switch x, y := row[a], row[b]; {
		case x > y || x != x && y == y:
			return -1
		case x < y || y != y && x == x:
			return 1
		}
		return 0
	})
	return all[:k]
}

// int64s is the elements of a tensor of whole numbers.
func int64s(v tensor.Value) ([]int64, error) {
	switch v.DType {
	case tensor.Int64:
		return tensor.Data[int64](v.Tensor)
	case tensor.Int32:
		return widen[int32](v)
	case tensor.Int16:
		return widen[int16](v)
	case tensor.Int8:
		return widen[int8](v)
	case tensor.Uint8:
		return widen[uint8](v)
	case tensor.Uint16:
		return widen[uint16](v)
	case tensor.Uint32:
		return widen[uint32](v)
	case tensor.Uint64:
		return widen[uint64](v)
	default:
		return nil, fmt.Errorf("%v elements cannot be labelled", v.DType)
	}
}

func widen[T int8 | int16 | int32 | uint8 | uint16 | uint32 | uint64](v tensor.Value) ([]int64, error) {
	x, err := tensor.Data[T](v.Tensor)
	out := make([]int64, len(x))
	for i, e := range x {
		out[i] = int64(e)
	}
	return out, err
}

// squeezed leaves out dimensions of size 1.
func (o *output) squeezed(v tensor.Value) (tensor.Value, error) {
	if !o.squeeze && o.axes == nil {
		return v, nil
	}
	if v.Kind == tensor.KindSequence { // of labelled rows: the only one
		if len(v.Items) == 1 {
			return v.Items[0], nil
		}
		return v, nil
	}
	shape := make([]int64, 0, len(v.Shape))
	for i, d := range v.Shape {
		listed := o.squeeze || slices.Contains(o.axes, i) || slices.Contains(o.axes, i-len(v.Shape))
		switch {
		case listed && d == 1:
		case listed && !o.squeeze:
			return v, fmt.Errorf("axis %d of shape %v has size %d: only size 1 can be squeezed", i, v.Shape, d)
		default:
			shape = append(shape, d)
		}
	}
	v.Shape = shape
	return v, nil
}
