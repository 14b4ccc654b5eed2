// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checking, encoding and launching a product.

#include "Abi.h"
#include "Call.h"
#include "Kernel.h"

#include <algorithm>
#include <cinttypes>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Grouping;
using format::Operand;

namespace {

/// Room for one kernel parameter of any kind.
union ParamValue {
  cuda::CUtensorMap map;
  void *pointer;
  int32_t number;
  int64_t stride;
};

} // namespace

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
  // The driver lists dimensions innermost first. It takes none that is empty: of a K of 0 nothing is loaded.
  auto extent = [](int64_t value) { return uint64_t(std::max<int64_t>(value, 1)); };
  auto stride = [&](int64_t elements) { return uint64_t(std::max<int64_t>(elements * storage.elementBytes, 16)); };
  uint64_t extents[] = {extent(storage.columns), extent(storage.rows + storage.possibleRows), extent(storage.groups)};
  uint64_t strides[] = {stride(storage.tensor.leading_dimension), stride(storage.tensor.group_stride)};
  uint32_t rank = param.box()->size(), box[3], elementStrides[] = {1, 1, 1};
  std::reverse_copy(param.box()->begin(), param.box()->end(), box);
  return driver.tensorMapEncodeTiled(&map, type, rank, storage.tensor.data, extents, strides, box, elementStrides,
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

/// The clusters that there can be work for; INT64_MAX where that is more than can be counted.
static int64_t clustersOfWork(const Call &call) {
  const format::Manifest &manifest = call.manifest;
  int64_t rows = ceilDiv(ceilDiv(call.m, manifest.tile_m()), manifest.cluster_m());
  int64_t columns = ceilDiv(ceilDiv(call.problem().n(), manifest.tile_n()), manifest.cluster_n());
  int64_t groups = call.problem().groups(), clusters = 0;
  if (call.problem().grouping() == Grouping::RowEnd)
    rows += groups; // each may end within a tile
  bool eachHasRows = format::hasGroups(call.problem(), Operand::D);
  bool tooMany = __builtin_mul_overflow(rows, columns, &clusters) ||
                 __builtin_mul_overflow(clusters, eachHasRows ? groups : 1, &clusters);
  return tooMany ? INT64_MAX : clusters;
}

/// The clusters to launch.
static fp8gemm_status chooseGrid(const fp8gemm_kernel &kernel, const Call &call, const DeviceLimits &limits,
                                 int64_t &clusters) {
  const format::Manifest &manifest = call.manifest;
  int64_t resident = limits.clusters.load(std::memory_order_relaxed);
  if (call.numSms && call.numSms < kernel.cluster())
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected num_sms of at least %u, the CTAs of a cluster of '%s', or 0, got %u", kernel.cluster(),
                manifest.entry()->c_str(), call.numSms);
  if (call.numSms)
    resident = std::min<int64_t>(resident, call.numSms / kernel.cluster());
  clusters = clustersOfWork(call);
  if (clusters > INT32_MAX / kernel.cluster())
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected less than 2^31 CTAs for tiles of %u x %u, got %" PRId64 " clusters",
                manifest.tile_m(), manifest.tile_n(), clusters);
  // Persistent, but for a split K.
  if (manifest.split_k() == 1)
    clusters = std::min(clusters, resident);
  else if (call.numSms && call.numSms < uint32_t(limits.sms) && clusters * kernel.cluster() > call.numSms)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected num_sms of at least %" PRId64
                ", the CTAs of kernel '%s', which splits K and has a cluster for "
                "each tile, or 0, got %u; choose one that doesn't split K",
                clusters * kernel.cluster(), manifest.entry()->c_str(), call.numSms);
  if (manifest.workspace_bytes_per_cta())
    clusters = std::min<int64_t>(clusters, format::kMaxWorkspaceCtas / kernel.cluster());
  return FP8GEMM_OK;
}

static fp8gemm_status fillParam(const cuda::Driver &driver, const Call &call, const format::Param &param,
                                ParamValue &value) {
  Storage storage = describe(call, param.operand());
  switch (param.kind()) {
  case format::ParamKind::TensorMap:
    if (auto result = encode(driver, param, storage, value.map)) {
      std::string what = std::string("cuTensorMapEncodeTiled for '") + storage.name + "'";
      return failedCall(driver, result, what.c_str());
    }
    break;
  case format::ParamKind::Pointer:
    // The kernel addresses its elements, of a group, in 32 bits.
    if (storage.rows * storage.tensor.leading_dimension > INT32_MAX)
      return fail(FP8GEMM_INVALID_ARGUMENT,
                  "expected '%s' to have less than 2^31 elements, got %" PRId64 " rows %" PRId64 " apart", storage.name,
                  storage.rows, storage.tensor.leading_dimension);
    value.pointer = storage.tensor.data;
    break;
  case format::ParamKind::LeadingDimension:
    value.number = int32_t(storage.tensor.leading_dimension);
    break;
  case format::ParamKind::ExtentM:
    value.number = int32_t(call.m);
    break;
  case format::ParamKind::ExtentK:
    value.number = int32_t(call.k);
    break;
  case format::ParamKind::GroupStride:
    value.stride = storage.tensor.group_stride;
    break;
  }
  return FP8GEMM_OK;
}

static fp8gemm_status launch(const fp8gemm_kernel &kernel, const cuda::Driver &driver, const Call &call,
                             cuda::CUstream stream, const DeviceLimits &limits) {
  int64_t clusters = 0;
  if (fp8gemm_status status = chooseGrid(kernel, call, limits, clusters))
    return status;
  ParamValue values[kMaxParams];
  void *params[kMaxParams];
  unsigned count = 0;
  for (const format::Param *param : *call.manifest.params()) {
    params[count] = &values[count];
    if (fp8gemm_status status = fillParam(driver, call, *param, values[count++]))
      return status;
  }

  LaunchAttributes attributes;
  cuda::CUlaunchConfig config = kernel.launchConfig(clusters, attributes);
  if (call.flags & FP8GEMM_DEPENDENT_LAUNCH)
    attributes[config.numAttrs++] = {cuda::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION, {1}};
  config.hStream = stream;
  // A CUkernel stands for the function of the current context.
  auto function = reinterpret_cast<cuda::CUfunction>(kernel.function);
  if (auto result = driver.launchKernelEx(&config, function, params, nullptr))
    return failedCall(driver, result, "cuLaunchKernelEx");
  return FP8GEMM_OK;
}

static fp8gemm_status run(fp8gemm_kernel &kernel, const Call &call, cuda::CUstream stream) {
  if (fp8gemm_status status = checkCall(call))
    return status;
  if (call.hasNoWork())
    return FP8GEMM_OK;
  std::string error;
  const cuda::Driver *driver = cuda::Driver::get(error);
  if (!driver)
    return fail(FP8GEMM_NO_DRIVER, "%s", error.c_str());
  const DeviceLimits *limits = nullptr;
  if (fp8gemm_status status = kernel.load(*driver, limits))
    return status;
  if (fp8gemm_status status = checkStream(*driver, stream))
    return status;
  if (call.flags & FP8GEMM_CHECK_GROUPS)
    if (fp8gemm_status status = checkGroups(call, *driver, stream))
      return status;
  return launch(kernel, *driver, call, stream, *limits);
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

/// Whether `function` launches this kernel; the caller's struct in the words of this library.
template <typename Args>
static fp8gemm_status checkEntry(const fp8gemm_kernel *kernel, const Args *given, bool grouped, const char *function,
                                 Args &args) {
  if (!kernel || !given)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel and its arguments, got null");
  if (fp8gemm_status status = readStruct(given, args))
    return status;
  const format::Manifest &manifest = kernel->manifest();
  if (grouped != (manifest.problem()->grouping() != Grouping::None))
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel of a%s product for %s, got '%s' of op '%s'; call %s",
                grouped ? " grouped" : "n ungrouped", function, manifest.entry()->c_str(),
                manifest.problem()->op()->c_str(), grouped ? "fp8gemm_gemm" : "fp8gemm_grouped_gemm");
  return FP8GEMM_OK;
}

fp8gemm_status fp8gemm_gemm(fp8gemm_kernel *kernel, const fp8gemm_gemm_args *given, CUstream_st *stream) {
  return guarded([&] {
    fp8gemm_gemm_args args;
    if (fp8gemm_status status = checkEntry(kernel, given, /*grouped=*/false, "fp8gemm_gemm", args))
      return status;
    auto tensor = [](const fp8gemm_matrix &matrix) { return fp8gemm_tensor{matrix.data, matrix.leading_dimension, 0}; };
    const format::Manifest &manifest = kernel->manifest();
    Call call{manifest,       args.m,           manifest.problem()->k(), tensor(args.a), tensor(args.sfa),
              tensor(args.b), tensor(args.sfb), tensor(args.c),          tensor(args.d)};
    call.numSms = args.num_sms;
    call.flags = args.flags;
    return run(*kernel, call, stream);
  });
}

fp8gemm_status fp8gemm_grouped_gemm(fp8gemm_kernel *kernel, const fp8gemm_grouped_gemm_args *given,
                                    CUstream_st *stream) {
  return guarded([&] {
    fp8gemm_grouped_gemm_args args;
    if (fp8gemm_status status = checkEntry(kernel, given, /*grouped=*/true, "fp8gemm_grouped_gemm", args))
      return status;
    const format::Manifest &manifest = kernel->manifest();
    bool kGrouped = manifest.problem()->grouping() == Grouping::KCount;
    Call call{manifest,     args.m,         kGrouped ? args.k : manifest.problem()->k(),
              args.a,       args.sfa,       args.b,
              args.sfb,     args.c,         args.d,
              args.groups,  args.workspace, args.workspace_bytes,
              args.num_sms, args.flags};
    return run(*kernel, call, stream);
  });
}
