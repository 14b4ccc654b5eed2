// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packs for tests, of kernels made without ptxas.

#ifndef FP8GEMM_TEST_UNIT_RUNTIMETESTPACK_H
#define FP8GEMM_TEST_UNIT_RUNTIMETESTPACK_H

#include "PackFile.h"
#include "RuntimeTestKernel.h"

namespace fp8gemm::test {

/// A kernel file whose cubin has the parameters of its manifest.
inline std::string makeMatchingKernelFile(const ManifestSpec &manifest) {
  CubinSpec cubin;
  cubin.entry = manifest.entry;
  cubin.paramBytes.clear();
  for (const ParamSpec &param : manifest.params)
    cubin.paramBytes.push_back(format::detail::bytesOf(param.kind));
  return makeKernelFile(manifest, cubin);
}

/// What the reader says of a kernel file with that manifest; empty: nothing.
inline std::string errorOf(const ManifestSpec &manifest) {
  const std::string bytes = makeMatchingKernelFile(manifest);
  format::KernelFile file;
  return format::readKernelFile(bytes.data(), bytes.size(), file);
}

struct PackSpec {
  std::vector<ManifestSpec> kernels;
  std::vector<format::PlanSpec> plans;
};

inline std::string makePack(const PackSpec &spec) {
  std::vector<std::string> kernels;
  for (const ManifestSpec &kernel : spec.kernels)
    kernels.push_back(makeMatchingKernelFile(kernel));
  return format::writePack("h200-sxm", kernels, spec.plans);
}

/// Kernels 0, 1, 2 for a gemm of N = 4096 and K = 7168, told apart by their shared memory; 3 for N = 512.
inline PackSpec twoProblems() {
  PackSpec spec;
  for (uint32_t smem : {10000, 11000, 12000, 13000}) {
    spec.kernels.emplace_back();
    spec.kernels.back().smemBytes = smem;
    spec.kernels.back().entry = "gemm_" + std::to_string(smem);
  }
  spec.kernels[3].n = 512;
  spec.plans = {{{{1, 0}, {65, 1}, {129, 0}, {1025, 2}}, 4096, false}, {{{1, 3}}, 4096, true}};
  return spec;
}

} // namespace fp8gemm::test

#endif // FP8GEMM_TEST_UNIT_RUNTIMETESTPACK_H
