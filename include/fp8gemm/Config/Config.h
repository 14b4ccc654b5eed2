// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problem + GPU -> schedule. Plain C++: no MLIR, so that it can be read, tested
// and reused alone.

#ifndef FP8GEMM_CONFIG_CONFIG_H
#define FP8GEMM_CONFIG_CONFIG_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fp8gemm::config {

/// Elements of K that share a scale, and that one ring stage holds.
constexpr int64_t kBlockK = 128;

/// How scales are stored (see #fp8gemm.scale).
enum class ScaleLayout { KMajor, MnMajor };

/// D[m, n] = A[m, k] * B[n, k]^T with 1x128 scales for A and 128x128 for B.
struct Problem {
  std::optional<int64_t> m; ///< rows of A; none: any M
  int64_t n = 0, k = 0;
  ScaleLayout sfa = ScaleLayout::MnMajor, sfb = ScaleLayout::KMajor;
};

/// What the model knows of a GPU. Data, never constants of a kernel.
struct Gpu {
  std::string name;
  int64_t sms;                  ///< streaming multiprocessors
  int64_t smemBytes;            ///< shared memory that a CTA may use
  double clockHz;               ///< SM clock under tensor load
  double hbmBytesPerSecond;     ///< what a read kernel attains
  double l2BytesPerSecond;      ///< L2 to all SMs
};

/// The schedule; the fields are those of #fp8gemm.config.
struct Config {
  int64_t tileM = 0, tileN = 0, stages = 0, consumers = 0;
  int64_t producerRegisters = 0, consumerRegisters = 0, rasterGroup = 0;
};

/// A legal config and its modelled time.
struct Candidate {
  Config config;
  double microseconds;
  std::string reason; ///< waves, bound by what: one line for --explain
};

/// The known GPUs, h100-sxm first.
const std::vector<Gpu> &knownGpus();

/// The GPU of that name, or null.
const Gpu *findGpu(const std::string &name);

/// Columns that share one B scale wherever a tile of `tileN` columns starts:
/// gcd(tileN, 128).
int64_t scaleColumnsPerBlock(int64_t tileN);

/// Columns of one staging panel (one TMA store): the largest of 64, 32, 16 that
/// divides `tileN`.
int64_t panelColumns(int64_t tileN);

/// Shared memory of a kernel with this config (bytes); equals what SmemLayout
/// computes from its IR.
int64_t smemBytes(const Problem &problem, const Config &config);

/// Empty if `config` is legal for `problem` on `gpu`, else what is wrong:
/// "expected ..., got ...".
std::string check(const Problem &problem, const Gpu &gpu, const Config &config);

/// Every legal config, best first. `expectedM` stands in for a dynamic M.
std::vector<Candidate> enumerate(const Problem &problem, const Gpu &gpu, int64_t expectedM);

/// Fills the fields that are 0 with what follows from the others (consumers from
/// the tile, registers from consumers, the most stages that fit).
Config complete(const Problem &problem, const Gpu &gpu, Config config);

} // namespace fp8gemm::config

#endif // FP8GEMM_CONFIG_CONFIG_H
