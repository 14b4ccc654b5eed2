// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers, types and attributes that follow from a product and its config.

#ifndef FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_FACTS_H
#define FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_FACTS_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

namespace fp8gemm {

/// Elements of a K block; rows of a fragment; threads that work together.
constexpr int64_t kBlockK = config::kBlockK, kFragmentRows = 64, kThreadsPerWarp = 32, kThreadsPerWarpgroup = 128;

/// What follows from a product and its config before there is a kernel.
struct Facts {
  Facts(ProductOpInterface product, ConfigAttr config);

  bool isGroupedByK() const { return problem.grouping == config::Grouping::KCount; }
  /// Groups without K blocks have a D, too: what is added to it would be zeros.
  bool storesEmptyGroups() const { return isGroupedByK() && problem.c != config::CUse::InPlace; }
  /// CTAs of a cluster load for each other; those that split K only read each other's accumulators.
  bool sharesRing() const { return config.getClusterM() * config.getClusterN() > 1; }
  /// A and B are the packed matrices of the groups, one after the other.
  bool isFlat() const;
  /// The operand has a matrix for each group: its tensors have rank 3.
  bool hasGroups(hopper::Operand of) const;

  /// The ring of the main loop, and that of C, whose only stage holds the C of a tile.
  hopper::RingType ring() const, ringOfC() const;
  /// Memory of shape [panels, `rows`, panelWidth] for `rows` rows of a tile of C or D.
  mlir::MemRefType panels(int64_t rows) const;
  /// An accumulator, and a fragment of what is stored.
  hopper::FragmentType accumulator() const, result() const;
  /// Of an accumulator's rows and of its columns.
  hopper::ScalesType rowScales() const, columnScales() const;

  /// Which tiles there are, and in which order.
  hopper::TileScheduleAttr tileSchedule() const;
  /// The problem, its groups (null if there are none) and the launch, as the kernel's launcher reads them.
  hopper::ProblemAttr described() const;
  hopper::GroupsAttr groups() const;
  hopper::LaunchAttr launch() const;

  mutable ProductOpInterface product; // accessors of operations are not const
  ConfigAttr config;
  config::Problem problem;
  int64_t tileM, tileN;
  int64_t parts;                 ///< of B and of its tiles: gate and up, or one
  int64_t tileColumns;           ///< of D; rows of a part of a tile of B
  int64_t kBlocks;               ///< of the product; of a product grouped by K, as many as it can have
  std::optional<int64_t> kCount; ///< K blocks of each CTA, if all have as many
  bool swap;                     ///< rows of B are the rows of accumulators
  int64_t columns;               ///< of an accumulator: tile_n or those of a part, or tile_m if swapped
  int64_t fragments;             ///< accumulators of 64 rows that a consumer has
  int64_t results;               ///< fragments of D that it makes of them
  int64_t sums;                  ///< accumulators of a fragment of D, which follow each other
  int64_t columnsPerScale;       ///< columns of D that surely share one B scale
  int64_t cluster;               ///< CTAs that share operands, or a tile's K blocks
  int64_t storedColumns;         ///< columns that one CTA stores: a part of the tile if K is split
  int64_t panelWidth;            ///< columns of a staging panel
  bool isLate;                   ///< the last product of a K block is promoted in the next iteration
  int64_t step;                  ///< K blocks of an iteration
  int64_t unroll;                ///< iterations that hopper-unroll makes one of
};

/// The symbol of its kernel: the same problem and config give the same name.
std::string nameOfKernel(const Facts &facts);

} // namespace fp8gemm

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_FACTS_H
