// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel of a quantisation. It is bound by memory and has no roles: every warp does the same. CTAs take tiles of
// 64 rows x 2 K blocks in turn, as many as the device runs at once, and of each tile a warp takes 2 rows: 8 lanes a
// K block, and a lane 8 elements of each of its halves, which are 16 bytes of bf16. The largest magnitude of a block
// travels between its lanes by shuffles. Where 128 rows share a scale, a tile is one of their blocks, of which a warp
// takes 4 rows; what warps found travels through shared memory. Several tiles are loaded before the first is used, so
// that enough bytes are in flight.

#include "Quantize.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/Epilogue.h"
#include "fp8gemm/Dialect/Hopper/IR/Emitter.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;
using Predicate = arith::CmpIPredicate;

static constexpr int64_t kBlockK = 128, kThreadsPerWarp = 32, kThreads = 1024;
/// Elements that are loaded together, and of how many places in a K block a lane has as many.
static constexpr int64_t kElements = 8, kPlaces = 2;
static constexpr int64_t kLanesOfBlock = kBlockK / (kElements * kPlaces), kWarps = kThreads / kThreadsPerWarp;
/// The least rows of a tile of a product that is not swapped.
static constexpr int64_t kRowsOfProductTile = 64;

namespace {
/// A tile of Q.
struct Tile {
  int64_t blocks; ///< of K
  int64_t lanesOfRow = kLanesOfBlock * blocks, rows = kThreads / lanesOfRow, columns = blocks * kBlockK;
};
} // namespace

/// True if the scales of 128 rows are one.
static bool sharesScales(QuantizeOp op) { return op.getScale().getRows() != 1; }

static Tile tileOf(QuantizeOp op) { return {sharesScales(op) ? 1 : 2}; }

/// Tiles in flight: up to 96 bytes of bf16 or f16 a thread, or of f32 one tile, which is what 64 registers a thread
/// have room for. What waits for other warps waits in f32.
static int64_t tilesInFlight(QuantizeOp op) {
  return op.getXElement().isF32() || op.getGated() || sharesScales(op) ? 1 : 3;
}

static std::string nameOf(Type element) {
  return isa<Float8E4M3FNType>(element) ? "e4m3"
         : isa<Float8E5M2Type>(element) ? "e5m2"
         : element.isBF16()             ? "bf16"
         : element.isF16()              ? "f16"
                                        : "f32";
}

/// The same only for prologues that are the same.
static std::string nameOfPrologue(QuantizeOp op) {
  if (std::optional<format::Activation> activation = activationOf(op))
    return *activation == format::Activation::None ? ""
                                                   : std::string("_") + nameOf(format::kActivationWords, *activation);
  std::string text;
  llvm::raw_string_ostream os(text);
  op.getPrologueBody()->print(os);
  return llvm::formatv("_prologue_{0:x-16}", llvm::xxh3_64bits(text));
}

std::string fp8gemm::nameOfKernel(QuantizeOp op) {
  bool isKMajor = op.getScale().getLayout() == ScaleLayout::k_major;
  std::string m = ShapedType::isDynamic(op.getM()) ? "any" : std::to_string(op.getM());
  return llvm::formatv("fp8gemm_quantize_{0}_{1}_m{2}_k{3}_scales_{4}{5}{6}{7}{8}", nameOf(op.getXElement()),
                       nameOf(op.getQElement()), m, op.getK(), isKMajor ? "k" : "mn", sharesScales(op) ? "_by128" : "",
                       op.getPowerOfTwo() ? "_power_of_two" : "", op.getGated() ? "_gated" : "", nameOfPrologue(op));
}

/// The kernel, without a body, at the end of `module`.
static KernelOp createKernel(QuantizeOp op, gpu::GPUModuleOp module) {
  ImplicitLocOpBuilder builder(op.getLoc(), OpBuilder::atBlockEnd(module.getBody()));
  MLIRContext *context = builder.getContext();
  constexpr int64_t any = ShapedType::kDynamic;
  int64_t k = op.getK(), blocks = llvm::divideCeil(k, kBlockK);
  bool isKMajor = op.getScale().getLayout() == ScaleLayout::k_major;
  auto kernel = KernelOp::create(builder, nameOfKernel(op));
  kernel.addParameter(Operand::x,
                      globalMatrix({any, cast<ShapedType>(op.getX().getType()).getDimSize(1)}, op.getXElement()));
  kernel.addParameter(Operand::a, globalMatrix({any, k}, op.getQElement()));
  kernel.addParameter(Operand::sfa, globalMatrix({any, blocks}, builder.getF32Type(), /*grouped=*/false, !isKMajor));
  kernel.addParameter(Operand::m, builder.getIndexType());
  if (sharesScales(op))
    kernel.addSharedBuffer("largest", sharedMemory({kWarps}, builder.getF32Type()));
  StringAttr activation; // only of a prologue that a problem can name
  if (std::optional<format::Activation> known = activationOf(op); known && op.getPrologueBody())
    activation = builder.getStringAttr(nameOf(format::kActivationWords, *known));
  kernel.setQuantizationAttr(QuantizationAttr::get(
      context, op.getM(), k, op.getXElement(), op.getQElement(),
      builder.getStringAttr(stringifyScaleLayout(op.getScale().getLayout())), op.getScale().getRows(),
      op.getPowerOfTwo(), op.getGated(), op.getPrologueBody() != nullptr, activation));
  kernel.setLaunchAttr(LaunchAttr::get(context, kThreads, tileOf(op).rows, tileOf(op).columns,
                                       /*cluster_m=*/1, /*cluster_n=*/1, /*split_k=*/1, /*workspace_bytes=*/0));
  return kernel;
}

namespace {

class QuantizeBuilder {
public:
  QuantizeBuilder(QuantizeOp op, Block *body)
      : op(op), tile(tileOf(op)), b(op.getLoc(), OpBuilder::atBlockEnd(body)), emit(b, body), x(body->getArgument(0)),
        q(body->getArgument(1)), scales(body->getArgument(2)), m(body->getArgument(3)) {
    if (sharesScales(op))
      largestOfWarps = body->getArgument(4);
  }

  void build();

private:
  /// What a lane has of a tile: whether that exists, where the lane is, and its elements of X at each place, of which
  /// there are two where X is gated.
  struct Part {
    Value exists, row, column;
    SmallVector<SmallVector<Value, 2>> elements;
  };

  /// What is the same for all tiles.
  void prepare();
  Part load(Value number);
  Value widen(ValueRange elements);
  void quantize(const Part &part);
  void store(const Part &part, ValueRange narrow, Value scale);
  Value largestOfBlock(ValueRange elements);
  Value largestOfLanes(Value largest, int64_t lanes);
  Value exchange(Value largest);
  /// Not every column of a tile exists.
  bool hasPartialTiles() { return op.getK() % tile.columns != 0; }
  Value columnExists(Value column) { return emit.compare(Predicate::ult, column, op.getK()); }
  VectorType vectorOf(Type element) { return VectorType::get(kElements, element); }

  QuantizeOp op;
  Tile tile;
  ImplicitLocOpBuilder b;
  KernelEmitter emit;
  Value x, q, scales, m; ///< arguments
  Value largestOfWarps;  ///< in shared memory, where 128 rows share scales
  Value thread;
  Value rowOfTile, lane; ///< the thread's row, and its number in the K block
  Value block;           ///< the thread's, of the tile's two
  Value grid, lastRow, tiles, lastTile;
};

} // namespace

void QuantizeBuilder::prepare() {
  thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  rowOfTile = named("row_of_tile", emit.div(thread, tile.lanesOfRow));
  lane = named("lane", emit.rem(thread, kLanesOfBlock));
  block = named("block", emit.rem(emit.div(thread, kLanesOfBlock), tile.blocks));
  grid = gpu::GridDimOp::create(b, gpu::Dimension::x);
  lastRow = named("last_row", emit.sub(m, 1));
  Value tilesDown = emit.div(emit.add(m, tile.rows - 1), tile.rows);
  tiles = named("tiles", emit.mul(tilesDown, llvm::divideCeil(op.getK(), tile.columns)));
  lastTile = named("last_tile", emit.sub(tiles, 1));
}

/// Beyond the last tile, row and column, a lane loads those once more, and later stores nothing. Its K block
/// is the last column's, whose largest magnitude does not change by that.
QuantizeBuilder::Part QuantizeBuilder::load(Value number) {
  int64_t tilesAcross = llvm::divideCeil(op.getK(), tile.columns);
  Part part;
  part.exists = emit.compare(Predicate::ult, number, tiles);
  number = emit.min(number, lastTile);
  part.row = named("row", emit.add(emit.mul(emit.div(number, tilesAcross), tile.rows), rowOfTile));
  Value blockOfRow = emit.add(emit.mul(emit.rem(number, tilesAcross), tile.blocks), block);
  Value blockColumn = emit.mul(blockOfRow, kBlockK), ofLane = emit.mul(lane, kElements);
  part.column = named("column", emit.add(blockColumn, ofLane));
  Value row = emit.min(part.row, lastRow);
  for (int64_t place = 0; place < kPlaces; ++place) {
    Value column = emit.add(part.column, place * kBlockK / kPlaces);
    column = emit.min(column, emit.constant(op.getK() - kElements));
    auto load = [&](Value column) {
      SmallVector<Value> at{row, column};
      return vector::LoadOp::create(b, vectorOf(op.getXElement()), x, at);
    };
    part.elements.emplace_back().push_back(load(column));
    if (op.getGated())
      part.elements.back().push_back(load(emit.add(column, op.getK())));
  }
  return part;
}

Value QuantizeBuilder::largestOfBlock(ValueRange elements) {
  Value magnitudes;
  for (Value place : elements) {
    Value ofPlace = math::AbsFOp::create(b, place);
    magnitudes = magnitudes ? arith::MaximumFOp::create(b, magnitudes, ofPlace).getResult() : ofPlace;
  }
  Value largest = vector::ReductionOp::create(b, vector::CombiningKind::MAXIMUMF, magnitudes);
  if (!sharesScales(op))
    return largestOfLanes(largest, kLanesOfBlock);
  return exchange(largestOfLanes(largest, kThreadsPerWarp));
}

/// Of what all warps found, each of which found one.
Value QuantizeBuilder::exchange(Value largest) {
  static_assert(kWarps == kThreadsPerWarp, "a lane takes what one warp found");
  Value laneOfWarp = emit.rem(thread, kThreadsPerWarp), warp = emit.div(thread, kThreadsPerWarp);
  emit.when(emit.compare(Predicate::eq, laneOfWarp, 0),
            [&] { memref::StoreOp::create(b, largest, largestOfWarps, warp); });
  gpu::BarrierOp::create(b);
  Value all = memref::LoadOp::create(b, largestOfWarps, laneOfWarp);
  all = largestOfLanes(all, kThreadsPerWarp);
  gpu::BarrierOp::create(b); // before what is found in the next tile takes its place
  return all;
}

/// Of each `lanes` neighbours.
Value QuantizeBuilder::largestOfLanes(Value largest, int64_t lanes) {
  for (int64_t distance = lanes / 2; distance; distance /= 2) {
    Value other =
        gpu::ShuffleOp::create(b, largest, distance, kThreadsPerWarp, gpu::ShuffleMode::XOR).getShuffleResult();
    largest = arith::MaximumFOp::create(b, largest, other);
  }
  return largest;
}

/// What is quantised, in f32: an element of X, or the prologue of that or of two.
Value QuantizeBuilder::widen(ValueRange elements) {
  VectorType wide = vectorOf(b.getF32Type());
  SmallVector<Value> widened(elements);
  if (!op.getXElement().isF32())
    for (Value &ofX : widened)
      ofX = arith::ExtFOp::create(b, wide, ofX);
  if (Block *body = op.getPrologueBody())
    return MapOp::create(b, wide, widened, *body);
  return widened.front();
}

void QuantizeBuilder::quantize(const Part &part) {
  VectorType wide = vectorOf(b.getF32Type());
  SmallVector<Value> elements = llvm::map_to_vector(part.elements, [&](ValueRange ofX) { return widen(ofX); });
  Value amax = largestOfBlock(elements);
  Value scale = scaleOf(b, amax, op.getQElement(), op.getPowerOfTwo());
  Value one = arith::ConstantOp::create(b, b.getF32FloatAttr(1));
  Value reciprocal = arith::DivFOp::create(b, one, scale);
  Value factors = vector::BroadcastOp::create(b, wide, reciprocal);
  SmallVector<Value> narrow;
  for (Value place : elements) {
    Value scaled = arith::MulFOp::create(b, place, factors);
    narrow.push_back(arith::TruncFOp::create(b, vectorOf(op.getQElement()), scaled));
  }
  Value hasRow = emit.compare(Predicate::ult, part.row, m);
  emit.when(hasRow, [&] { store(part, narrow, scale); });
}

void QuantizeBuilder::store(const Part &part, ValueRange narrow, Value scale) {
  for (auto [place, values] : llvm::enumerate(narrow)) {
    Value column = emit.add(part.column, int64_t(place) * kBlockK / kPlaces), elements = values;
    auto storeElements = [&] {
      SmallVector<Value> at{part.row, column};
      vector::StoreOp::create(b, elements, q, at);
    };
    if (hasPartialTiles())
      emit.when(columnExists(column), storeElements);
    else
      storeElements();
  }
  Value isFirst = emit.compare(Predicate::eq, sharesScales(op) ? thread : lane, 0);
  if (hasPartialTiles())
    isFirst = emit.both(isFirst, columnExists(part.column));
  emit.when(isFirst, [&] {
    Value row = sharesScales(op) ? emit.div(part.row, tile.rows) : part.row;
    SmallVector<Value> ofBlock{row, emit.div(part.column, kBlockK)};
    memref::StoreOp::create(b, scale, scales, ofBlock);
  });
}

void QuantizeBuilder::build() {
  prepare();
  GriddepcontrolOp::create(b, Dependence::wait);
  // CTAs of the product that start while this kernel has most SMs take them in the order in which they become free. Where
  // there is more than one row of tiles, those that read the same rows of B would not be neighbours: it starts at the end.
  Value isOneRow = named("is_one_row", emit.compare(Predicate::ule, m, kRowsOfProductTile));
  emit.when(isOneRow, [&] { GriddepcontrolOp::create(b, Dependence::launch_dependents); });
  Value first = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  Value step = emit.mul(grid, tilesInFlight(op));
  auto loop = scf::ForOp::create(b, first, tiles, step);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Part> parts;
    Value number = loop.getInductionVar();
    for (int64_t i = 0; i < tilesInFlight(op); ++i) {
      parts.push_back(load(number));
      number = emit.add(number, grid);
    }
    for (auto [i, part] : llvm::enumerate(parts))
      if (i == 0) // which the loop is for
        quantize(part);
      else
        emit.when(part.exists, [&, &part = part] { quantize(part); });
  }
  // Not left to the kernel's end, which is noticed half a microsecond later.
  GriddepcontrolOp::create(b, Dependence::launch_dependents);
  YieldOp::create(b);
}

void fp8gemm::buildKernel(QuantizeOp op, gpu::GPUModuleOp module) {
  KernelOp kernel = createKernel(op, module);
  QuantizeBuilder(op, &kernel.getBody().front()).build();
}
