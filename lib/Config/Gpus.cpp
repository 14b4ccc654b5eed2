// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GPUs that the model knows.

#include "fp8gemm/Config/Config.h"

using namespace fp8gemm::config;

/// Shared memory that a CTA of compute capability 9.0 may use (CUDA Programming
/// Guide, "Technical Specifications per Compute Capability": 227 KB).
static constexpr int64_t kSm90SmemBytes = 227 * 1024;

const std::vector<Gpu> &fp8gemm::config::knownGpus() {
  // The clock of h200-sxm is measured under load (docs/performance-log.md), that of h100-sxm
  // scaled from it by cuBLASLt's times on both. SMs and tensor rate are the data sheets' (the
  // tensor cores of an H20 run at a quarter of the rate), HBM is 90 % of the data sheet's; the
  // other clocks and L2 are scaled, not measured.
  static const std::vector<Gpu> gpus = {
      // name       SMs GPCs smem            FLOP/cycle clock  HBM      L2
      {"h100-sxm", 132, 8, kSm90SmemBytes, 8 * 1024, 1.60e9, 3.0e12, 13.0e12},
      {"h100-pcie", 114, 7, kSm90SmemBytes, 8 * 1024, 1.30e9, 1.8e12, 9.0e12},
      {"h200-sxm", 132, 8, kSm90SmemBytes, 8 * 1024, 1.50e9, 4.3e12, 13.0e12},
      {"h20", 78, 6, kSm90SmemBytes, 2 * 1024, 1.80e9, 3.6e12, 8.0e12},
  };
  return gpus;
}

int64_t fp8gemm::config::residentClusters(const Gpu &gpu, int64_t ctas) {
  // SMs are spread over the GPCs as evenly as they go, in pairs (a TPC has two).
  int64_t clusters = 0, pairs = gpu.sms / 2;
  for (int64_t gpc = 0; gpc < gpu.gpcs; ++gpc)
    clusters += 2 * (pairs / gpu.gpcs + (gpc < pairs % gpu.gpcs)) / ctas;
  return ctas == 1 ? gpu.sms : clusters;
}

const Gpu *fp8gemm::config::findGpu(const std::string &name) {
  for (const Gpu &gpu : knownGpus())
    if (gpu.name == name)
      return &gpu;
  return nullptr;
}

std::string fp8gemm::config::unknownGpu(const std::string &name) {
  std::string message = "expected 'gpu' to be one of ";
  for (const Gpu &gpu : knownGpus())
    message += gpu.name + ", ";
  return message + "got '" + name + "'";
}
