// Package onnx runs ONNX models: a [Session] is a model that is ready to score.
//
// It owns everything native: it is the only package with cgo and the only one that imports the ONNX Runtime wrapper, and
// no native object leaves it. Values come and go as [tensor.Value]; every kind and element type that ONNX Runtime's CPU
// provider takes is carried exactly, scalars, empty tensors, strings with NUL bytes, sequences, maps and absent
// optionals among them. It knows neither JSON nor HTTP nor where models come from.
//
// # How it is built
//
// The wrapper loads the library, keeps the environment and makes the session. Values and runs are our own, on that
// session: a run is one call into C (run.c), which wraps the inputs where they lie in Go memory, runs, and copies the
// outputs into the caller's [tensor.Batch]. The functions that C calls are listed with their slots in ort.h. Several
// callers may share a run: [Session.Batch].
//
// A program that links this package has one arena of the GNU C library's malloc, made of huge pages, from before main on
// (heap.c): that is a quarter of a cold start. MALLOC_ARENA_MAX or GLIBC_TUNABLES in the environment leave the heap as it was.
//
// # Models that start faster
//
// [Bake] optimises a model beforehand and writes a sidecar beside it; [Open] then maps its weights, and compares its answer to
// made-up inputs with the one that the sidecar holds. The system reads the weights ahead while ONNX Runtime starts. That helps
// where a read is slow, as from the network; on a local disk, and for the library, it was measured to make no difference.
//
// # Rules
//
// Every native object is released in the function that acquired it. A cancelled run is terminated and waited for before
// anything it uses is freed. [Session.Close] waits for the runs in flight. What a caller can get wrong is checked before
// the run and reported as [*tensor.Error]; what ONNX Runtime answers otherwise is an [*Error].
package onnx
