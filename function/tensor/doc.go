// Package tensor holds the values that models take and give, and the formats in which they travel: one file a format.
//
// It owns [Tensor] and [Value] (what a value is), [Spec] and [Type] (what a model declares), [Batch] (the reusable memory
// of one call), and the codecs. It knows neither ONNX Runtime nor HTTP. Numbers are carried exactly: an int64 never passes
// through a float64, and the text of a float is the shortest that reads back as the same float.
package tensor
