// The signature that a session itself tells.
#include "shim.h"

OrtStatus *sfn_counts(OrtSession *s, size_t n[3]) {
  OrtStatus *e;
  if ((e = sfn_ort.SessionGetInputCount(s, &n[0]))) return e;
  if ((e = sfn_ort.SessionGetOverridableInitializerCount(s, &n[1]))) return e;
  return sfn_ort.SessionGetOutputCount(s, &n[2]);
}

OrtStatus *sfn_name(OrtSession *s, int which, size_t i, char **name) {
  if (which == 0) return sfn_ort.SessionGetInputName(s, i, sfn_allocator, name);
  if (which == 1) return sfn_ort.SessionGetOverridableInitializerName(s, i, sfn_allocator, name);
  return sfn_ort.SessionGetOutputName(s, i, sfn_allocator, name);
}

void sfn_free_name(char *name) {
  OrtStatus *s = sfn_ort.AllocatorFree(sfn_allocator, name);
  if (s) sfn_ort.ReleaseStatus(s);
}

OrtStatus *sfn_type(OrtSession *s, int which, size_t i, OrtTypeInfo **out) {
  if (which == 0) return sfn_ort.SessionGetInputTypeInfo(s, i, out);
  if (which == 1) return sfn_ort.SessionGetOverridableInitializerTypeInfo(s, i, out);
  return sfn_ort.SessionGetOutputTypeInfo(s, i, out);
}

void sfn_release_type(OrtTypeInfo *t) {
  if (t) sfn_ort.ReleaseTypeInfo(t);
}

OrtStatus *sfn_type_kind(const OrtTypeInfo *t, int *kind) { return sfn_ort.GetOnnxTypeFromTypeInfo(t, kind); }

OrtStatus *sfn_type_tensor(const OrtTypeInfo *t, int *dtype, int *ranked, size_t *rank) {
  const OrtTensorTypeAndShapeInfo *i = NULL; // belongs to t
  OrtStatus *s = sfn_ort.CastTypeInfoToTensorInfo(t, &i);
  if (s || !i) return s;
  *ranked = sfn_ort.TensorTypeAndShape_HasShape(i);
  if ((s = sfn_ort.GetTensorElementType(i, dtype))) return s;
  return sfn_ort.GetDimensionsCount(i, rank);
}

OrtStatus *sfn_type_dims(const OrtTypeInfo *t, int64_t *dims, const char **symbols, size_t rank) {
  const OrtTensorTypeAndShapeInfo *i = NULL;
  OrtStatus *s = sfn_ort.CastTypeInfoToTensorInfo(t, &i);
  if (s) return s;
  if ((s = sfn_ort.GetDimensions(i, dims, rank))) return s;
  return sfn_ort.GetSymbolicDimensions(i, symbols, rank);
}

OrtStatus *sfn_type_elem(const OrtTypeInfo *t, int kind, int *key, OrtTypeInfo **elem) {
  OrtStatus *s;
  const OrtSequenceTypeInfo *q = NULL;
  const OrtMapTypeInfo *m = NULL;
  const OrtOptionalTypeInfo *o = NULL;
  switch (kind) {
  case ORT_SEQUENCE:
    s = sfn_ort.CastTypeInfoToSequenceTypeInfo(t, &q);
    return s || !q ? s : sfn_ort.GetSequenceElementType(q, elem);
  case ORT_OPTIONAL:
    s = sfn_ort.CastTypeInfoToOptionalTypeInfo(t, &o);
    return s || !o ? s : sfn_ort.GetOptionalContainedTypeInfo(o, elem);
  case ORT_MAP:
    s = sfn_ort.CastTypeInfoToMapTypeInfo(t, &m);
    if (s || !m) return s;
    if ((s = sfn_ort.GetMapKeyType(m, key))) return s;
    return sfn_ort.GetMapValueType(m, elem);
  }
  return NULL;
}
