// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checking, encoding and launching a product.

#include "Kernel.h"

#include <algorithm>
#include <cinttypes>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Operand;

namespace {

/// An operand's storage, as the caller gave it and as the problem asks for it.
struct Storage {
  const char *name = "";
  fp8gemm_matrix matrix{};
  int64_t rows = 0, columns = 0;
  int elementBytes = 1;
  /// Bytes that the pointer and the rows must be multiples of.
  int alignment = 1;
};

/// Room for one kernel parameter of any kind.
union ParamValue {
  cuda::CUtensorMap map;
  void *pointer;
  int32_t number;
};

} // namespace

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// What TMA asks of global memory, and (C13) of fp8gemm.gemm of A, B and D.
constexpr int kTmaAlignment = 16;

static Storage describe(const format::Manifest &manifest, const fp8gemm_gemm_args &args, Operand operand) {
  const format::Problem &problem = *manifest.problem();
  int64_t m = args.m, n = problem.n(), k = problem.k();
  auto bytes = [](format::ElementType type) { return int(format::detail::bytesOf(type)); };
  auto scales = [&](const char *name, fp8gemm_matrix matrix, int64_t blockRows, int64_t blockColumns,
                    format::ScaleLayout layout) {
    bool kMajor = layout == format::ScaleLayout::KMajor;
    Storage storage{name, matrix, kMajor ? blockRows : blockColumns, kMajor ? blockColumns : blockRows, 4, 4};
    for (const format::Param *param : *manifest.params())
      if (param->operand() == operand && param->kind() == format::ParamKind::TensorMap)
        storage.alignment = kTmaAlignment;
    return storage;
  };
  switch (operand) {
  case Operand::A:
    return {"a", args.a, m, k, bytes(problem.a()), kTmaAlignment};
  case Operand::B:
    return {"b", args.b, n, k, bytes(problem.b()), kTmaAlignment};
  case Operand::C:
    return {"c", args.c, m, n, bytes(problem.d()), kTmaAlignment};
  case Operand::D:
    return {"d", args.d, m, n, bytes(problem.d()), kTmaAlignment};
  case Operand::ScaleA:
    return scales("sfa", args.sfa, ceilDiv(m, problem.sfa_block_rows()), ceilDiv(k, problem.sfa_block_columns()),
                  problem.sfa_layout());
  case Operand::ScaleB:
    return scales("sfb", args.sfb, ceilDiv(n, problem.sfb_block_rows()), ceilDiv(k, problem.sfb_block_columns()),
                  problem.sfb_layout());
  case Operand::None:
    break;
  }
  return {};
}

static fp8gemm_status checkStorage(const Storage &storage) {
  const char *name = storage.name;
  if (!storage.matrix.data)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected '%s' to be a device pointer, got null", name);
  if (reinterpret_cast<uintptr_t>(storage.matrix.data) % storage.alignment)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected the pointer of '%s' to be a multiple of %d bytes, got %p", name,
                storage.alignment, storage.matrix.data);
  int64_t leading = storage.matrix.leading_dimension;
  if (leading < storage.columns)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected the leading dimension of '%s' to be at least its row length of %" PRId64
                " elements, got %" PRId64,
                name, storage.columns, leading);
  // The kernel counts elements in 32 bits; TMA allows strides below 2^40 bytes.
  if (leading > INT32_MAX)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected the leading dimension of '%s' to be below 2^31 elements, got %" PRId64, name, leading);
  if (leading * storage.elementBytes % storage.alignment)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected the leading dimension of '%s' to be a multiple of %d bytes (%d elements), got %" PRId64
                " elements",
                name, storage.alignment, storage.alignment / storage.elementBytes, leading);
  return FP8GEMM_OK;
}

/// True if a byte of one may be a byte of the other. Rows of the same pitch, as those of two parts of
/// one matrix, are compared exactly; else the ranges of addresses are.
static bool overlap(const Storage &x, const Storage &y) {
  auto begin = [](const Storage &s) { return reinterpret_cast<uintptr_t>(s.matrix.data); };
  auto pitch = [](const Storage &s) { return uintptr_t(s.matrix.leading_dimension) * s.elementBytes; };
  auto row = [](const Storage &s) { return uintptr_t(s.columns) * s.elementBytes; };
  auto end = [&](const Storage &s) { return begin(s) + (s.rows - 1) * pitch(s) + row(s); };
  const Storage &first = begin(x) <= begin(y) ? x : y, &second = begin(x) <= begin(y) ? y : x;
  if (x.rows == 0 || y.rows == 0 || end(first) <= begin(second))
    return false;
  if (pitch(first) != pitch(second))
    return true;
  uintptr_t behind = (begin(second) - begin(first)) % pitch(first);
  return behind < row(first) || behind + row(second) > pitch(first);
}

/// C is given where it is added, in place where the kernel adds in place.
static fp8gemm_status checkC(const format::Manifest &manifest, const fp8gemm_gemm_args &args) {
  const char *kernel = manifest.entry()->c_str();
  switch (manifest.problem()->c()) {
  case format::CUse::None:
    if (args.c.data)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected 'c' to be null, since kernel '%s' adds no C, got %p", kernel,
                  args.c.data);
    return FP8GEMM_OK;
  case format::CUse::Apart:
    return checkStorage(describe(manifest, args, Operand::C));
  case format::CUse::InPlace:
    if (args.c.data == args.d.data && args.c.leading_dimension == args.d.leading_dimension)
      return FP8GEMM_OK;
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected 'c' to be 'd' (the same pointer and leading dimension), since kernel '%s' adds in place, got "
                "%p and %" PRId64,
                kernel, args.c.data, args.c.leading_dimension);
  }
  return FP8GEMM_OK;
}

/// D overlaps no operand but, where the kernel adds in place, C.
static fp8gemm_status checkOverlap(const format::Manifest &manifest, const fp8gemm_gemm_args &args) {
  Storage d = describe(manifest, args, Operand::D);
  bool apart = manifest.problem()->c() == format::CUse::Apart;
  for (Operand operand : {Operand::A, Operand::ScaleA, Operand::B, Operand::ScaleB, Operand::C}) {
    if (operand == Operand::C && !apart)
      continue;
    Storage other = describe(manifest, args, operand);
    if (overlap(d, other))
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected 'd' not to overlap '%s'%s", other.name,
                  operand == Operand::C ? "; to add in place, compile a kernel that does" : "");
  }
  return FP8GEMM_OK;
}

static fp8gemm_status checkArgs(const format::Manifest &manifest, const fp8gemm_gemm_args &args) {
  const format::Problem &problem = *manifest.problem();
  if (args.m < 0 || args.m > INT32_MAX)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected m in [0, 2^31 - 1], got %" PRId64, args.m);
  if (problem.m() >= 0 && args.m != problem.m())
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected m = %" PRId64 ", the only one that kernel '%s' was compiled for, got %" PRId64, problem.m(),
                manifest.entry()->c_str(), args.m);
  if (args.m == 0)
    return FP8GEMM_OK;
  for (Operand operand : {Operand::A, Operand::ScaleA, Operand::B, Operand::ScaleB, Operand::D})
    if (fp8gemm_status status = checkStorage(describe(manifest, args, operand)))
      return status;
  if (fp8gemm_status status = checkC(manifest, args))
    return status;
  return checkOverlap(manifest, args);
}

static cuda::CUresult encode(const cuda::Driver &driver, const format::Param &param, const Storage &storage,
                             cuda::CUtensorMap &map) {
  int type = cuda::CU_TENSOR_MAP_DATA_TYPE_UINT8; // FP8 has no type of its own
  if (param.element() == format::ElementType::F32)
    type = cuda::CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  else if (param.element() == format::ElementType::BF16)
    type = cuda::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  int swizzle = param.swizzle_bytes() == 128  ? cuda::CU_TENSOR_MAP_SWIZZLE_128B
                : param.swizzle_bytes() == 64 ? cuda::CU_TENSOR_MAP_SWIZZLE_64B
                : param.swizzle_bytes() == 32 ? cuda::CU_TENSOR_MAP_SWIZZLE_32B
                                              : cuda::CU_TENSOR_MAP_SWIZZLE_NONE;
  int promotion = param.l2_promotion_bytes() == 256   ? cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_256B
                  : param.l2_promotion_bytes() == 128 ? cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_128B
                  : param.l2_promotion_bytes() == 64  ? cuda::CU_TENSOR_MAP_L2_PROMOTION_L2_64B
                                                      : cuda::CU_TENSOR_MAP_L2_PROMOTION_NONE;
  // The driver lists dimensions innermost first.
  uint64_t extents[] = {uint64_t(storage.columns), uint64_t(storage.rows)};
  uint64_t strides[] = {uint64_t(storage.matrix.leading_dimension) * storage.elementBytes};
  uint32_t box[] = {param.box()->Get(1), param.box()->Get(0)};
  uint32_t elementStrides[] = {1, 1};
  return driver.tensorMapEncodeTiled(&map, type, 2, storage.matrix.data, extents, strides, box, elementStrides,
                                     cuda::CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, promotion,
                                     cuda::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

/// The kernel runs where its stream lives; tensor maps and pointers are the current
/// context's. A difference would be an obscure error of the driver, or worse.
static fp8gemm_status checkStream(const cuda::Driver &driver, cuda::CUstream stream) {
  auto handle = reinterpret_cast<uintptr_t>(stream);
  if (handle == 0 || handle == cuda::CU_STREAM_LEGACY || handle == cuda::CU_STREAM_PER_THREAD)
    return FP8GEMM_OK;
  cuda::CUcontext current = nullptr, owner = nullptr;
  if (auto result = driver.ctxGetCurrent(&current))
    return failedCall(driver, result, "cuCtxGetCurrent");
  if (auto result = driver.streamGetCtx(stream, &owner))
    return failedCall(driver, result, "cuStreamGetCtx");
  if (current != owner)
    return fail(FP8GEMM_WRONG_CONTEXT,
                "expected a stream of the current context %p, got one of context %p; make the stream's context current "
                "(cuCtxSetCurrent, cudaSetDevice)",
                static_cast<void *>(current), static_cast<void *>(owner));
  return FP8GEMM_OK;
}

static fp8gemm_status launch(const fp8gemm_kernel &kernel, const cuda::Driver &driver, const fp8gemm_gemm_args &args,
                             cuda::CUstream stream, int residentClusters) {
  const format::Manifest &manifest = kernel.manifest();
  const format::Problem &problem = *manifest.problem();
  int64_t clusters = ceilDiv(ceilDiv(args.m, manifest.tile_m()), manifest.cluster_m()) *
                     ceilDiv(ceilDiv(problem.n(), manifest.tile_n()), manifest.cluster_n());
  if (clusters * kernel.cluster() > INT32_MAX)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected less than 2^31 CTAs for tiles of %u x %u, got %" PRId64,
                manifest.tile_m(), manifest.tile_n(), clusters * kernel.cluster());
  // Persistent, but for a split K.
  if (manifest.split_k() == 1)
    clusters = std::min<int64_t>(clusters, residentClusters);

  ParamValue values[kMaxParams];
  void *params[kMaxParams];
  unsigned count = 0;
  for (const format::Param *param : *manifest.params()) {
    ParamValue &value = values[count];
    params[count++] = &value;
    Storage storage = describe(manifest, args, param->operand());
    switch (param->kind()) {
    case format::ParamKind::TensorMap:
      if (auto result = encode(driver, *param, storage, value.map)) {
        std::string call = std::string("cuTensorMapEncodeTiled for '") + storage.name + "'";
        return failedCall(driver, result, call.c_str());
      }
      break;
    case format::ParamKind::Pointer:
      // The kernel addresses its elements in 32 bits.
      if (storage.rows * storage.matrix.leading_dimension > INT32_MAX)
        return fail(FP8GEMM_INVALID_ARGUMENT,
                    "expected '%s' to have less than 2^31 elements, got %" PRId64 " rows %" PRId64 " apart",
                    storage.name, storage.rows, storage.matrix.leading_dimension);
      value.pointer = storage.matrix.data;
      break;
    case format::ParamKind::LeadingDimension:
      value.number = int32_t(storage.matrix.leading_dimension);
      break;
    case format::ParamKind::ExtentM:
      value.number = int32_t(args.m);
      break;
    }
  }

  cuda::CUlaunchAttribute attribute;
  cuda::CUlaunchConfig config = kernel.launchConfig(clusters, attribute);
  config.hStream = stream;
  // A CUkernel stands for the function of the current context.
  auto function = reinterpret_cast<cuda::CUfunction>(kernel.function);
  if (auto result = driver.launchKernelEx(&config, function, params, nullptr))
    return failedCall(driver, result, "cuLaunchKernelEx");
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_gemm(fp8gemm_kernel *kernel, const fp8gemm_gemm_args *args, CUstream_st *stream) {
  return guarded([&] {
    if (!kernel || !args)
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel and its arguments, got null");
    if (args->size != sizeof(*args))
      return fail(FP8GEMM_INVALID_ARGUMENT, "expected size = %zu in fp8gemm_gemm_args, got %zu", sizeof(*args),
                  args->size);
    if (fp8gemm_status status = checkArgs(kernel->manifest(), *args))
      return status;
    if (args->m == 0)
      return FP8GEMM_OK;
    std::string error;
    const cuda::Driver *driver = cuda::Driver::get(error);
    if (!driver)
      return fail(FP8GEMM_NO_DRIVER, "%s", error.c_str());
    int clusters = 0;
    if (fp8gemm_status status = kernel->load(*driver, clusters))
      return status;
    if (fp8gemm_status status = checkStream(*driver, stream))
      return status;
    return launch(*kernel, *driver, *args, stream, clusters);
  });
}
