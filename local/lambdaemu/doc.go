// Package lambdaemu runs the executable of an AWS Lambda function (runtime provided.al2023) on this machine as the service
// runs it: the Runtime API that the executable asks for work, one process for every call at the same time, and the Invoke
// API that callers use. [Emulator] owns the processes; package door turns plain HTTP into the events of API Gateway and its
// like, package event makes samples of the others, package s3dir is an S3 over a folder.
//
// # What is kept
//
// The limits and what happens beyond them: 6 MB both ways, the function's timeout and the 10 s of the init phase, both of
// which end the process; an init that failed is tried once more inside the call; a call is answered even when the process
// is gone, with the service's error types; asynchronous calls are tried three times.
//
// # What is not
//
// No container: the process sees this machine's files, CPUs and memory. A process is not frozen between calls and not ended
// when it is idle. Credentials and permissions are not checked. X-Ray and the Telemetry API are absent.
//
// The contract's sources: docs.aws.amazon.com/lambda/latest/dg/ runtimes-api.html, runtimes-extensions-api.html,
// lambda-runtime-environment.html, configuration-envvars.html, and api/API_Invoke.html.
package lambdaemu
