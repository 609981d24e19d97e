// Package azureemu runs the executable of an Azure Functions custom handler on this machine as the Functions host (version 4)
// runs it: it reads host.json and the function.json files, starts the handler, probes it, sends it HTTP requests and events in
// the host's wire form, and reads its answers by the host's rules. [Emulator] owns the process; package storage is the client
// with which it takes queue messages and blobs from Azurite.
//
// # What is kept
//
// The three ways that an HTTP request reaches a handler: as a payload, forwarded, and proxied. The one encoding rule of Data
// and Metadata. The reading of answers, down to what .NET does to output values: a [Trap] is logged wherever the host would
// hurt and say nothing. Retries and poison; the function's timeout, which ends the process and everything that it was doing;
// exit codes; the third error, which stops the host; SIGKILL.
//
// # What is not
//
// No container: the process sees this machine's files, CPUs and memory. Keys are not checked, as under Core Tools. Input
// bindings other than blobs of Config.Storage, the preview's customHandler.http.routes and Durable Functions are absent.
//
// The contract's sources: Azure/azure-functions-host, src/WebJobs.Script/Workers/Http and its tests;
// learn.microsoft.com/azure/azure-functions/functions-custom-handlers.
package azureemu
