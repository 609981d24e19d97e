// The part of ONNX Runtime's C API that this package calls, by slot number of its function table.
//
// OrtApi is a struct of function pointers that only ever grows at its end, so a function's slot (its index, counted in
// pointers) is fixed for good. Naming slots spares a copy of Microsoft's header and any compiler flag that finds one. A
// test compares every line with the header that comes with the wrapper's module.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORT_API 24 // the API version that these slots need: ONNX Runtime 1.24
#define ORT_SLOTS 415 // entries of the table in that version

typedef struct OrtStatus OrtStatus;
typedef struct OrtSession OrtSession;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtMapTypeInfo OrtMapTypeInfo;
typedef struct OrtSequenceTypeInfo OrtSequenceTypeInfo;
typedef struct OrtOptionalTypeInfo OrtOptionalTypeInfo;

// OrtApiBase is what the library's one exported function, OrtGetApiBase, gives.
typedef struct {
  void *const *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} OrtApiBase;

// ONNXType: what a value is.
enum { ORT_UNKNOWN, ORT_TENSOR, ORT_SEQUENCE, ORT_MAP, ORT_OPAQUE, ORT_SPARSE, ORT_OPTIONAL };

#define ORT_STRING 8 // ONNXTensorElementDataType of strings
#define ORT_ARENA_ALLOCATOR 1 // OrtAllocatorType
#define ORT_MEM_DEFAULT 0 // OrtMemType
#define ORT_LOG_FATAL 4 // OrtLoggingLevel

// X(slot, name, result, arguments)
#define ORT_FUNCTIONS(X) \
  X(1, GetErrorCode, int, (const OrtStatus *)) \
  X(2, GetErrorMessage, const char *, (const OrtStatus *)) \
  X(9, Run, OrtStatus *, (OrtSession *, const OrtRunOptions *, const char *const *, const OrtValue *const *, size_t, const char *const *, size_t, OrtValue **)) \
  X(30, SessionGetInputCount, OrtStatus *, (const OrtSession *, size_t *)) \
  X(31, SessionGetOutputCount, OrtStatus *, (const OrtSession *, size_t *)) \
  X(32, SessionGetOverridableInitializerCount, OrtStatus *, (const OrtSession *, size_t *)) \
  X(33, SessionGetInputTypeInfo, OrtStatus *, (const OrtSession *, size_t, OrtTypeInfo **)) \
  X(34, SessionGetOutputTypeInfo, OrtStatus *, (const OrtSession *, size_t, OrtTypeInfo **)) \
  X(35, SessionGetOverridableInitializerTypeInfo, OrtStatus *, (const OrtSession *, size_t, OrtTypeInfo **)) \
  X(36, SessionGetInputName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **)) \
  X(37, SessionGetOutputName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **)) \
  X(38, SessionGetOverridableInitializerName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **)) \
  X(39, CreateRunOptions, OrtStatus *, (OrtRunOptions **)) \
  X(41, RunOptionsSetRunLogSeverityLevel, OrtStatus *, (OrtRunOptions *, int)) \
  X(46, RunOptionsSetTerminate, OrtStatus *, (OrtRunOptions *)) \
  X(47, RunOptionsUnsetTerminate, OrtStatus *, (OrtRunOptions *)) \
  X(48, CreateTensorAsOrtValue, OrtStatus *, (OrtAllocator *, const int64_t *, size_t, int, OrtValue **)) \
  X(49, CreateTensorWithDataAsOrtValue, OrtStatus *, (const OrtMemoryInfo *, void *, size_t, const int64_t *, size_t, int, OrtValue **)) \
  X(51, GetTensorMutableData, OrtStatus *, (OrtValue *, void **)) \
  X(53, GetStringTensorDataLength, OrtStatus *, (const OrtValue *, size_t *)) \
  X(54, GetStringTensorContent, OrtStatus *, (const OrtValue *, void *, size_t, size_t *, size_t)) \
  X(55, CastTypeInfoToTensorInfo, OrtStatus *, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **)) \
  X(56, GetOnnxTypeFromTypeInfo, OrtStatus *, (const OrtTypeInfo *, int *)) \
  X(60, GetTensorElementType, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int *)) \
  X(61, GetDimensionsCount, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, size_t *)) \
  X(62, GetDimensions, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t)) \
  X(63, GetSymbolicDimensions, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, const char **, size_t)) \
  X(67, GetValueType, OrtStatus *, (const OrtValue *, int *)) \
  X(69, CreateCpuMemoryInfo, OrtStatus *, (int, int, OrtMemoryInfo **)) \
  X(76, AllocatorFree, OrtStatus *, (OrtAllocator *, void *)) \
  X(78, GetAllocatorWithDefaultOptions, OrtStatus *, (OrtAllocator **)) \
  X(80, GetValue, OrtStatus *, (const OrtValue *, int, OrtAllocator *, OrtValue **)) \
  X(81, GetValueCount, OrtStatus *, (const OrtValue *, size_t *)) \
  X(82, CreateValue, OrtStatus *, (const OrtValue *const *, size_t, int, OrtValue **)) \
  X(93, ReleaseStatus, void, (OrtStatus *)) \
  X(96, ReleaseValue, void, (OrtValue *)) \
  X(97, ReleaseRunOptions, void, (OrtRunOptions *)) \
  X(98, ReleaseTypeInfo, void, (OrtTypeInfo *)) \
  X(103, CastTypeInfoToMapTypeInfo, OrtStatus *, (const OrtTypeInfo *, const OrtMapTypeInfo **)) \
  X(104, CastTypeInfoToSequenceTypeInfo, OrtStatus *, (const OrtTypeInfo *, const OrtSequenceTypeInfo **)) \
  X(105, GetMapKeyType, OrtStatus *, (const OrtMapTypeInfo *, int *)) \
  X(106, GetMapValueType, OrtStatus *, (const OrtMapTypeInfo *, OrtTypeInfo **)) \
  X(107, GetSequenceElementType, OrtStatus *, (const OrtSequenceTypeInfo *, OrtTypeInfo **)) \
  X(192, HasValue, OrtStatus *, (const OrtValue *, int *)) \
  X(250, CastTypeInfoToOptionalTypeInfo, OrtStatus *, (const OrtTypeInfo *, const OrtOptionalTypeInfo **)) \
  X(251, GetOptionalContainedTypeInfo, OrtStatus *, (const OrtOptionalTypeInfo *, OrtTypeInfo **)) \
  X(252, GetResizedStringTensorElementBuffer, OrtStatus *, (OrtValue *, size_t, size_t, char **)) \
  X(318, GetTensorSizeInBytes, OrtStatus *, (const OrtValue *, size_t *)) \
  X(390, TensorTypeAndShape_HasShape, bool, (const OrtTensorTypeAndShapeInfo *)) \
  X(414, GetTensorElementTypeAndShapeDataReference, OrtStatus *, (const OrtValue *, int *, const int64_t **, size_t *))

#define ORT_FIELD(slot, name, result, args) result(*name) args;
typedef struct {
  ORT_FUNCTIONS(ORT_FIELD)
} ort_api;
