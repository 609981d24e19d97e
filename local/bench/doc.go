// Package bench holds the benchmarks against the C limit: limit.c and the Go benchmarks beside it ("make bench").
package bench
