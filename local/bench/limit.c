//go:build ignore

// limit is the yardstick: what a C program that uses ONNX Runtime directly needs for the same work. It loads the library,
// makes an environment and a session with the options that scorefn uses, and runs the model on given inputs.
//
//   limit LIBRARY MODEL THREADS INPUTS             runs it twice, as a server does that warms up before its first request, then
//                                                  prints "scored" and the nanoseconds of five phases: loading the library,
//                                                  environment, session, first run, second run
//   limit LIBRARY MODEL THREADS INPUTS SECONDS     then also runs it for so long, each time with new input values and outputs
//                                                  that ONNX Runtime allocates, and prints for one run its nanoseconds and
//                                                  those of CPU, then the resident memory in kilobytes and the number of runs
//
// INPUTS is a file: for each input a line "NAME<tab>DTYPE<tab>BYTES<tab>RANK<tab>DIM…", then BYTES bytes. DTYPE is a number,
// as in onnx.proto. Build: cc -O2 -I DIR limit.c -ldl, DIR holding onnxruntime_c_api.h.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "onnxruntime_c_api.h"

enum { most_inputs = 64, most_rank = 32 };

static const OrtApi *api;

static struct input {
	char name[1024];
	int dtype;
	size_t bytes, rank;
	int64_t dims[most_rank];
	void *data;
} in[most_inputs];
static size_t nin;

static void die(const char *what) {
	fprintf(stderr, "limit: %s\n", what);
	exit(1);
}

static void check(OrtStatus *s) {
	if (s) die(api->GetErrorMessage(s));
}

static double clock_of(clockid_t id) {
	struct timespec t;
	clock_gettime(id, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}
static double now(void) { return clock_of(CLOCK_MONOTONIC); }

static void read_inputs(const char *path) {
	FILE *f = fopen(path, "rb");
	if (!f) die("cannot open the file of inputs");
	for (struct input *p = in; fscanf(f, "%1023[^\t]\t%d\t%zu\t%zu", p->name, &p->dtype, &p->bytes, &p->rank) == 4; p++) {
		if (p->rank > most_rank) die("too many dimensions");
		for (size_t i = 0; i < p->rank; i++) {
			long long d;
			if (fscanf(f, "%lld", &d) != 1) die("bad file of inputs");
			p->dims[i] = d;
		}
		if (fgetc(f) != '\n' || posix_memalign(&p->data, 64, p->bytes + 1) || fread(p->data, 1, p->bytes, f) != p->bytes)
			die("bad file of inputs");
		if (++nin == most_inputs) die("too many inputs");
	}
	fclose(f);
}

static int is_ort(const char *path) {
	char head[8] = "";
	FILE *f = fopen(path, "rb");
	if (!f) die("cannot open the model");
	size_t n = fread(head, 1, sizeof head, f);
	fclose(f);
	return n == sizeof head && !memcmp(head + 4, "ORTM", 4);
}

static OrtSessionOptions *options(const char *model, int threads) {
	OrtSessionOptions *o;
	check(api->CreateSessionOptions(&o));
	check(api->SetIntraOpNumThreads(o, threads));
	check(api->SetInterOpNumThreads(o, 1));
	check(api->AddSessionConfigEntry(o, "session.intra_op.allow_spinning", "0"));
	if (is_ort(model)) {
		check(api->SetSessionGraphOptimizationLevel(o, ORT_DISABLE_ALL));
		check(api->AddSessionConfigEntry(o, "session.load_model_format", "ORT"));
		check(api->AddSessionConfigEntry(o, "session.use_memory_mapped_ort_model", "1"));
		check(api->AddSessionConfigEntry(o, "session.use_ort_model_bytes_for_initializers", "1"));
	}
	return o;
}

static long resident_kb(void) {
	long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f) return 0;
	if (fscanf(f, "%ld %ld", &size, &pages) != 2) pages = 0;
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv) {
	double start = now(), t[5] = {0};
	if (argc < 5) die("usage: limit LIBRARY MODEL THREADS INPUTS [SECONDS]");
	void *h = dlopen(argv[1], RTLD_NOW);
	if (!h) die(dlerror());
	const OrtApiBase *(*base)(void) = (const OrtApiBase *(*)(void))dlsym(h, "OrtGetApiBase");
	if (!base || !(api = base()->GetApi(24))) die("no ONNX Runtime with API 24");
	t[0] = now();
	OrtEnv *env;
	OrtSession *s;
	OrtAllocator *a;
	OrtMemoryInfo *mem;
	check(api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "limit", &env));
	t[1] = now();
	check(api->CreateSession(env, argv[2], options(argv[2], atoi(argv[3])), &s));
	check(api->GetAllocatorWithDefaultOptions(&a));
	check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &mem));
	size_t nout;
	check(api->SessionGetOutputCount(s, &nout));
	const char **out = calloc(nout, sizeof *out), *names[most_inputs];
	OrtValue **result = calloc(nout, sizeof *result), *v[most_inputs];
	for (size_t i = 0; i < nout; i++) check(api->SessionGetOutputName(s, i, a, (char **)&out[i]));
	t[2] = now();
	read_inputs(argv[4]);
	for (size_t i = 0; i < nin; i++) names[i] = in[i].name;

	double seconds = argc > 5 ? atof(argv[5]) : 0, from = 0, cpu = 0, took = 0;
	long runs = 0, block = 1;
	for (long left = 1;; left--) {
		for (size_t i = 0; i < nin; i++)
			check(api->CreateTensorWithDataAsOrtValue(mem, in[i].data, in[i].bytes, in[i].dims, in[i].rank, in[i].dtype, &v[i]));
		check(api->Run(s, NULL, names, (const OrtValue *const *)v, nin, out, nout, result));
		for (size_t i = 0; i < nin; i++) api->ReleaseValue(v[i]);
		for (size_t k = 0; k < nout; k++) {
			api->ReleaseValue(result[k]);
			result[k] = NULL;
		}
		if (left > 1) continue;
		if (!t[3]) {
			t[3] = now();
		} else if (!from) {
			t[4] = now();
			printf("scored %.0f %.0f %.0f %.0f %.0f\n", t[0] - start, t[1] - t[0], t[2] - t[1], t[3] - t[2], t[4] - t[3]);
			fflush(stdout);
			if (seconds <= 0) break;
			from = now();
			cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
		} else {
			runs += block;
			if ((took = now() - from) >= seconds * 1e9) break;
			if (took < 1e6 * block && block < 1 << 12) block *= 2; // the clock is to cost nothing
		}
		left = block + 1;
	}
	if (seconds > 0) printf("%.1f %.1f %ld %ld\n", took / runs, (clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) / runs, resident_kb(), runs);
	fflush(stdout);
	_exit(0); // ONNX Runtime's destructors take 5 ms that a server never spends
}
