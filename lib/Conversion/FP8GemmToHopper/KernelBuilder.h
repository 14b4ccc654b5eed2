// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the schedule of one product: the hopper IR of a persistent,
// warp-specialised kernel. One builder, varied by config.

#ifndef FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H
#define FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H

#include "fp8gemm/Config/Config.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fp8gemm {

/// Elements of a K block; rows of a fragment; threads that work together.
constexpr int64_t kBlockK = config::kBlockK, kFragmentRows = 64, kThreadsPerWarp = 32, kThreadsPerWarpgroup = 128,
                  kTensorMapBytes = 128;

class KernelBuilder {
public:
  KernelBuilder(ProductOpInterface product, ConfigAttr config);

  /// The kernel's symbol: the same problem and config give the same name.
  std::string name();

  /// Builds the kernel at the end of `module`.
  void build(mlir::gpu::GPUModuleOp module);

private:
  /// A tile of D: its first row and first column, of a grouped product its group, and where that one's rows end.
  struct Tile {
    mlir::Value row, column, group, end;
  };
  /// A stage as a consumer sees it.
  struct Stage {
    mlir::Value slot, a, b, sfa, sfb;
  };

  /// A product in flight, its scales, and the slot if no other product reads it later.
  struct Product {
    mlir::Value partial, rows, columns, lastOf;
  };

  mlir::gpu::GPUFuncOp createFunction(mlir::gpu::GPUModuleOp module);
  /// A and B are packed matrices, one a group, that follow each other.
  bool isFlat();
  /// The description of the groups for the launcher; null if there are none.
  hopper::GroupsAttr groupsAttr();
  hopper::RingType ringType();
  hopper::RingType cRingType();
  void scheduleTiles();
  /// Loads the tile of `map` at (row, column); a tile that the cluster shares, by
  /// every CTA's share and multicast.
  void load(mlir::Value map, mlir::Value row, mlir::Value column, mlir::Value group, mlir::Value buffer,
            mlir::Value slot, bool shared);
  void buildProducer();
  void buildHelper();
  void buildConsumer(mlir::Value group);

  /// A loop over this CTA's tiles, after scheduleTiles(): `body` and `empty` (of groups without K blocks) are
  /// called with the tile.
  void forEachTile(llvm::function_ref<void(mlir::Value)> body, llvm::function_ref<void(mlir::Value)> empty = nullptr);
  hopper::TileKind tileKind();
  /// Where a tile is.
  Tile locate(mlir::Value tile);
  /// Tabulates the groups, and where K is grouped makes tensor maps of each.
  void tabulateGroups();
  /// The tensor map of an operand for a tile: `map`, or its group's where K is grouped.
  mlir::Value mapOf(mlir::Value map, int64_t slot, const Tile &tile);
  /// Where the scales of a tile's `i`th K block are.
  mlir::Value scaleBlock(mlir::Value i);
  /// Rows from the tile's first on that are of its group; null: all that D has.
  mlir::Value storedRows(const Tile &tile);
  /// The offset of the tile's scales from the first scale that TMA loads.
  mlir::Value shiftOfScales();
  /// The row from whose scale on TMA brings those of a tile.
  mlir::Value firstScale(const Tile &tile);
  /// Those of `rows` that are not before `first`.
  mlir::Value restFrom(mlir::Value rows, mlir::Value first);
  /// Stores the first `rows` rows of a block.
  void storePart(Tile block, mlir::Value panel, mlir::Value rows);
  Stage wait();
  /// Whether D is written where a group has no K blocks: not in place.
  bool writesEmptyGroups() const {
    return problem.grouping == config::Grouping::KCount && problem.c != config::CUse::InPlace;
  }
  /// The producer's part in adding C to a tile, and the consumers'.
  void loadC(Tile tile);
  llvm::SmallVector<mlir::Value> addC(mlir::Value group, mlir::ValueRange accumulators);
  /// Of a product's rows and of its columns.
  std::pair<hopper::ScalesType, hopper::ScalesType> scaleTypes();
  /// Issues the product of the consumer's 64-row block `i`, in the registers of `reused`.
  Product multiply(Stage stage, mlir::Value group, int64_t i, mlir::Value reused);
  /// All K blocks of this CTA: accumulators in, accumulators out.
  llvm::SmallVector<mlir::Value> mainLoop(mlir::Value group, llvm::SmallVector<mlir::Value> sums);
  /// The `i`th K block of this CTA.
  mlir::Value kBlock(mlir::Value i);
  /// One K block, one product at a time. Carried are the sums, then the last product of the K block
  /// before and the scales of its rows and columns.
  llvm::SmallVector<mlir::Value> accumulateLate(mlir::Value group, mlir::ValueRange carried);
  /// The sums, with the product that is carried.
  llvm::SmallVector<mlir::Value> promoteCarried(mlir::ValueRange carried);
  /// Some K blocks, with up to `partials` products in flight.
  llvm::SmallVector<mlir::Value> accumulate(int64_t stages, mlir::Value group, mlir::ValueRange accumulators);
  /// The sums of all ranks, of this rank's part of the tile's columns; then stores them.
  void reduceAndStore(Tile tile, mlir::Value group, mlir::ValueRange accumulators);
  void store(Tile tile, mlir::Value group, mlir::ValueRange accumulators);
  /// Scales of `k` for the tile's rows or columns, into the helper warp's lanes.
  mlir::Value fetchRowScales(Tile tile, mlir::Value k);
  mlir::Value fetchColumnScales(Tile tile, mlir::Value k);

  /// An index constant at the top of the kernel, one for each value.
  mlir::Value index(int64_t value);
  /// The part of `buffer` of this shape at these offsets; leading extents of 1 are dropped.
  mlir::Value cut(mlir::Value buffer, llvm::ArrayRef<mlir::OpFoldResult> offsets, llvm::ArrayRef<int64_t> shape);
  /// Number of 64-row block `i` of a consumer among those of the tile.
  mlir::Value fragmentIndex(mlir::Value group, int64_t i);
  /// Memory of shape [panels, `rows`, panelWidth] for `rows` x tileN elements of C or D.
  mlir::MemRefType panels(int64_t rows);

  ProductOpInterface product;
  ConfigAttr config;
  config::Problem problem;
  int64_t tileM, tileN, kBlocks;
  bool swap;               ///< rows of B are the rows of accumulators
  int64_t columns;         ///< of an accumulator: tile_n, or tile_m if swapped
  int64_t blocks;          ///< accumulators of 64 rows a consumer
  int64_t columnsPerScale; ///< columns of D that surely share one B scale
  bool late;               ///< the last product of a K block is promoted in the next iteration
  int64_t cluster;         ///< CTAs that share operands, or a tile's K blocks
  int64_t storedColumns;   ///< columns that one CTA stores: a part of the tile if K is split
  int64_t panelWidth;      ///< columns of a staging panel
  mlir::ImplicitLocOpBuilder builder;

  // Kernel arguments and what every role uses.
  mlir::Value mapA, mapB, sfa, sfb, mapC, mapD, a, b, d, groups, workspace, extentM, extentK, staging, ring, cRing;
  mlir::Value work;                         ///< the tiles, of hopper.tiles
  mlir::Value table;                        ///< of groups, if their rows are known on the device only
  mlir::Value begin;                        ///< of the tile's group, of hopper.for_tiles
  mlir::Value shift;                        ///< of the tile's scales in their buffer, if they don't start it
  llvm::SmallVector<mlir::Value> firstRows; ///< of a consumer's blocks of 64 rows, in the tile
  mlir::Value rank;                         ///< of this CTA in its cluster
  mlir::Value firstBlock, blockCount;       ///< the K blocks of this CTA
  mlir::Value exchange;                     ///< accumulators of split K, for the cluster to read
  llvm::DenseMap<int64_t, mlir::Value> constants;
  mlir::Operation *afterConstants = nullptr;
};

} // namespace fp8gemm

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H
