// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checking, encoding and launching a product or a quantisation.

#include "Abi.h"
#include "CApi.h"
#include "Launch.h"
#include "TensorMaps.h"

#include <algorithm>
#include <cinttypes>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::Grouping;
using format::Operand;

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
  const Facts &facts = call.facts;
  int64_t rows = ceilDiv(uint32_t(call.m), facts.clusterRows), clusters = 0;
  if (facts.problem.grouping == Grouping::RowEnd)
    rows += facts.problem.groups; // each may end within a tile
  bool tooMany = __builtin_mul_overflow(rows, facts.clusterColumns, &clusters) ||
                 __builtin_mul_overflow(clusters, facts.forms[size_t(Operand::D)].groups, &clusters);
  return tooMany ? INT64_MAX : clusters;
}

/// The clusters to launch.
static fp8gemm_status chooseGrid(const Call &call, const DeviceLimits &limits, int64_t &clusters) {
  const Facts &facts = call.facts;
  int64_t resident = limits.clusters.load(std::memory_order_relaxed);
  if (call.numSms && call.numSms < facts.cluster)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected num_sms of at least %u, the CTAs of a cluster of '%s', or 0, got %u", facts.cluster,
                facts.entry, call.numSms);
  if (call.numSms)
    resident = std::min<int64_t>(resident, call.numSms / facts.cluster);
  clusters = clustersOfWork(call);
  // A persistent kernel counts to the end of its last round in 32 bits; of another one each is in the grid.
  int64_t most = facts.splitK == 1 ? INT32_MAX - resident : INT32_MAX / facts.cluster;
  if (clusters > most)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected at most %" PRId64 " clusters' work for kernel '%s', which counts it in 32 bits, got %" PRId64
                " with tiles of %u x %u; split the product, or compile it with larger tiles",
                most, facts.entry, clusters, facts.tileM, facts.tileN);
  // Persistent, except with split K.
  if (facts.splitK == 1)
    clusters = std::min(clusters, resident);
  else if (call.numSms && call.numSms < uint32_t(limits.sms) && clusters * facts.cluster > call.numSms)
    return fail(FP8GEMM_INVALID_ARGUMENT,
                "expected num_sms of at least %" PRId64
                ", the CTAs of kernel '%s', which splits K and has a cluster for "
                "each tile, or 0, got %u; choose one that doesn't split K",
                clusters * facts.cluster, facts.entry, call.numSms);
  if (facts.workspaceBytes)
    clusters = std::min<int64_t>(clusters, format::kMaxWorkspaceCtas / facts.cluster);
  return FP8GEMM_OK;
}

static fp8gemm_status fillParam(const cuda::Driver &driver, TensorMapCache &maps, const Call &call, int device,
                                const Facts::Param &param, Launch::Value &value) {
  switch (param.kind) {
  case format::ParamKind::TensorMap:
    return makeTensorMap(driver, maps, *param.inManifest, call[param.operand], device, value.map);
  case format::ParamKind::Pointer:
    value.pointer = call[param.operand].tensor.data;
    break;
  case format::ParamKind::LeadingDimension:
    value.stride = call[param.operand].tensor.leading_dimension;
    break;
  case format::ParamKind::ExtentM:
    value.extent = int32_t(call.m);
    break;
  case format::ParamKind::ExtentK:
    value.extent = int32_t(call.k);
    break;
  case format::ParamKind::GroupStride:
    value.stride = call[param.operand].tensor.group_stride;
    break;
  }
  return FP8GEMM_OK;
}

fp8gemm_status runtime::prepare(fp8gemm_kernel &kernel, Call &call, const cuda::Driver &driver, cuda::CUstream stream,
                                Launch &launch) {
  const DeviceLimits *limits = nullptr;
  if (fp8gemm_status status = kernel.load(driver, limits))
    return status;
  if (fp8gemm_status status = checkStream(driver, stream))
    return status;
  if (call.flags & FP8GEMM_CHECK_GROUPS)
    if (fp8gemm_status status = checkGroups(call, driver, stream))
      return status;
  int64_t clusters = 0;
  if (fp8gemm_status status = chooseGrid(call, *limits, clusters))
    return status;
  unsigned count = 0;
  for (const Facts::Param &param : call.facts.params) {
    Launch::Value &value = launch.values[count];
    launch.params[count++] = &value;
    if (fp8gemm_status status = fillParam(driver, *kernel.maps, call, kernel.deviceOf(*limits), param, value))
      return status;
  }
  kernel.configure(clusters, launch.attributes, launch.config);
  launch.config.hStream = stream;
  if (call.flags & FP8GEMM_DEPENDENT_LAUNCH)
    launch.attributes[launch.config.numAttrs++] = {cuda::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION, {1}};
  // A CUkernel stands for the function of the current context.
  launch.function = reinterpret_cast<cuda::CUfunction>(kernel.function);
  return FP8GEMM_OK;
}

static fp8gemm_status run(fp8gemm_kernel &kernel, Call &call, cuda::CUstream stream) {
  if (fp8gemm_status status = checkCall(call))
    return status;
  if (call.hasNoWork())
    return FP8GEMM_OK;
  std::string error;
  const cuda::Driver *driver = cuda::Driver::get(error);
  if (!driver)
    return fail(FP8GEMM_NO_DRIVER, "%s", error.c_str());
  Launch launch;
  if (fp8gemm_status status = prepare(kernel, call, *driver, stream, launch))
    return status;
  if (auto result = driver->launchKernelEx(&launch.config, launch.function, launch.params, nullptr))
    return failedCall(*driver, result, "cuLaunchKernelEx");
  return FP8GEMM_OK;
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

namespace {
/// What a function of the API launches.
struct Entry {
  const char *function, *what;
};
} // namespace

constexpr Entry kGemm{"fp8gemm_gemm", "an ungrouped product"},
    kGroupedGemm{"fp8gemm_grouped_gemm", "a grouped product"}, kQuantize{"fp8gemm_quantize", "a quantisation"};

static const Entry &entryOf(const format::Problem &problem) {
  return isQuantisation(problem) ? kQuantize : problem.grouping == Grouping::None ? kGemm : kGroupedGemm;
}

/// Whether `entry` launches this kernel; the caller's struct in the words of this library.
template <typename Args>
static fp8gemm_status checkEntry(const fp8gemm_kernel *kernel, const Args *given, const Entry &entry, Args &args) {
  if (!kernel || !given)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel and its arguments, got null");
  if (fp8gemm_status status = readStruct(given, args))
    return status;
  const Facts &facts = kernel->facts;
  if (const Entry &right = entryOf(facts.problem); &right != &entry)
    return fail(FP8GEMM_INVALID_ARGUMENT, "expected a kernel of %s for %s, got '%s' of op '%s'; call %s", entry.what,
                entry.function, facts.entry, format::factsOf(facts.problem).op, right.function);
  return FP8GEMM_OK;
}

/// The call of a struct of arguments.
template <typename Args>
static Call makeCall(const fp8gemm_kernel &kernel, const Args &args, int64_t k, size_t workspaceBytes) {
  Call call{kernel.facts, args.m, k, workspaceBytes, args.num_sms, args.flags};
  for (const format::ArgumentPlace &place : format::Arguments<Args>::kPlaces)
    call[place.operand].tensor = format::readArgument(args, place);
  return call;
}

Call runtime::makeCall(const fp8gemm_kernel &kernel, const fp8gemm_gemm_args &args) {
  return ::makeCall(kernel, args, kernel.facts.problem.k, 0);
}

fp8gemm_status fp8gemm_gemm(fp8gemm_kernel *kernel, const fp8gemm_gemm_args *given, CUstream_st *stream) {
  return guarded([&] {
    fp8gemm_gemm_args args;
    if (fp8gemm_status status = checkEntry(kernel, given, kGemm, args))
      return status;
    Call call = makeCall(*kernel, args);
    return run(*kernel, call, stream);
  });
}

fp8gemm_status fp8gemm_quantize(fp8gemm_kernel *kernel, const fp8gemm_quantize_args *given, CUstream_st *stream) {
  return guarded([&] {
    fp8gemm_quantize_args args;
    if (fp8gemm_status status = checkEntry(kernel, given, kQuantize, args))
      return status;
    Call call = ::makeCall(*kernel, args, kernel->facts.problem.k, 0);
    return run(*kernel, call, stream);
  });
}

fp8gemm_status fp8gemm_grouped_gemm(fp8gemm_kernel *kernel, const fp8gemm_grouped_gemm_args *given,
                                    CUstream_st *stream) {
  return guarded([&] {
    fp8gemm_grouped_gemm_args args;
    if (fp8gemm_status status = checkEntry(kernel, given, kGroupedGemm, args))
      return status;
    int64_t k = kernel->facts.problem.grouping == Grouping::KCount ? args.k : kernel->facts.problem.k;
    Call call = ::makeCall(*kernel, args, k, args.workspace_bytes);
    return run(*kernel, call, stream);
  });
}
