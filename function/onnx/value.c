// Values one by one: what the one call of run.c does not carry.
#include "shim.h"

#include <string.h>

OrtStatus *sfn_new_tensor(int dtype, const int64_t *dims, size_t rank, const void *data, size_t bytes, OrtValue **out) {
  OrtValue *v = NULL;
  void *to;
  OrtStatus *s = sfn_ort.CreateTensorAsOrtValue(sfn_allocator, dims, rank, dtype, &v);
  if (s) return s;
  if (bytes) {
    if ((s = sfn_ort.GetTensorMutableData(v, &to))) {
      sfn_ort.ReleaseValue(v);
      return s;
    }
    memcpy(to, data, bytes);
  }
  *out = v;
  return NULL;
}

// Strings are counted, so that a NUL is an ordinary byte.
OrtStatus *sfn_new_strings(const int64_t *dims, size_t rank, const char *bytes, const size_t *lengths, size_t n, OrtValue **out) {
  OrtValue *v = NULL;
  OrtStatus *s = sfn_ort.CreateTensorAsOrtValue(sfn_allocator, dims, rank, ORT_STRING, &v);
  if (s) return s;
  for (size_t i = 0; i < n; i++) {
    char *to;
    if ((s = sfn_ort.GetResizedStringTensorElementBuffer(v, i, lengths[i], &to))) {
      sfn_ort.ReleaseValue(v);
      return s;
    }
    if (lengths[i]) memcpy(to, bytes, lengths[i]);
    bytes += lengths[i];
  }
  *out = v;
  return NULL;
}

OrtStatus *sfn_new_value(OrtValue **values, size_t n, int kind, OrtValue **out) {
  return sfn_ort.CreateValue((const OrtValue *const *)values, n, kind, out);
}

// sfn_describe says what v is. Only what the value itself says counts: what the model declares may be less.
OrtStatus *sfn_describe(OrtValue *v, sfn_out *o) {
  OrtStatus *s;
  int has = 0;
  memset(o, 0, sizeof *o);
  if (!v) return NULL;
  if ((s = sfn_ort.HasValue(v, &has)) || !has) return s;
  if ((s = sfn_ort.GetValueType(v, &o->kind))) return s;
  if (o->kind != ORT_TENSOR) return NULL;
  if ((s = sfn_ort.GetTensorElementTypeAndShapeDataReference(v, &o->dtype, &o->dims, &o->rank))) return s;
  if (o->dtype != ORT_STRING) return sfn_ort.GetTensorSizeInBytes(v, &o->bytes);
  o->strings = 1;
  for (size_t i = 0; i < o->rank; i++) o->strings *= (size_t)o->dims[i]; // they exist, so this cannot overflow
  if (!o->strings) return NULL;
  if ((s = sfn_ort.GetStringTensorDataLength(v, &o->bytes))) return s;
  o->bytes += o->strings * sizeof(size_t);
  return NULL;
}

OrtStatus *sfn_copy(OrtValue *v, const sfn_out *o, void *to) {
  if (!o->bytes) return NULL;
  if (o->dtype == ORT_STRING) {
    size_t offsets = o->strings * sizeof(size_t);
    return sfn_ort.GetStringTensorContent(v, (char *)to + offsets, o->bytes - offsets, to, o->strings);
  }
  void *from;
  OrtStatus *s = sfn_ort.GetTensorMutableData(v, &from);
  if (!s) memcpy(to, from, o->bytes);
  return s;
}

OrtStatus *sfn_count(OrtValue *v, size_t *n) { return sfn_ort.GetValueCount(v, n); }

OrtStatus *sfn_get(OrtValue *v, int i, OrtValue **out) { return sfn_ort.GetValue(v, i, sfn_allocator, out); }

void sfn_release_value(OrtValue *v) {
  if (v) sfn_ort.ReleaseValue(v);
}
