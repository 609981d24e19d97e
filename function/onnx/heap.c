// The C heap of a process that loads ONNX Runtime. Nearly all of a cold start is ONNX Runtime registering operators: some
// 40,000 small allocations in 8 MB. The GNU C library serves them slowly in a Go process, in two ways:
//
//   - Go's threads are not the main thread, so each has an arena of its own, and those grow by one system call a page;
//   - every page costs a page fault.
//
// So there is one arena, whose first part is made of huge pages. Both have to be said before the first thread allocates,
// hence a constructor: it runs before Go does, in well under 0.1 ms, and touches no memory. A process that says itself how many
// arenas it wants (MALLOC_ARENA_MAX, or GLIBC_TUNABLES) is left alone.
#ifdef __linux__
#define _DEFAULT_SOURCE
#include <features.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  HEAP = 12 << 20, // what ONNX Runtime and a small model need
  HUGE = 2 << 20   // bytes of a huge page on x86-64 and, with pages of 4 KiB, on arm64
};

// taken is where a block goes that is not used: without it the compiler leaves out both the malloc and the free.
static void *volatile taken;

static void take_and_free(size_t bytes) {
  taken = malloc(bytes);
  free(taken);
  taken = NULL;
}

__attribute__((constructor)) static void sfn_heap(void) {
  if (getenv("MALLOC_ARENA_MAX") || getenv("GLIBC_TUNABLES")) return;
  mallopt(M_ARENA_MAX, 1);
  // To free a block teaches the library to take blocks of that size from the heap, and not to give them back: two blocks
  // make the heap as large as the second one.
  take_and_free(HEAP);
  uintptr_t from = (uintptr_t)sbrk(0);
  take_and_free(HEAP - HUGE);
  uintptr_t to = (uintptr_t)sbrk(0);
  from = (from + HUGE - 1) & -(uintptr_t)HUGE;
  to &= -(uintptr_t)HUGE;
  if (to > from) madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void sfn_trim(void) { malloc_trim(0); }
#else
void sfn_trim(void) {}
#endif
#else
void sfn_trim(void) {}
#endif
