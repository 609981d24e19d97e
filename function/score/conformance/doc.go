// Package conformance scores the backend test suite of ONNX through the HTTP handler: 1,072 models with inputs and expected
// outputs, of every element type and shape that ONNX knows, as Debian 12 packages them (libonnx-testdata). It holds tests
// only, behind the build tag conformance; .ci/conformance installs what they need and runs them.
//
// # What is compared
//
// Each model is run directly, on one thread, and its outputs are compared with the expected ones by the suite's own rule.
// Then the same inputs are sent to the handler in every form that it takes: the {"data": …} of Azure Machine Learning, and
// the Open Inference Protocol in JSON and in bytes. Those answers must be the direct run's bit for bit (NaN equals NaN):
// the suite's tolerance hides digits that a form loses. Requests are written and answers are read by code of these tests,
// which shares nothing with the product's.
//
// # Expected failures
//
// expected_test.go lists the cases that cannot pass, each with its reason: ONNX Runtime itself fails, or the form has no
// words for the value. A case that fails and is not listed is an error, and so is one that is listed and passes, or that
// fails in another way than its reason says.
package conformance
