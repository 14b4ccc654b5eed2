// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel of a quantisation. It is bound by memory and has no roles: every warp does the same. CTAs take tiles of
// 64 rows x 2 K blocks in turn, as many as the device runs at once, and of each tile a warp takes 2 rows: 8 lanes a
// K block, and a lane 8 elements of each of its halves, which are 16 bytes of bf16. The largest magnitude of a block travels
// between its lanes by shuffles. Several tiles are loaded before the first is used, so that enough bytes are in flight.

#include "Quantize.h"

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static constexpr int64_t kBlockK = 128, kThreadsPerWarp = 32, kThreads = 1024;
/// Elements that are loaded together, and of how many places in a K block a lane has as many.
static constexpr int64_t kElements = 8, kPlaces = 2;
static constexpr int64_t kLanesOfBlock = kBlockK / (kElements * kPlaces), kBlocksOfTile = 2;
static constexpr int64_t kLanesOfRow = kLanesOfBlock * kBlocksOfTile;
static constexpr int64_t kTileRows = kThreads / kLanesOfRow, kTileColumns = kBlocksOfTile * kBlockK;
/// Tiles in flight: 96 bytes of bf16 or f16 a thread, or 64 of f32, which is what 64 registers a thread have room for.
static int64_t tilesInFlight(QuantizeOp op) { return op.getXElement().isF32() ? 1 : 3; }

/// The definition of the scales: docs/Numerics.md.
static constexpr float kLeastAmax = 1e-4f, kLargestE4M3 = 448, kLargestE5M2 = 57344;

static std::string nameOf(Type element) {
  return isa<Float8E4M3FNType>(element) ? "e4m3" : isa<Float8E5M2Type>(element) ? "e5m2"
         : element.isBF16()             ? "bf16"
         : element.isF16()              ? "f16"
                                        : "f32";
}

std::string fp8gemm::nameOfKernel(QuantizeOp op) {
  bool isKMajor = op.getScale().getLayout() == ScaleLayout::k_major;
  std::string m = ShapedType::isDynamic(op.getM()) ? "any" : std::to_string(op.getM());
  return llvm::formatv("fp8gemm_quantize_{0}_{1}_m{2}_k{3}_scales_{4}{5}", nameOf(op.getXElement()),
                       nameOf(op.getQElement()), m, op.getK(), isKMajor ? "k" : "mn",
                       op.getPowerOfTwo() ? "_power_of_two" : "");
}

namespace {

class QuantizeBuilder : public ImplicitLocOpBuilder {
public:
  explicit QuantizeBuilder(QuantizeOp op) : ImplicitLocOpBuilder(op.getLoc(), op.getContext()), op(op) {}

  void build(gpu::GPUModuleOp module);

private:
  /// What a lane has of a tile: whether that exists, where the lane is, and its elements of X at each place.
  struct Part {
    Value exists, row, column;
    SmallVector<Value> elements;
  };

  KernelOp createKernel(gpu::GPUModuleOp module);
  /// What is the same for all tiles.
  void prepare();
  Part load(Value tile);
  void quantize(const Part &part);
  void store(const Part &part, ValueRange narrow, Value scale);
  Value largestOfBlock(ValueRange elements);
  /// What `body` builds runs if `condition` holds; null: always.
  void when(Value condition, llvm::function_ref<void()> body);
  /// Null where every column of a tile exists.
  Value hasColumn(Value column);

  Value index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }
  Value real(float value) { return arith::ConstantOp::create(*this, getF32FloatAttr(value)); }
  Value add(Value lhs, Value rhs) { return arith::AddIOp::create(*this, lhs, rhs); }
  Value multiply(Value lhs, int64_t rhs) {
    Value factor = index(rhs);
    return arith::MulIOp::create(*this, lhs, factor);
  }
  Value divide(Value lhs, int64_t rhs) {
    Value divisor = index(rhs);
    return arith::DivUIOp::create(*this, lhs, divisor);
  }
  Value remainder(Value lhs, int64_t rhs) {
    Value divisor = index(rhs);
    return arith::RemUIOp::create(*this, lhs, divisor);
  }
  Value isBelow(Value lhs, Value rhs) { return arith::CmpIOp::create(*this, arith::CmpIPredicate::ult, lhs, rhs); }
  Value spread(Value scalar, Type vector) { return vector::BroadcastOp::create(*this, vector, scalar); }
  VectorType vectorOf(Type element) { return VectorType::get(kElements, element); }

  QuantizeOp op;
  Value x, q, scales, m; ///< arguments
  Value rowOfTile, lane; ///< the thread's row, and its number in the K block
  Value block;           ///< the thread's, of the tile's two
  Value grid, lastRow, tiles, lastTile;
};

} // namespace

KernelOp QuantizeBuilder::createKernel(gpu::GPUModuleOp module) {
  MLIRContext *context = getContext();
  constexpr int64_t any = ShapedType::kDynamic;
  auto strided = [&](int64_t columns, ArrayRef<int64_t> strides, Type element) {
    return MemRefType::get({any, columns}, element, StridedLayoutAttr::get(context, 0, strides));
  };
  bool isKMajor = op.getScale().getLayout() == ScaleLayout::k_major;
  int64_t k = op.getK();
  SmallVector<int64_t> scaleStrides{isKMajor ? any : 1, isKMajor ? 1 : any};
  SmallVector<Type> types{strided(k, {any, 1}, op.getXElement()), strided(k, {any, 1}, op.getQElement()),
                          strided(llvm::divideCeil(k, kBlockK), scaleStrides, getF32Type()), getIndexType()};
  setInsertionPointToEnd(module.getBody());
  const Operand operands[] = {Operand::x, Operand::a, Operand::sfa, Operand::m};
  auto kernel = KernelOp::create(*this, nameOfKernel(op), types, operands, /*buffers=*/ArrayRef<Type>());
  kernel.setQuantizationAttr(QuantizationAttr::get(context, op.getM(), k, op.getXElement(), op.getQElement(),
                                                   getStringAttr(stringifyScaleLayout(op.getScale().getLayout())),
                                                   op.getPowerOfTwo()));
  kernel.setLaunchAttr(LaunchAttr::get(context, kThreads, kTileRows, kTileColumns, /*cluster_m=*/1,
                                       /*cluster_n=*/1, /*split_k=*/1, /*workspace_bytes=*/0));
  Block *body = &kernel.getBody().front();
  x = body->getArgument(0);
  q = body->getArgument(1);
  scales = body->getArgument(2);
  m = body->getArgument(3);
  return kernel;
}

void QuantizeBuilder::prepare() {
  Value thread = gpu::ThreadIdOp::create(*this, gpu::Dimension::x);
  rowOfTile = divide(thread, kLanesOfRow);
  lane = remainder(thread, kLanesOfBlock);
  block = remainder(divide(thread, kLanesOfBlock), kBlocksOfTile);
  grid = gpu::GridDimOp::create(*this, gpu::Dimension::x);
  Value one = index(1);
  lastRow = arith::SubIOp::create(*this, m, one);
  Value tilesDown = divide(add(m, index(kTileRows - 1)), kTileRows);
  tiles = multiply(tilesDown, llvm::divideCeil(op.getK(), kTileColumns));
  lastTile = arith::SubIOp::create(*this, tiles, one);
}

/// Beyond the last tile, row and column, a lane loads those once more, and later stores nothing. Its K block
/// is the last column's, whose largest magnitude does not change by that.
QuantizeBuilder::Part QuantizeBuilder::load(Value tile) {
  int64_t tilesAcross = llvm::divideCeil(op.getK(), kTileColumns);
  Part part;
  part.exists = isBelow(tile, tiles);
  tile = arith::MinUIOp::create(*this, tile, lastTile);
  part.row = multiply(divide(tile, tilesAcross), kTileRows);
  part.row = add(part.row, rowOfTile);
  Value blockOfRow = add(multiply(remainder(tile, tilesAcross), kBlocksOfTile), block);
  part.column = multiply(blockOfRow, kBlockK);
  part.column = add(part.column, multiply(lane, kElements));
  Value row = arith::MinUIOp::create(*this, part.row, lastRow);
  Value lastColumn = index(op.getK() - kElements);
  for (int64_t place = 0; place < kPlaces; ++place) {
    Value column = add(part.column, index(place * kBlockK / kPlaces));
    column = arith::MinUIOp::create(*this, column, lastColumn);
    SmallVector<Value> at{row, column};
    part.elements.push_back(vector::LoadOp::create(*this, vectorOf(op.getXElement()), x, at));
  }
  return part;
}

Value QuantizeBuilder::largestOfBlock(ValueRange elements) {
  Value magnitudes;
  for (Value place : elements) {
    Value ofPlace = math::AbsFOp::create(*this, place);
    magnitudes = magnitudes ? arith::MaximumFOp::create(*this, magnitudes, ofPlace).getResult() : ofPlace;
  }
  Value largest = vector::ReductionOp::create(*this, vector::CombiningKind::MAXIMUMF, magnitudes);
  for (int64_t distance = kLanesOfBlock / 2; distance; distance /= 2) {
    Value other =
        gpu::ShuffleOp::create(*this, largest, distance, kThreadsPerWarp, gpu::ShuffleMode::XOR).getShuffleResult();
    largest = arith::MaximumFOp::create(*this, largest, other);
  }
  return largest;
}

Value fp8gemm::scaleOf(ImplicitLocOpBuilder &b, Value amax, Type f8, bool powerOfTwo) {
  auto real = [&](float value) -> Value { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); };
  Value least = real(kLeastAmax), limit = real(isa<Float8E5M2Type>(f8) ? kLargestE5M2 : kLargestE4M3);
  Value scale = arith::MaximumFOp::create(b, amax, least);
  scale = arith::DivFOp::create(b, scale, limit);
  if (powerOfTwo) {
    // To the next power of two: a mantissa that is not 0 carries into the exponent.
    Type i32 = b.getI32Type();
    Value mantissa = arith::ConstantIntOp::create(b, 0x7fffff, 32);
    Value exponent = arith::ConstantIntOp::create(b, 0x7f800000, 32);
    Value bits = arith::BitcastOp::create(b, i32, scale);
    bits = arith::AddIOp::create(b, bits, mantissa);
    bits = arith::AndIOp::create(b, bits, exponent);
    scale = arith::BitcastOp::create(b, b.getF32Type(), bits);
  }
  Value infinity = real(std::numeric_limits<float>::infinity());
  Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, amax, infinity);
  Value notANumber =
      arith::ConstantOp::create(b, b.getFloatAttr(b.getF32Type(), APFloat::getQNaN(APFloat::IEEEsingle())));
  return arith::SelectOp::create(b, isFinite, scale, notANumber);
}

void QuantizeBuilder::when(Value condition, llvm::function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

Value QuantizeBuilder::hasColumn(Value column) {
  if (op.getK() % kTileColumns == 0)
    return nullptr;
  Value columns = index(op.getK());
  return isBelow(column, columns);
}

void QuantizeBuilder::quantize(const Part &part) {
  VectorType wide = vectorOf(getF32Type());
  SmallVector<Value> elements = part.elements;
  if (!op.getXElement().isF32())
    for (Value &place : elements)
      place = arith::ExtFOp::create(*this, wide, place);
  Value amax = largestOfBlock(elements);
  Value scale = scaleOf(*this, amax, op.getQElement(), op.getPowerOfTwo());
  Value one = real(1);
  Value reciprocal = arith::DivFOp::create(*this, one, scale);
  Value factors = spread(reciprocal, wide);
  SmallVector<Value> narrow;
  for (Value place : elements) {
    Value scaled = arith::MulFOp::create(*this, place, factors);
    narrow.push_back(arith::TruncFOp::create(*this, vectorOf(op.getQElement()), scaled));
  }
  when(isBelow(part.row, m), [&] { store(part, narrow, scale); });
}

void QuantizeBuilder::store(const Part &part, ValueRange narrow, Value scale) {
  for (auto [place, values] : llvm::enumerate(narrow)) {
    Value column = add(part.column, index(place * kBlockK / kPlaces)), elements = values;
    when(hasColumn(column), [&] {
      SmallVector<Value> at{part.row, column};
      vector::StoreOp::create(*this, elements, q, at);
    });
  }
  Value zero = index(0);
  Value isFirst = arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, lane, zero);
  if (Value exists = hasColumn(part.column))
    isFirst = arith::AndIOp::create(*this, isFirst, exists);
  when(isFirst, [&] {
    SmallVector<Value> ofBlock{part.row, divide(part.column, kBlockK)};
    memref::StoreOp::create(*this, scale, scales, ofBlock);
  });
}

void QuantizeBuilder::build(gpu::GPUModuleOp module) {
  KernelOp kernel = createKernel(module);
  setInsertionPointToStart(&kernel.getBody().front());
  prepare();
  GriddepcontrolOp::create(*this, Dependence::wait);
  GriddepcontrolOp::create(*this, Dependence::launch_dependents);
  Value first = gpu::BlockIdOp::create(*this, gpu::Dimension::x);
  Value step = multiply(grid, tilesInFlight(op));
  auto loop = scf::ForOp::create(*this, first, tiles, step);
  {
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(loop.getBody());
    SmallVector<Part> parts;
    Value tile = loop.getInductionVar();
    for (int64_t i = 0; i < tilesInFlight(op); ++i) {
      parts.push_back(load(tile));
      tile = add(tile, grid);
    }
    for (const Part &part : parts)
      when(part.exists, [&] { quantize(part); });
  }
  YieldOp::create(*this);
}

void fp8gemm::buildKernel(QuantizeOp op, gpu::GPUModuleOp module) { QuantizeBuilder(op).build(module); }
