// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How each kind of hopper.tiles becomes arithmetic.

#ifndef FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_TILESCHEDULES_H
#define FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_TILESCHEDULES_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace fp8gemm::hopper {

/// What hopper.locate finds.
struct Place {
  mlir::Value row, column, group, end;
};

/// What a role knows of a tile before it is located.
struct Started {
  mlir::Value hasWork; ///< null: it always has
  mlir::Value begin, kBegin, kCount;
};

/// The arithmetic of one kind, emitted at the builder's insertion point.
class TileSchedule {
public:
  /// `index` makes a constant at the top of the kernel.
  TileSchedule(TilesOp tiles, mlir::ImplicitLocOpBuilder &builder, llvm::function_ref<mlir::Value(int64_t)> index)
      : op(tiles), schedule(tiles.getSchedule()), builder(builder), index(index) {}
  virtual ~TileSchedule() = default;

  /// What all tiles share, in front of hopper.tiles.
  virtual void prepare();
  /// What a role knows of a tile by the end of the one before, so that none of it delays the tile's first K block: none,
  /// or values that the loop carries to start(). A `tile` that does not exist stands for the last one.
  virtual llvm::SmallVector<mlir::Value> lookUp(mlir::Value) { return {}; }
  /// At the start of a tile; `usesBegin`: whether the role asks for its group's begin.
  virtual Started start(mlir::Value tile, mlir::ValueRange lookedUp, bool usesBegin);
  virtual Place locate(mlir::Value tile) = 0;

  /// The loop over the numbers of this CTA's tiles. A kind without a loop has only `first`.
  bool isLoop() { return schedule.getSplitK() == 1; }
  mlir::Value first, end, step;

  static std::unique_ptr<TileSchedule> create(TilesOp tiles, mlir::ImplicitLocOpBuilder &builder,
                                              llvm::function_ref<mlir::Value(int64_t)> index);

protected:
  /// How many rows of tiles there are.
  virtual mlir::Value countTileRows();
  /// How many tiles, of that many in a matrix.
  virtual mlir::Value countTiles(mlir::Value inMatrix) { return inMatrix; }
  /// All matrices have as many rows of tiles, so that what raster order divides by is known before the roles.
  virtual bool hasDivisor() { return true; }

  /// The group that is number `position` in the order of tiles.
  mlir::Value groupAt(mlir::Value position);
  mlir::Value ceilDiv(mlir::Value extent, int64_t divisor);
  /// Where tile number `tile` of a matrix is, in raster order.
  Place locateIn(mlir::Value tile, mlir::Value tileRows);

  TilesOp op;
  TileScheduleAttr schedule;
  mlir::ImplicitLocOpBuilder &builder;
  llvm::function_ref<mlir::Value(int64_t)> index;
  mlir::Value tileRows, tileColumns;
  mlir::Value rank; ///< of this CTA in its cluster, if that has several

private:
  void prepareLastRow();
  void prepareDivisor();
  std::pair<mlir::Value, mlir::Value> raster(mlir::Value tile, mlir::Value tileRows);

  mlir::Value lastRow; ///< that a tile starts at; null if tiles may end beyond the rows
  mlir::Value divisor; ///< floor(2^31 / r) + 1 for the r rows of tiles of the last raster, which may have fewer
};

} // namespace fp8gemm::hopper

#endif // FP8GEMM_LIB_DIALECT_HOPPER_TRANSFORMS_TILESCHEDULES_H
