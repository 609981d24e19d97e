// Loading the library and binding the functions of ort.h.
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

ort_api sfn_ort;
OrtAllocator *sfn_allocator;
OrtMemoryInfo *sfn_cpu;

#ifdef _WIN32
static char *copy_text(const char *s) {
  char *c = malloc(strlen(s) + 1);
  if (c) strcpy(c, s);
  return c;
}

void *sfn_dlopen(const char *path, char **error) {
  HMODULE h = LoadLibraryA(path);
  if (!h) {
    char text[64];
    snprintf(text, sizeof text, "LoadLibrary failed with error %lu", (unsigned long)GetLastError());
    *error = copy_text(text);
  }
  return (void *)h;
}

void sfn_dlclose(void *library) { FreeLibrary((HMODULE)library); }

static void *find(void *library, const char *name) { return (void *)GetProcAddress((HMODULE)library, name); }
#else
void *sfn_dlopen(const char *path, char **error) {
  void *h = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (!h) {
    const char *text = dlerror();
    *error = strdup(text ? text : "dlopen failed");
  }
  return h;
}

void sfn_dlclose(void *library) { dlclose(library); }

static void *find(void *library, const char *name) { return dlsym(library, name); }
#endif

const OrtApiBase *sfn_base(void *library) {
  const OrtApiBase *(*get)(void) = (const OrtApiBase *(*)(void))find(library, "OrtGetApiBase");
  return get ? get() : NULL;
}

const char *sfn_version(const OrtApiBase *base) { return base->GetVersionString(); }

#define ORT_BIND(slot, name, result, args) \
  _Static_assert(slot < ORT_SLOTS, "slot outside the table"); \
  sfn_ort.name = (result(*) args)table[slot];

OrtStatus *sfn_bind(const OrtApiBase *base, int *found) {
  void *const *table = base->GetApi(ORT_API);
  *found = table != NULL;
  if (!table) return NULL;
  ORT_FUNCTIONS(ORT_BIND)
  OrtStatus *s = sfn_ort.GetAllocatorWithDefaultOptions(&sfn_allocator);
  return s || sfn_cpu ? s : sfn_ort.CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEM_DEFAULT, &sfn_cpu);
}

int sfn_code(const OrtStatus *s) { return sfn_ort.GetErrorCode(s); }

const char *sfn_message(const OrtStatus *s) { return sfn_ort.GetErrorMessage(s); }

void sfn_release_status(OrtStatus *s) { sfn_ort.ReleaseStatus(s); }
