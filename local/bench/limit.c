//go:build ignore

// limit is the yardstick: what a C program that uses ONNX Runtime directly needs for the same work. It loads the library,
// makes an environment and a session with the options that scorefn uses, and runs the model on an input of zeros, each
// dimension that the model leaves open being 1.
//
//   limit LIBRARY MODEL        prints a line after the first run, as "scorefn invoke" prints its answer
//   limit LIBRARY MODEL RUNS   then also runs it RUNS times, each with a new input tensor and an output that ONNX Runtime
//                              allocates, and prints nanoseconds per run
//
// One input of float32 and any outputs. Build: cc -O2 -I DIR limit.c -ldl, DIR holding onnxruntime_c_api.h.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "onnxruntime_c_api.h"

static const OrtApi *api;

static void check(OrtStatus *s) {
	if (!s) return;
	fprintf(stderr, "limit: %s\n", api->GetErrorMessage(s));
	exit(1);
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc < 3) return fprintf(stderr, "usage: limit LIBRARY MODEL [RUNS]\n"), 2;
	void *h = dlopen(argv[1], RTLD_NOW);
	if (!h) return fprintf(stderr, "limit: %s\n", dlerror()), 1;
	const OrtApiBase *(*base)(void) = (const OrtApiBase *(*)(void))dlsym(h, "OrtGetApiBase");
	if (!base || !(api = base()->GetApi(24))) return fprintf(stderr, "limit: no ONNX Runtime with API 24\n"), 1;
	OrtEnv *env;
	OrtSessionOptions *o;
	OrtSession *s;
	OrtAllocator *a;
	OrtMemoryInfo *mem;
	check(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "limit", &env));
	check(api->CreateSessionOptions(&o));
	check(api->SetIntraOpNumThreads(o, 1));
	check(api->SetInterOpNumThreads(o, 1));
	check(api->AddSessionConfigEntry(o, "session.intra_op.allow_spinning", "0"));
	check(api->CreateSession(env, argv[2], o, &s));
	check(api->GetAllocatorWithDefaultOptions(&a));
	check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &mem));

	char *in;
	check(api->SessionGetInputName(s, 0, a, &in));
	OrtTypeInfo *ti;
	const OrtTensorTypeAndShapeInfo *shape;
	int64_t dims[32];
	size_t rank, n = 1, nout;
	check(api->SessionGetInputTypeInfo(s, 0, &ti));
	check(api->CastTypeInfoToTensorInfo(ti, &shape));
	check(api->GetDimensionsCount(shape, &rank));
	if (rank > 32) return fprintf(stderr, "limit: rank %zu\n", rank), 1;
	check(api->GetDimensions(shape, dims, rank));
	for (size_t i = 0; i < rank; i++) {
		if (dims[i] < 0) dims[i] = 1;
		n *= (size_t)dims[i];
	}
	check(api->SessionGetOutputCount(s, &nout));
	const char **out = calloc(nout, sizeof *out);
	OrtValue **result = calloc(nout, sizeof *result);
	for (size_t i = 0; i < nout; i++) check(api->SessionGetOutputName(s, i, a, (char **)&out[i]));

	float *data = calloc(n, sizeof *data);
	long runs = argc > 3 ? atol(argv[3]) : 0;
	double start = 0;
	for (long i = -1; i < runs; i++) {
		OrtValue *v;
		check(api->CreateTensorWithDataAsOrtValue(mem, data, n * sizeof *data, dims, rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
		check(api->Run(s, NULL, (const char *const *)&in, (const OrtValue *const *)&v, 1, out, nout, result));
		api->ReleaseValue(v);
		for (size_t k = 0; k < nout; k++) {
			api->ReleaseValue(result[k]);
			result[k] = NULL;
		}
		if (i < 0) {
			puts("scored");
			fflush(stdout);
			start = now();
		}
	}
	if (runs > 0) printf("%.1f\n", (now() - start) / runs);
	fflush(stdout);
	_exit(0); // ONNX Runtime's destructors take 5 ms that a server never spends
}
