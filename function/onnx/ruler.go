//go:build ortbench

package onnx

/*
#include <string.h>
#include <time.h>
#include "shim.h"

static double sfn_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

// sfn_ruler runs n times without leaving C, on one float32 input: a new value over the same memory, a run, the outputs
// that ONNX Runtime allocates, read and released. With shapes it also asks for every output's type and shape and copies
// it, as a C program must that does not know its model. It gives seconds of the thread's CPU time, or -1.
static double sfn_ruler(OrtSession *s, const char *name, const char *const *outs, size_t nout, void *data, size_t bytes,
                        const int64_t *dims, size_t rank, int n, int shapes) {
  enum { most = 16 };
  static char copy[1 << 16];
  static int64_t copied[64];
  if (nout > most) return -1;
  double start = sfn_clock();
  for (int i = 0; i < n; i++) {
    OrtValue *in = NULL, *out[most] = {NULL};
    if (sfn_ort.CreateTensorWithDataAsOrtValue(sfn_cpu, data, bytes, dims, rank, 1, &in)) return -1;
    if (sfn_ort.Run(s, NULL, &name, (const OrtValue *const *)&in, 1, outs, nout, out)) return -1;
    for (size_t o = 0; o < nout; o++) {
      void *p;
      if (sfn_ort.GetTensorMutableData(out[o], &p)) return -1;
      copy[0] += *(char *)p;
      if (shapes) {
        int dtype;
        const int64_t *d;
        size_t r, size;
        if (sfn_ort.GetTensorElementTypeAndShapeDataReference(out[o], &dtype, &d, &r)) return -1;
        if (sfn_ort.GetTensorSizeInBytes(out[o], &size)) return -1;
        if (r <= 64) memcpy(copied, d, r * sizeof *d);
        if (size <= sizeof copy) memcpy(copy, p, size);
      }
      sfn_ort.ReleaseValue(out[o]);
    }
    sfn_ort.ReleaseValue(in);
  }
  return sfn_clock() - start;
}
*/
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/scorefn/scorefn/function/tensor"
)

// ThreadSeconds is the CPU time of the calling thread: on a shared machine the only clock that two programs can be
// compared with. The goroutine must be locked to its thread, the session have one thread.
func ThreadSeconds() float64 { return float64(C.sfn_clock()) }

// Ruler runs the model n times in a loop that stays in C, on one float32 input, and gives the CPU
// seconds that took: what a C program needs for the same work. It exists with the build tag ortbench only.
func (s *Session) Ruler(in tensor.Value, n int, shapes bool) float64 {
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(&in.Data[0])
	dims, rank := shapeArgs(in.Shape)
	var flag C.int
	if shapes {
		flag = 1
	}
	return float64(C.sfn_ruler(s.pointer(), s.names[0], s.cOutput, C.size_t(len(s.outputs)), unsafe.Pointer(&in.Data[0]),
		C.size_t(len(in.Data)), dims, rank, C.int(n), flag))
}
