// Package function is the entry-script contract of Azure Machine Learning, in Go: init() loads a model once, run(data)
// scores each request. Here init() is an [Init] and what it returns is a [Script], so that run before init does not compile
// and a failed init can be tried again with nothing left over.
//
// # A function
//
// [New] makes a [Function] of an Init. It finds the model (package modeldir), loads it once for all callers, keeps it across
// warm invocations, bounds how many runs go on at one time, recovers panics, and turns every error into one [Kind].
// [Handler] serves it over HTTP; the adapters serve the same handler on AWS Lambda, Google Cloud Functions and Azure
// Functions:
//
//	lambda.Start(function.New(score.Init))
//
// # A script of your own
//
// Write an Init that opens what it needs and a Run that takes the JSON value of "data" and returns anything that JSON can
// hold. Package score is the script that is used when you do not: it scores any ONNX model. Run is called concurrently.
//
// # Shared runs
//
// With SCOREFN_BATCH requests that wait at one time, the items of an event and the lines of a JSON lines object share runs of
// the model; each keeps its own answer and its own error. Package batch says how, and for which models. As many requests and
// objects are in memory at one time as there are rows in all runs.
//
// # What it does not own
//
// It knows neither ONNX Runtime (package onnx) nor a cloud (package adapters/...), and builds without cgo.
//
// # Compatibility
//
// Until version 1 names may change between minor versions; the HTTP contract may not.
package function
