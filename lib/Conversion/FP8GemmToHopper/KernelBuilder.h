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

class KernelBuilder {
public:
  KernelBuilder(GemmOp gemm, ConfigAttr config);

  /// The kernel's symbol: the same problem and config give the same name.
  std::string name();

  /// Builds the kernel at the end of `module`.
  void build(mlir::gpu::GPUModuleOp module);

private:
  /// A tile of D: its first row and first column.
  struct Tile {
    mlir::Value row, column;
  };
  /// A stage as a consumer sees it.
  struct Stage {
    mlir::Value slot, a, b, sfa, sfb;
  };

  mlir::gpu::GPUFuncOp createFunction(mlir::gpu::GPUModuleOp module);
  hopper::RingType ringType();
  hopper::RingType cRingType();
  void scheduleTiles();
  void buildProducer();
  void buildHelper();
  void buildConsumer(mlir::Value group);

  /// A persistent loop over this CTA's tiles, after scheduleTiles().
  void forEachTile(llvm::function_ref<void(Tile)> body);
  Stage wait();
  /// The producer's part in adding C to a tile, and the consumers'.
  void loadC(Tile tile);
  llvm::SmallVector<mlir::Value> addC(mlir::Value group, mlir::ValueRange accumulators);
  /// One K block: accumulators in, accumulators out.
  llvm::SmallVector<mlir::Value> accumulate(Stage stage, mlir::Value group, mlir::ValueRange accumulators);
  void store(Tile tile, mlir::Value group, mlir::ValueRange accumulators);
  /// Scales of `k` for the tile's rows or columns, into the helper warp's lanes.
  mlir::Value fetchRowScales(Tile tile, mlir::Value k);
  mlir::Value fetchColumnScales(Tile tile, mlir::Value k);

  /// An index constant at the top of the kernel, one for each value.
  mlir::Value index(int64_t value);
  /// First row, in the tile, of 64-row block `i` of a consumer.
  mlir::Value blockRow(mlir::Value group, int64_t i);
  /// Memory of shape [panels, `rows`, panelWidth] for `rows` x tileN elements of C or D.
  mlir::MemRefType panels(int64_t rows);

  GemmOp gemm;
  ConfigAttr config;
  config::Problem problem;
  int64_t tileM, tileN, kBlocks;
  int64_t blocks;          ///< accumulators of 64 rows a consumer
  int64_t panelWidth;      ///< columns of a staging panel
  int64_t columnsPerScale; ///< columns of a tile that surely share one B scale
  mlir::ImplicitLocOpBuilder builder;

  // Kernel arguments and what every role uses.
  mlir::Value mapA, mapB, sfa, sfb, mapC, mapD, extentM, staging, ring, cRing;
  mlir::Value blockRows, blockColumns, tiles, firstTile, tileStep;
  llvm::DenseMap<int64_t, mlir::Value> constants;
  mlir::Operation *afterConstants = nullptr;
};

} // namespace fp8gemm

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H
