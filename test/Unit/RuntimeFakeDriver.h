// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stand-in for libcuda: records what it is asked, and fails on demand. The runtime
// opens it through FP8GEMM_LIBCUDA; a test reaches its state through fakeCuda().

#ifndef FP8GEMM_TEST_UNIT_RUNTIMEFAKEDRIVER_H
#define FP8GEMM_TEST_UNIT_RUNTIMEFAKEDRIVER_H

#include "CudaDriver.h"

#include <map>
#include <string>
#include <vector>

namespace fp8gemm::test {

struct FakeMap {
  int type;
  void *address;
  std::vector<uint64_t> extents, strides;
  std::vector<uint32_t> box, elementStrides;
  int interleave, swizzle, promotion, oobFill;
};

struct FakeLaunch {
  cuda::CUlaunchConfig config;
  cuda::CUfunction function;
  cuda::CUcontext context;
  std::vector<std::string> params; ///< the bytes of each
  unsigned cluster;                ///< 1 without the attribute
  bool dependent;                  ///< may start before the previous kernel's end
};

struct FakeCuda {
  // What each device is.
  int device = 0, major = 9, minor = 0, sms = 132, smemOptin = 232448, activeClusters = 60;
  /// Where nothing else is current: of `device`, as all contexts that are not in `devices`.
  cuda::CUcontext current = reinterpret_cast<cuda::CUcontext>(0x100);
  std::map<cuda::CUcontext, int> devices;
  std::map<cuda::CUstream, cuda::CUcontext> streams;
  /// Calls that fail, and how.
  std::map<std::string, int> failures;

  // What happened.
  std::vector<std::string> calls;
  std::vector<FakeMap> maps; ///< a CUtensorMap's first word is its index here
  std::vector<FakeLaunch> launches;
  std::vector<uint32_t> paramBytes; ///< set by the test: how much to record of each parameter
  std::string loadedCode, loadedEntry;
  std::map<int, int> smemOfDevice;
  std::vector<cuda::CUcontext> loadedInto; ///< contexts of cuFuncLoad, in order
  unsigned askedCluster = 0;               ///< of cuOccupancyMaxActiveClusters
  int liveLibraries = 0;
  std::string askedGlobal;                           ///< of cuLibraryGetGlobal
  size_t globalBytes = 8;                            ///< its size
  std::map<cuda::CUcontext, cuda::CUdeviceptr> globals; ///< its value
  std::map<void *, size_t> registered;               ///< by cuMemHostRegister

  /// Called by each launch, where set.
  void (*kernel)(void **params) = nullptr;
};

} // namespace fp8gemm::test

extern "C" fp8gemm::test::FakeCuda *fakeCuda();

#endif // FP8GEMM_TEST_UNIT_RUNTIMEFAKEDRIVER_H
