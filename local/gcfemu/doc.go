// Package gcfemu runs the executable of a Google Cloud Function (2nd generation), or of a Cloud Run container, on this machine
// as the platform runs it: instances that must open PORT in time, at most so many requests in each of them, a front end that
// bounds sizes and times, SIGTERM and then SIGKILL. [Emulator] is that front end, an http.Handler; package event makes the
// CloudEvents that triggers send.
//
// # What is kept
//
// The revision is checked before it serves: the first instance must listen, or the deployment fails. A request for which no
// instance has room starts another one, or waits, or is answered 429. 504 after the request timeout, start-up included; 413
// and 500 beyond the sizes; 503 when an instance ends under a request, and the next request gets a new one. The variables of
// the container contract are set, and may not be set by anybody else.
//
// Where the platform would do harm without a word, a line in the log that begins with "warning:" says so.
//
// # What is not
//
// No container: the process sees this machine's files, CPUs and memory, and its port is a free one instead of 8080. An idle
// instance keeps its CPU and is not ended. Callers are not authenticated; there is no metadata server.
//
// The contract's sources: cloud.google.com/run/docs/container-contract, run/quotas, run/docs/about-concurrency,
// functions/docs/configuring/env-var, functions/quotas, functions/docs/bestpractices/retries.
package gcfemu
