package main

import (
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

// residual is a classifier of images, float32[N,3,size,size] to scores[N,1000], shaped as ResNet-50 is (K. He and others,
// "Deep Residual Learning for Image Recognition", table 1; that one has width 64 and 3, 4, 6, 3 blocks), batch normalisation
// folded into the convolutions as exporters do.
func residual(width int, blocks [4]int, size int) onnxtest.Model {
	g := newGraph(11)
	g.Inputs = []tensor.Spec{onnxtest.In("image", onnxtest.T(tensor.Float32, "N", 3, size, size))}
	x := g.op("Relu", []string{g.conv("image", 3, width, 7, 2)})
	x = g.op("MaxPool", []string{x}, onnxtest.Ints("kernel_shape", 3, 3), onnxtest.Ints("strides", 2, 2), onnxtest.Ints("pads", 1, 1, 1, 1))
	channels := width
	for stage, n := range blocks {
		inner := width << stage
		for block := range n {
			stride := 1
			if block == 0 && stage > 0 {
				stride = 2
			}
			x = g.bottleneck(x, channels, inner, stride)
			channels = 4 * inner
		}
	}
	x = g.op("Flatten", []string{g.op("GlobalAveragePool", []string{x})})
	g.op("Gemm", []string{x, g.weight(channels, int64(channels), 1000), g.filled(1000, 0)})
	return g.output("scores", onnxtest.T(tensor.Float32, "N", 1000))
}

// bottleneck is three convolutions beside a short cut.
func (g *graph) bottleneck(x string, channels, inner, stride int) string {
	y := g.op("Relu", []string{g.conv(x, channels, inner, 1, 1)})
	y = g.op("Relu", []string{g.conv(y, inner, inner, 3, stride)})
	y = g.conv(y, inner, 4*inner, 1, 1)
	if channels != 4*inner || stride != 1 {
		x = g.conv(x, channels, 4*inner, 1, stride)
	}
	return g.op("Relu", []string{g.op("Add", []string{x, y})})
}

func (g *graph) conv(x string, in, out, kernel, stride int) string {
	k, s, pad := int64(kernel), int64(stride), int64(kernel/2)
	return g.op("Conv", []string{x, g.weight(in*kernel*kernel, int64(out), int64(in), k, k), g.filled(out, 0.01)},
		onnxtest.Ints("kernel_shape", k, k), onnxtest.Ints("strides", s, s), onnxtest.Ints("pads", pad, pad, pad, pad))
}
