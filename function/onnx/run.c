// One run in one call: wrap the inputs, run, copy the outputs, release.
#include "shim.h"

#include <stdlib.h>
#include <string.h>

OrtStatus *sfn_ctx_new(OrtSession *session, size_t nin, size_t nout, const char *const *out_names, sfn_ctx **out) {
  sfn_ctx *c = calloc(1, sizeof *c);
  if (!c) abort();
  c->session = session;
  c->nin = nin;
  c->nout = nout;
  c->out_names = out_names;
  c->in = calloc(nin + 1, sizeof *c->in); // + 1: never an empty array
  c->in_names = calloc(nin + 1, sizeof *c->in_names);
  c->in_values = calloc(nin + 1, sizeof *c->in_values);
  c->out = calloc(nout + 1, sizeof *c->out);
  c->out_values = calloc(nout + 1, sizeof *c->out_values);
  c->ndims = 8;
  c->dims = calloc(c->ndims, sizeof *c->dims);
  // The model's own sizes, a few hundred bytes: like Go itself, give up when memory has ended.
  if (!c->in || !c->in_names || !c->in_values || !c->out || !c->out_values || !c->dims) abort();
  OrtStatus *s = sfn_ort.CreateRunOptions(&c->options);
  // A run that fails or is stopped says so in its status; printing it to standard error as well is noise.
  if (!s) s = sfn_ort.RunOptionsSetRunLogSeverityLevel(c->options, ORT_LOG_FATAL);
  if (s) {
    sfn_ctx_free(c);
    return s;
  }
  *out = c;
  return NULL;
}

void sfn_ctx_free(sfn_ctx *c) {
  sfn_release(c);
  if (c->status) sfn_ort.ReleaseStatus(c->status);
  if (c->options) sfn_ort.ReleaseRunOptions(c->options);
  free(c->in);
  free((void *)c->in_names);
  free(c->in_values);
  free(c->out);
  free(c->out_values);
  free(c->dims);
  free(c->out_dims);
  free(c);
}

int sfn_ctx_dims(sfn_ctx *c, size_t n) {
  if (n <= c->ndims) return 1;
  int64_t *d = realloc(c->dims, n * sizeof *d);
  if (!d) return 0;
  c->dims = d;
  c->ndims = n;
  return 1;
}

// Both only fail on a NULL argument.
void sfn_terminate(sfn_ctx *c) { sfn_ort.RunOptionsSetTerminate(c->options); }
void sfn_unterminate(sfn_ctx *c) { sfn_ort.RunOptionsUnsetTerminate(c->options); }

static void release_all(OrtValue **values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (values[i]) sfn_ort.ReleaseValue(values[i]);
    values[i] = NULL;
  }
}

void sfn_release(sfn_ctx *c) {
  release_all(c->in_values, c->nin);
  release_all(c->out_values, c->nout);
  for (size_t i = 0; i < c->nin; i++) {
    if (c->in[i].made) sfn_ort.ReleaseValue(c->in[i].made);
    c->in[i].made = NULL;
  }
  c->left = 0;
}

static int failed(sfn_ctx *c, OrtStatus *s) {
  sfn_release(c);
  c->status = s;
  return SFN_FAILED;
}

// round8 keeps every output aligned for any element type.
static size_t round8(size_t n) { return (n + 7) & ~(size_t)7; }

// SFN_ALIGN is how ONNX Runtime aligns memory of its own. Kernels add elements up in an order that depends on where a vector
// begins: memory that lies otherwise would give other last digits from request to request, so it is copied.
#define SFN_ALIGN 64

int sfn_run(sfn_ctx *c, size_t n, uint8_t *p0, uint8_t *p1, uint8_t *p2, uint8_t *p3, uint8_t *arena, size_t size) {
  static int64_t nothing[1]; // ONNX Runtime wants an address even for no bytes
  void *first[4] = {p0, p1, p2, p3};
  OrtStatus *s;
  for (size_t i = 0; i < n; i++) {
    sfn_in *in = &c->in[i];
    c->in_names[i] = in->name;
    if (in->made) {
      c->in_values[i] = in->made;
      in->made = NULL;
      continue;
    }
    void *data = i < 4 ? first[i] : in->data;
    if (in->bytes && ((uintptr_t)data & (SFN_ALIGN - 1))) {
      if ((s = sfn_new_tensor(in->dtype, c->dims + in->dim, in->rank, data, in->bytes, &c->in_values[i]))) return failed(c, s);
      continue;
    }
    if ((s = sfn_ort.CreateTensorWithDataAsOrtValue(sfn_cpu, data ? data : nothing, in->bytes, c->dims + in->dim, in->rank,
                                                    in->dtype, &c->in_values[i])))
      return failed(c, s);
  }
  s = sfn_ort.Run(c->session, c->options, c->in_names, (const OrtValue *const *)c->in_values, n, c->out_names, c->nout,
                  c->out_values);
  release_all(c->in_values, n);
  if (s) return failed(c, s);
  c->left = 1;
  c->total = 0;
  for (size_t i = 0; i < c->nout; i++) {
    if ((s = sfn_describe(c->out_values[i], &c->out[i]))) return failed(c, s);
    c->total += round8(c->out[i].bytes);
  }
  return c->total <= size ? sfn_fetch(c, arena, size) : SFN_GROW;
}

// keep_dims moves the dimensions of output i out of its value, which is about to be released.
static int keep_dims(sfn_ctx *c) {
  size_t n = 0;
  for (size_t i = 0; i < c->nout; i++)
    if (c->out[i].kind == ORT_TENSOR) n += c->out[i].rank;
  if (n > c->nout_dims) {
    int64_t *d = realloc(c->out_dims, n * sizeof *d);
    if (!d) return 0;
    c->out_dims = d;
    c->nout_dims = n;
  }
  int64_t *d = c->out_dims;
  for (size_t i = 0; i < c->nout; i++) {
    sfn_out *o = &c->out[i];
    if (o->kind != ORT_TENSOR || !o->rank) continue;
    memcpy(d, o->dims, o->rank * sizeof *d);
    o->dims = d;
    d += o->rank;
  }
  return 1;
}

int sfn_fetch(sfn_ctx *c, uint8_t *arena, size_t size) {
  if (c->total > size) return SFN_GROW;
  if (!keep_dims(c)) abort(); // of a few numbers
  uint8_t *to = arena;
  int left = 0;
  for (size_t i = 0; i < c->nout; i++) {
    sfn_out *o = &c->out[i];
    if (o->kind != ORT_TENSOR) { // an absent optional may be a value too
      left |= c->out_values[i] != NULL;
      continue;
    }
    OrtStatus *s = sfn_copy(c->out_values[i], o, to);
    if (s) return failed(c, s);
    to += round8(o->bytes);
    sfn_ort.ReleaseValue(c->out_values[i]);
    c->out_values[i] = NULL;
  }
  c->left = left;
  return SFN_DONE;
}
