// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// raise-linalg-to-fp8gemm: scaled FP8 in a contraction becomes one operation.

#include "Factors.h"

#include "fp8gemm/Conversion/Passes.h"
#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace fp8gemm {
#define GEN_PASS_DEF_RAISELINALGTOFP8GEMMPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

static constexpr int64_t kBlock = 128; ///< elements of K, and rows of B, that share a scale

namespace {

/// A or B, and its scales.
struct ScaledMatrix {
  StringRef name;
  SmallVector<Factor> factors;
  Value matrix, scales;
  ScaleAttr scale;

  bool hasF8() const {
    return llvm::any_of(factors, [](const Factor &factor) { return factor.isF8(); });
  }
};

class Raising {
public:
  explicit Raising(linalg::LinalgOp op) : op(op) {}

  /// Replaces the contraction; leaves it alone, with a remark if it is nearly one, where it is something else.
  void run();

private:
  bool findOperands();
  LogicalResult checkContraction();
  LogicalResult matchMatrix(ScaledMatrix &side);
  LogicalResult matchScales(ScaledMatrix &side);
  LogicalResult checkExtents();
  void replace();

  LogicalResult refuse(const Twine &reason) {
    op->emitRemark("not raised to fp8gemm.gemm: ") << reason;
    return failure();
  }
  AffineExpr row() { return getAffineDimExpr(0, op.getContext()); }
  AffineExpr column() { return getAffineDimExpr(1, op.getContext()); }
  RankedTensorType result() { return cast<RankedTensorType>(op->getResult(0).getType()); }

  linalg::LinalgOp op;
  bool isBatched = false;
  ScaledMatrix a{"a", {}, {}, {}, {}}, b{"b", {}, {}, {}, {}};
};

std::string toString(AffineMap map) {
  std::string text;
  llvm::raw_string_ostream(text) << map;
  return text;
}

std::string toString(mlir::Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// An index of a dimension of `size`, as views have it.
AffineExpr indexOf(AffineExpr index, int64_t size) {
  return size == 1 ? getAffineConstantExpr(0, index.getContext()) : index;
}

std::string place(const View &view) {
  return toString(AffineMap::get(2, 0, view.at, view.tensor.getContext())) + " of " + toString(view.tensor.getType());
}

/// Whether this contraction has FP8 in it; then its operands' factors are known. A is the one whose rows are D's.
bool Raising::findOperands() {
  if (op->getNumResults() != 1)
    return false;
  FailureOr<linalg::ContractionDimensions> dims = linalg::inferContractionDims(op);
  if (failed(dims) || dims->k.size() != 1 || dims->m.size() > 1 || dims->n.size() > 1)
    return false;
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  OpOperand *lhs = op.getDpsInputOperand(0), *rhs = op.getDpsInputOperand(1);
  isBatched = dims->batch.size() != 0 || dims->m.empty() || dims->n.empty();
  bool isSwapped = !isBatched && output.getResult(0) == getAffineDimExpr(dims->n[0], op.getContext());
  if (isSwapped)
    std::swap(lhs, rhs);
  for (auto [operand, side] : {std::pair(lhs, &a), std::pair(rhs, &b)}) {
    if (!isa<RankedTensorType>(operand->get().getType()))
      return false;
    SmallVector<AffineExpr> loops(op.getNumLoops(), row()), at;
    loops[dims->k[0]] = column();
    for (AffineExpr index : op.getMatchingIndexingMap(operand).getResults())
      at.push_back(index.replaceDims(loops));
    side->factors = factorsOf(operand->get(), at);
  }
  return a.hasF8() || b.hasF8();
}

LogicalResult Raising::checkContraction() {
  if (isBatched)
    return refuse("expected one product of two matrices, got a batch of them or a vector");
  for (OpOperand &operand : op->getOpOperands())
    if (!getElementTypeOrSelf(operand.get().getType()).isF32())
      return refuse("expected the product of scaled elements in f32, got " +
                    toString(getElementTypeOrSelf(operand.get().getType())));
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  Value start = fill ? fill.getInputs()[0] : op.getDpsInits()[0];
  if (!matchPattern(start, m_AnyZeroFloat()))
    return refuse("expected the sum to start from zero, got another value");
  return success();
}

LogicalResult Raising::matchMatrix(ScaledMatrix &side) {
  auto isF8 = [](const Factor &factor) { return factor.isF8(); };
  int64_t matrices = llvm::count_if(side.factors, isF8);
  if (matrices != 1)
    return refuse("expected one factor of f8E4M3FN or f8E5M2 in '" + side.name + "', got " + Twine(matrices));
  if (side.factors.size() != 2)
    return refuse("expected one factor of scales in '" + side.name + "', got " + Twine(side.factors.size() - 1));
  Factor &matrix = *llvm::find_if(side.factors, isF8);
  for (const View &view : llvm::reverse(matrix.views)) {
    ArrayRef<int64_t> shape = view.getType().getShape();
    if (shape.size() == 2 && view.at[0] == indexOf(row(), shape[0]) && view.at[1] == indexOf(column(), shape[1])) {
      if (ShapedType::isDynamic(shape[1]))
        return refuse("expected a static K, got a dynamic one");
      side.matrix = view.tensor;
      return success();
    }
  }
  return refuse("expected '" + side.name + "' to be [rows, K] with K innermost, got element (row, k) at " +
                place(matrix.views.back()));
}

/// Finds the view of the scales whose index says which block of the matrix each serves.
LogicalResult Raising::matchScales(ScaledMatrix &side) {
  Factor &scales = *llvm::find_if(side.factors, [](const Factor &factor) { return !factor.isF8(); });
  if (!scales.getElementType().isF32())
    return refuse("expected scales of '" + side.name + "' in f32, got " + toString(scales.getElementType()));
  auto matrix = cast<RankedTensorType>(side.matrix.getType());
  for (const View &view : llvm::reverse(scales.views)) {
    ArrayRef<int64_t> shape = view.getType().getShape();
    if (shape.size() != 2)
      continue;
    for (int64_t rows : {int64_t(1), kBlock})
      for (ScaleLayout layout : {ScaleLayout::k_major, ScaleLayout::mn_major}) {
        int64_t mn = layout == ScaleLayout::k_major ? 0 : 1;
        int64_t mnBlocks = matrix.isDynamicDim(0) ? matrix.getDimSize(0) : llvm::divideCeil(matrix.getDimSize(0), rows);
        bool isThat =
            view.at[mn] == indexOf(row().floorDiv(rows), mnBlocks) &&
            view.at[1 - mn] == indexOf(column().floorDiv(kBlock), llvm::divideCeil(matrix.getDimSize(1), kBlock));
        if (!isThat || (rows != 1 && side.name == "a"))
          continue;
        side.scales = view.tensor;
        side.scale = ScaleAttr::get(op.getContext(), rows, kBlock, layout);
        return success();
      }
  }
  return refuse("expected one scale for 1x128 " + Twine(side.name == "b" ? "or 128x128 " : "") + "elements of '" +
                side.name + "', got that of element (row, k) at " + place(scales.views.back()));
}

/// The rules of the operation about N, K and storage.
LogicalResult Raising::checkExtents() {
  auto aType = cast<RankedTensorType>(a.matrix.getType()), bType = cast<RankedTensorType>(b.matrix.getType());
  int64_t n = bType.getDimSize(0), k = bType.getDimSize(1);
  if (ShapedType::isDynamic(n) || result().getDimSize(1) != n || n % 8 != 0)
    return refuse("expected a static N that is a multiple of 8, got " +
                  (ShapedType::isDynamic(n) ? Twine("a dynamic one") : Twine(n)));
  if (k % 16 != 0)
    return refuse("expected K to be a multiple of 16, got " + Twine(k));
  for (auto [side, rows] : {std::pair(&a, aType.getDimSize(0)), std::pair(&b, n)}) {
    auto scales = cast<RankedTensorType>(side->scales.getType());
    bool mnMajor = side->scale.getLayout() == ScaleLayout::mn_major;
    int64_t columns = scales.getDimSize(1);
    if (mnMajor && side->scale.getRows() == 1 && !ShapedType::isDynamic(columns) && columns % 4 != 0)
      return refuse("expected scales of '" + side->name +
                    "' stored K block first to have rows of a multiple of 4, got " + Twine(columns));
  }
  return success();
}

/// The truncation of D to bf16 that is its only use.
linalg::GenericOp truncationOf(Value d) {
  if (!d.hasOneUse())
    return nullptr;
  auto generic = dyn_cast<linalg::GenericOp>(*d.user_begin());
  if (!generic || generic.getNumDpsInputs() != 1 || generic.getNumDpsInits() != 1 || generic.getNumLoops() != 2 ||
      generic.getNumParallelLoops() != 2 ||
      !llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
    return nullptr;
  auto truncation = generic.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::TruncFOp>();
  bool isPlain = truncation && truncation.getIn() == generic.getBody()->getArgument(0) &&
                 truncation.getType().isBF16() &&
                 truncation.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) ==
                     arith::RoundingMode::to_nearest_even;
  return isPlain ? generic : nullptr;
}

void Raising::replace() {
  Operation *replaced = op;
  if (linalg::GenericOp truncation = truncationOf(op->getResult(0)))
    replaced = truncation;
  OpBuilder builder(replaced);
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(replaced->getResult(0).getType());
  Value destination = tensor::EmptyOp::create(builder, loc, tensor::getMixedSizes(builder, loc, op.getDpsInits()[0]),
                                              type.getElementType());
  if (destination.getType() != type)
    destination = tensor::CastOp::create(builder, loc, type, destination);
  auto gemm = GemmOp::create(builder, loc, TypeRange(type), a.matrix, a.scales, b.matrix, b.scales, /*c=*/Value(),
                             destination, a.scale, b.scale, ConfigAttr(), SymbolRefAttr());
  replaced->getResult(0).replaceAllUsesWith(gemm->getResult(0));
  if (replaced != op)
    replaced->erase();
  op->erase();
}

void Raising::run() {
  if (!findOperands() || failed(checkContraction()) || failed(matchMatrix(a)) || failed(matchMatrix(b)) ||
      failed(matchScales(a)) || failed(matchScales(b)) || failed(checkExtents()))
    return;
  replace();
}

struct RaiseLinalgToFP8Gemm : fp8gemm::impl::RaiseLinalgToFP8GemmPassBase<RaiseLinalgToFP8Gemm> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> candidates;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (linalg::isaContractionOpInterface(op))
        candidates.push_back(op);
    });
    for (linalg::LinalgOp op : candidates)
      Raising(op).run();
  }
};

} // namespace
