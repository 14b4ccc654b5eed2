// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GPUs that the model knows.

#include "fp8gemm/Config/Config.h"

using namespace fp8gemm::config;

/// Shared memory that a CTA of compute capability 9.0 may use (CUDA Programming
/// Guide, "Technical Specifications per Compute Capability": 227 KB).
static constexpr int64_t kSm90SmemBytes = 227 * 1024;

/// Clusters of 1, 2, ... 8 CTAs, one an SM, that run at once on an H200, as cuOccupancyMaxActiveClusters says
/// there: fewer than SMs and GPCs promise. An H100 has the same SMs and GPCs.
static const std::vector<int64_t> kH200Clusters = {132, 66, 39, 30, 22, 17, 15, 15};

const std::vector<Gpu> &fp8gemm::config::knownGpus() {
  // SMs and tensor rate are the data sheets' (the tensor cores of an H20 run at a quarter of the
  // rate). Clock, HBM and L2 of h200-sxm are fitted to measured times (docs/Config.md): the clock is that
  // of short kernels, HBM 94 % of the data sheet's. The others' are scaled from it: by their
  // data sheets, and the clock of h100-sxm by cuBLASLt's times on both.
  static const std::vector<Gpu> gpus = {
      // name       SMs GPCs smem            FLOP/cycle clock  HBM      L2
      {"h100-sxm", 132, 8, kSm90SmemBytes, 8 * 1024, 1.89e9, 3.2e12, 35.5e12, kH200Clusters},
      {"h100-pcie", 114, 7, kSm90SmemBytes, 8 * 1024, 1.67e9, 1.87e12, 24.5e12, {}},
      {"h200-sxm", 132, 8, kSm90SmemBytes, 8 * 1024, 1.87e9, 4.53e12, 35.5e12, kH200Clusters},
      {"h20", 78, 6, kSm90SmemBytes, 2 * 1024, 1.89e9, 3.74e12, 21.9e12, {}},
  };
  return gpus;
}

int64_t fp8gemm::config::residentClusters(const Gpu &gpu, int64_t ctas) {
  if (ctas <= int64_t(gpu.clusters.size()))
    return gpu.clusters[ctas - 1];
  // Not measured: SMs spread over the GPCs as evenly as they go, in pairs (a TPC has two).
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
