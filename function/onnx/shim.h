// The C side of package onnx: one call for a whole run, and small calls for what is rare. Every function that can fail
// gives an OrtStatus that the caller owns (NULL is success), and gives nothing else in that case.
#pragma once

#include "ort.h"

extern ort_api sfn_ort; // filled by sfn_bind, before anything else is called
extern OrtAllocator *sfn_allocator; // ONNX Runtime's own, never released
extern OrtMemoryInfo *sfn_cpu; // "ordinary memory", never released

// --- the library (library.c)
void *sfn_dlopen(const char *path, char **error); // NULL on error, whose text the caller frees
void sfn_dlclose(void *library);
const OrtApiBase *sfn_base(void *library); // NULL: no ONNX Runtime library
const char *sfn_version(const OrtApiBase *base);
OrtStatus *sfn_bind(const OrtApiBase *base, int *found); // found is 0 when the library has no API 24


// --- the C heap (heap.c)
void sfn_trim(void); // gives the system what is free

// --- one run (run.c)
typedef struct {
  const char *name; // the session's copy
  void *data; // elements of input 4 and later, pinned by Go; the first four come as arguments of sfn_run
  size_t bytes;
  size_t dim; // index of the first dimension in sfn_ctx.dims
  size_t rank;
  int dtype;
  OrtValue *made; // not NULL: a value that was made beforehand (strings, sequences, maps); owned by the context
} sfn_in;

typedef struct {
  int kind; // ORT_TENSOR…; ORT_UNKNOWN for an absent optional
  int dtype; // as the library numbers it
  const int64_t *dims; // inside the value, as long as it lives; or in sfn_ctx.out_dims
  size_t rank;
  size_t bytes; // in the arena; of strings: one size_t (the offset) a string, then their bytes
  size_t strings; // how many
} sfn_out;

// sfn_ctx is the memory of one run at a time, kept from run to run.
typedef struct {
  OrtSession *session;
  OrtRunOptions *options;
  size_t nin, nout; // room for inputs, outputs of the model
  sfn_in *in;
  sfn_out *out;
  int64_t *dims; // of all inputs
  size_t ndims; // room
  const char **in_names; // as handed to Run
  OrtValue **in_values;
  const char *const *out_names; // the session's copy
  OrtValue **out_values;
  size_t total; // bytes of all plain outputs, each rounded up to 8
  int64_t *out_dims;
  size_t nout_dims;
  int left; // whether out_values still holds anything
  OrtStatus *status; // of the last SFN_FAILED, until the caller takes it
} sfn_ctx;

enum { SFN_DONE, SFN_FAILED, SFN_GROW };

OrtStatus *sfn_ctx_new(OrtSession *session, size_t nin, size_t nout, const char *const *out_names, sfn_ctx **out);
void sfn_ctx_free(sfn_ctx *c);
int sfn_ctx_dims(sfn_ctx *c, size_t n); // makes room for n input dimensions; 0: out of memory
void sfn_terminate(sfn_ctx *c); // from any thread, while sfn_run is in flight
void sfn_unterminate(sfn_ctx *c);

// sfn_run makes n values over the memory given, runs, and copies the plain outputs into the arena. SFN_GROW: the arena is
// too small, total says what is needed, sfn_fetch does the rest. After SFN_DONE the plain tensors are released; all else
// stays in out_values until sfn_release, which must come before the next run when left is not 0.
//
// Go memory is passed as bytes, not void: there are no pointers in it, and this type spares cgo the search for them.
int sfn_run(sfn_ctx *c, size_t n, uint8_t *p0, uint8_t *p1, uint8_t *p2, uint8_t *p3, uint8_t *arena, size_t size);
int sfn_fetch(sfn_ctx *c, uint8_t *arena, size_t size);
void sfn_release(sfn_ctx *c); // every value of the context, in and out

// --- values (value.c)
OrtStatus *sfn_new_tensor(int dtype, const int64_t *dims, size_t rank, const void *data, size_t bytes, OrtValue **out);
OrtStatus *sfn_new_strings(const int64_t *dims, size_t rank, const char *bytes, const size_t *lengths, size_t n, OrtValue **out);
OrtStatus *sfn_new_value(OrtValue **values, size_t n, int kind, OrtValue **out);
OrtStatus *sfn_describe(OrtValue *v, sfn_out *out);
OrtStatus *sfn_copy(OrtValue *v, const sfn_out *o, void *to);
OrtStatus *sfn_count(OrtValue *v, size_t *n);
OrtStatus *sfn_get(OrtValue *v, int i, OrtValue **out);
void sfn_release_value(OrtValue *v);

// --- the session's own signature, types.c
OrtStatus *sfn_counts(OrtSession *s, size_t n[3]); // inputs, overridable initializers, outputs
OrtStatus *sfn_name(OrtSession *s, int which, size_t i, char **name); // release with sfn_free_name
void sfn_free_name(char *name);
OrtStatus *sfn_type(OrtSession *s, int which, size_t i, OrtTypeInfo **out); // release with sfn_release_type
void sfn_release_type(OrtTypeInfo *t);
OrtStatus *sfn_type_kind(const OrtTypeInfo *t, int *kind);
OrtStatus *sfn_type_tensor(const OrtTypeInfo *t, int *dtype, int *ranked, size_t *rank);
OrtStatus *sfn_type_dims(const OrtTypeInfo *t, int64_t *dims, const char **symbols, size_t rank); // symbols live as long as t
OrtStatus *sfn_type_elem(const OrtTypeInfo *t, int kind, int *key, OrtTypeInfo **elem); // release elem with sfn_release_type

int sfn_code(const OrtStatus *s);
const char *sfn_message(const OrtStatus *s);
void sfn_release_status(OrtStatus *s);
