// Package e2e tests the whole loop of Google Cloud on this machine: an object that is put into the stand-in for Cloud Storage
// becomes an event, the real function scores it, and the result is an object. ".ci/e2e-gcs" runs it.
//
// SCOREFN names a program that was built already; it is built from the source otherwise. The library of ONNX Runtime must be
// there ("make setup").
package e2e
