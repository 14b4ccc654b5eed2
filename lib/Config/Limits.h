// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernel and the machine allow.

#ifndef FP8GEMM_LIB_CONFIG_LIMITS_H
#define FP8GEMM_LIB_CONFIG_LIMITS_H

#include <algorithm>
#include <cstdint>
#include <string>

namespace fp8gemm::config {

/// Rows of one wgmma, hence of one accumulator (PTX ISA, "wgmma.mma_async").
constexpr int64_t kRowsPerBlock = 64;
constexpr int64_t kThreadsPerWarpgroup = 128, kWarpsPerWarpgroup = 4;

/// setmaxnreg takes a multiple of 8 in this range (PTX ISA, "setmaxnreg").
constexpr int64_t kMinRegisters = 24, kMaxRegisters = 256;
constexpr int64_t kRegistersPerSm = 64 * 1024;

/// Elements along each side of a TMA box (cuTensorMapEncodeTiled).
constexpr int64_t kMaxBox = 256;

/// The largest cluster that every GPU of compute capability 9.0 runs (CUDA Programming Guide).
constexpr int64_t kMaxCluster = 8;

/// Registers of a consumer thread beside its accumulators: addresses, the
/// position in the ring, scales, the tile's coordinates.
constexpr int64_t kOtherRegisters = 40;

/// Registers for the arithmetic of an epilogue on one element, and for those that ptxas computes beside it.
constexpr int64_t kEpilogueRegisters = 24;

/// Columns of D that share a scale, of a quantised product.
constexpr int64_t kQuantisedColumns = 128;

/// Rows whose scales the helper warp can carry (k_major scales of A): with 256, ptxas
/// spills under kProducerRegisters.
constexpr int64_t kMaxHelperRows = 128;

/// Scales of a K block that the helper warp can carry with kProducerRegisters: with 208,
/// ptxas spills in some kernels. The registers for more come from the consumers.
constexpr int64_t kMaxHelperScales = 192;
constexpr int64_t kManyScalesProducerRegisters = 56, kManyScalesConsumerRegisters = 224;

/// Where TMA brings all scales there is no helper warp, and the producer's thread needs few registers.
constexpr int64_t kNoScalesProducerRegisters = 24, kNoScalesConsumerRegisters = 240;

/// K blocks of an iteration of the main loop with two partials: if there are as many stages, every address in them is a
/// constant, and ptxas keeps them in registers.
constexpr int64_t kStagesOfIteration = 4;

/// Two consumers share an SM's registers; a lone one may have more, where its accumulators leave it few others.
constexpr int64_t kLoneConsumerRegisters = 248;

/// Columns, times ranks, of which a rank of split K adds up the accumulators: with more ptxas spills.
constexpr int64_t kMaxSummedColumns = 256;

/// Rows of A up to which a schedule with swap_ab is enumerated.
constexpr int64_t kMaxSwappedRows = 128;

/// Rows of tiles that are chosen to be walked together, at most.
constexpr int64_t kMaxRasterGroup = 32;
/// Of raster_group^2 * ceil(N / tile_n): the place of a tile is found by a multiplication (hopper.tiles, C4).
constexpr int64_t kMaxRasterSquare = int64_t(1) << 31;

/// One stage can't overlap loads with math; more than 16 K blocks in flight fill no gap.
constexpr int64_t kMinStages = 2, kMaxStages = 16;

/// Groups that the prologue of a kernel tabulates.
constexpr int64_t kMaxGroups = 1024;

/// Sizes of groups, of the expected one: how far routers of mixtures of experts are from equal.
constexpr double kGroupSizes[] = {0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3};

struct Problem;
struct Config;

/// Scales of a K block that the helper warp brings.
int64_t helperScales(const Problem &problem, const Config &config);
/// Why tiles of this size are illegal, for any number of stages and any registers; empty if they are legal.
std::string checkTile(const Problem &problem, const Config &config);

/// Tiles that cover `extent`; an empty product counts as one row.
inline int64_t tiles(int64_t extent, int64_t tile) { return (std::max<int64_t>(extent, 1) + tile - 1) / tile; }

/// How many tiles there are of so many by so many, or 2^62, where there are more.
inline int64_t product(int64_t rows, int64_t columns) {
  constexpr int64_t kMost = int64_t(1) << 62;
  return rows > kMost / columns ? kMost : rows * columns;
}

} // namespace fp8gemm::config

#endif // FP8GEMM_LIB_CONFIG_LIMITS_H
