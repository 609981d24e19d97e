// Package bench measures scorefn against the limit: a C program that does the same work through ONNX Runtime's C API
// (limit.c). [Run] is "scorefn bench": it builds every program that takes part, runs them interleaved, so that a busy
// moment of the machine meets all of them, and reports ratios with their spread. The programs are in folders of their own:
//
//	limit.c   the limit, without a server
//	core      the Go core: the same work and the same output as limit.c
//	floor     the least HTTP server that net/http allows: reads the body, answers a constant
//	naive     what one would write with onnxruntime_go and encoding/json
//	models    writes the large models, with seeded weights
//	peers     what one would use instead, in Python and JavaScript; not part of the product
//
// The Go benchmarks of the stages are in stage_test.go. "make bench-compare" compares them with baseline.txt, which this
// records anew on a quiet machine:
//
//	go test -run '^$' -bench . -count 10 ./local/bench > local/bench/baseline.txt
package bench
