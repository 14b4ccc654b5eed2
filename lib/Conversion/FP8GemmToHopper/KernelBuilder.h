// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the schedule of one product: the hopper IR of a persistent, warp-specialised kernel. Four objects write it,
// each one part: signature, tiles, main loop and epilogue. Numbers that they share are in Facts.h.

#ifndef FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H
#define FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H

#include "Facts.h"

#include "fp8gemm/Dialect/Hopper/IR/Emitter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace fp8gemm {

/// The kernel seen from outside: name, parameters, shared memory and what its launcher needs to know.
class Signature {
public:
  /// Creates the kernel, without a body, at the end of `module`.
  Signature(const Facts &facts, mlir::gpu::GPUModuleOp module);

  mlir::Block *body() const { return &kernel.getBody().front(); }
  /// The parameters, by what they say of which operand: each kernel has only those that it needs.
  mlir::Value map(hopper::Operand of) const { return parameter(of, /*isMap=*/true); }
  mlir::Value memory(hopper::Operand of) const { return parameter(of, /*isMap=*/false); }
  /// The epilogue's operand `i` in global memory.
  mlir::Value epilogueOperand(size_t i) const;
  mlir::Value extentM() const { return parameter(hopper::Operand::m, /*isMap=*/false); }
  mlir::Value extentK() const { return parameter(hopper::Operand::k, /*isMap=*/false); }
  /// Shared memory outside of rings: for D; for the accumulators of split K, or the table of groups; for the largest
  /// magnitudes of rows.
  mlir::Value staging() const { return kernel.getSharedBuffers()[0]; }
  mlir::Value exchange() const { return kernel.getSharedBuffers()[1]; }
  mlir::Value table() const { return kernel.getSharedBuffers()[1]; }
  mlir::Value largest() const { return kernel.getSharedBuffers()[2]; }

private:
  mlir::Value parameter(hopper::Operand of, bool isMap) const;

  ProductOpInterface product;
  mutable hopper::KernelOp kernel;
};

/// What a role knows of a tile before it locates it.
struct Tile {
  mlir::Value number, begin, kBegin, kCount;
};

/// Tables of groups, the tiles of a CTA, and what follows from where one is.
class Tiles {
public:
  /// Emits hopper.tiles.
  Tiles(const Facts &facts, const Signature &signature, hopper::KernelEmitter emit);
  /// Tabulates the groups, and where K is grouped makes tensor maps of each.
  static void tabulate(const Facts &facts, const Signature &signature, hopper::KernelEmitter emit);

  /// A loop over this CTA's tiles; `empty` is called for those of groups without K blocks.
  void forEach(llvm::function_ref<void(const Tile &)> body, llvm::function_ref<void(const Tile &)> empty = nullptr);
  hopper::LocateOp locate(const Tile &tile) { return hopper::LocateOp::create(emit.builder, tile.number); }
  /// The tensor map of A or B for a tile: the kernel's, or its group's where K is grouped.
  mlir::Value mapOf(hopper::Operand of, hopper::LocateOp place);
  /// The matrix of A, B or D and of its scales; null if there is only one.
  mlir::Value matrixOf(hopper::Operand of, hopper::LocateOp place);
  /// Where a part of the tile of B starts in B.
  mlir::Value rowOfB(hopper::LocateOp place, int64_t part);
  /// The K block of the product that is the CTA's `i`th, and the block of scales of K block `k`.
  mlir::Value kBlock(const Tile &tile, mlir::Value i);
  mlir::Value scaleBlock(const Tile &tile, mlir::Value k);
  /// The tile's first scale among those that TMA loads from where it can address them.
  mlir::Value scaleOffset(const Tile &tile);
  /// Rows from `row` on that are of the tile's group.
  mlir::Value rowsOfGroup(hopper::LocateOp place, mlir::Value row);
  /// Those of `rows` that are not before `first`.
  mlir::Value restFrom(mlir::Value rows, mlir::Value first);

  mlir::Value rank; ///< of this CTA in its cluster

private:
  const Facts &facts;
  const Signature &signature;
  hopper::KernelEmitter emit;
  mlir::Value work; ///< of hopper.tiles
};

/// A consumer: its number, and where the rows of each of its fragments of D start in a tile.
struct Warpgroup {
  mlir::Value number;
  llvm::SmallVector<mlir::Value> firstRows;

  /// The number of fragment `i` of D among those of the tile.
  mlir::Value fragment(hopper::KernelEmitter emit, int64_t i) const;
};

/// What each role does with the K blocks of a tile.
class MainLoop {
public:
  MainLoop(const Facts &facts, const Signature &signature, Tiles &tiles, hopper::KernelEmitter emit, mlir::Value ring)
      : facts(facts), signature(signature), tiles(tiles), emit(emit), ring(ring) {}

  void load(const Tile &tile, hopper::LocateOp place);
  void fetchScales(const Tile &tile, hopper::LocateOp place);
  /// The accumulators of a tile.
  llvm::SmallVector<mlir::Value> accumulate(const Tile &tile, const Warpgroup &warpgroup,
                                            llvm::SmallVector<mlir::Value> sums);

private:
  /// A stage as a consumer sees it.
  struct Stage {
    mlir::Value slot, a, b, sfa, sfb;
  };
  /// A product in flight, and its scales.
  struct Product {
    mlir::Value slot, partial, rows, columns;
  };
  /// A warpgroup in a tile: `offset` is that of the tile's scales in their buffer.
  struct Reader {
    const Warpgroup &warpgroup;
    mlir::Value offset;
  };

  void loadTile(mlir::Value map, mlir::Value row, mlir::Value column, mlir::Value group, mlir::Value buffer,
                mlir::Value slot, bool isShared);
  /// A part of a tile of B or of its scales, in their buffer.
  mlir::Value partOfB(mlir::Value buffer, int64_t part);
  void prefetch(const Tile &tile, hopper::LocateOp place, mlir::Value i);
  Stage wait();
  /// Issues the product of fragment `i`, in the registers of `reused`, if that is given.
  Product multiply(const Stage &stage, const Reader &reader, int64_t i, mlir::Value reused);
  /// Some K blocks, with up to `partials` products in flight.
  llvm::SmallVector<mlir::Value> accumulate(const Reader &reader, int64_t stages, mlir::ValueRange sums);
  /// One K block, one product at a time. Carried are the sums, then the last product of the K block before and the
  /// scales of its rows and columns.
  llvm::SmallVector<mlir::Value> accumulateLate(const Reader &reader, mlir::ValueRange carried);
  /// The sums, with the product that is carried.
  llvm::SmallVector<mlir::Value> promoteCarried(mlir::ValueRange carried);

  const Facts &facts;
  const Signature &signature;
  Tiles &tiles;
  hopper::KernelEmitter emit;
  mlir::Value ring;
};

/// What becomes of a tile's accumulators.
class Epilogue {
public:
  /// `ringOfC` brings the C that is added, if any is loaded.
  Epilogue(const Facts &facts, const Signature &signature, Tiles &tiles, hopper::KernelEmitter emit,
           std::optional<mlir::Value> ringOfC)
      : facts(facts), signature(signature), tiles(tiles), emit(emit), ringOfC(ringOfC) {}

  /// The producer's part.
  void load(hopper::LocateOp place);
  /// The consumers' part: adds C, and what other CTAs of a cluster that splits K have; then stores D.
  void finish(hopper::LocateOp place, const Warpgroup &warpgroup, llvm::SmallVector<mlir::Value> sums);

private:
  /// What a warpgroup stores of a tile: (row, column) is where the CTA's part of the tile starts in D.
  struct Part {
    mutable hopper::LocateOp place; // accessors of operations are not const
    const Warpgroup &warpgroup;
    mlir::Value row, column;
  };

  /// Where fragment `i` of the part starts in D.
  std::pair<mlir::Value, mlir::Value> start(const Part &part, int64_t i);
  /// The elements of D: C and the sums, or the epilogue of them.
  llvm::SmallVector<mlir::Value> apply(const Part &part, mlir::ValueRange sums);
  /// What an operand of the epilogue has for fragment `i`.
  mlir::Value loadOperand(const Part &part, int64_t i, mlir::Value operand, mlir::Value parameter);
  /// Fragment `number` of those that the cluster reads in `buffer`: `columns` of it, from the `octet`th eight on.
  mlir::Value exchanged(mlir::Value buffer, mlir::Value number, mlir::OpFoldResult octet, int64_t columns);
  void reduceAndStore(hopper::LocateOp place, const Warpgroup &warpgroup, mlir::ValueRange sums);
  void exchangeLargest(const Warpgroup &warpgroup, llvm::ArrayRef<mlir::Value> results,
                       llvm::MutableArrayRef<mlir::Value> largest);
  /// Replaces elements of D by what they are in units of their row's scale, and returns the scales.
  llvm::SmallVector<mlir::Value> quantize(const Warpgroup &warpgroup, llvm::SmallVector<mlir::Value> &results);
  void store(const Part &part, llvm::SmallVector<mlir::Value> results);
  void storeScales(mlir::Value rows, mlir::Value scales, mlir::Value row, mlir::Value column, mlir::Value group);
  void storeRows(mlir::Value rows, mlir::Value panel, mlir::Value row, mlir::Value column, mlir::Value group);

  const Facts &facts;
  const Signature &signature;
  Tiles &tiles;
  hopper::KernelEmitter emit;
  std::optional<mlir::Value> ringOfC;
};

/// Builds the kernel of a product at the end of `module`.
void buildKernel(const Facts &facts, mlir::gpu::GPUModuleOp module);

} // namespace fp8gemm

#endif // FP8GEMM_LIB_CONVERSION_FP8GEMMTOHOPPER_KERNELBUILDER_H
