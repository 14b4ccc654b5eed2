// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// raise-linalg-to-fp8gemm: scaled FP8 in a contraction becomes one operation.

#include "Epilogue.h"
#include "Fusing.h"
#include "Origins.h"
#include "Raising.h"

#include "fp8gemm/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Threading.h"

namespace fp8gemm {
#define GEN_PASS_DEF_RAISELINALGTOFP8GEMMPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::raising;

/// Finds which loop is which, and how long: those over D's elements are, in D's order, of the batch, rows of A and rows
/// of B; all others are K.
LogicalResult Raising::findLoops() {
  if (!op.hasPureTensorSemantics())
    return refuse("expected a contraction of tensors, got one of memrefs; raise before bufferization");
  if (op.getNumDpsInits() != 1)
    return refuse("expected a contraction with one result, got " + Twine(op.getNumDpsInits()));
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  unsigned rank = output.getNumResults();
  if (rank != 2 && rank != 3)
    return refuse("expected the result to be a matrix (rank 2) or a batch of them (rank 3), got rank " + Twine(rank));
  loops.resize(op.getNumLoops());
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (OpOperand &operand : op->getOpOperands()) // an extent is known if any operand knows it
    for (auto [index, size] : llvm::zip_equal(op.getMatchingIndexingMap(&operand).getResults(), op.getShape(&operand)))
      if (auto dim = dyn_cast<AffineDimExpr>(index); dim && !ShapedType::isDynamic(size))
        ranges[dim.getPosition()] = size;
  isBatched = rank == 3;
  SmallVector<Loop> order{kGroup, kRowOfA, kRowOfB};
  for (auto [index, which] : llvm::zip_equal(output.getResults(), ArrayRef(order).take_back(rank))) {
    auto dim = dyn_cast<AffineDimExpr>(index);
    if (!dim || loops[dim.getPosition()] || op.getNumParallelLoops() != rank)
      return refuse("expected one parallel loop for each dimension of the result, got " + toString(output));
    loops[dim.getPosition()] = indexOf(which);
    extents[which] = ranges[dim.getPosition()];
  }
  // Blocks of K, and elements of a block, are together K.
  SmallVector<unsigned> parts;
  SmallVector<int64_t> sizes;
  for (auto [position, index] : llvm::enumerate(loops))
    if (!index) {
      parts.push_back(position);
      sizes.push_back(ranges[position]);
      if (ShapedType::isDynamic(extents[kColumn]) || ShapedType::isDynamic(sizes.back()))
        extents[kColumn] = ShapedType::kDynamic;
      else if (llvm::MulOverflow(extents[kColumn], sizes.back(), extents[kColumn]))
        return refuse("expected K to be less than 2^63, got loops of " + shapeToString(sizes));
    }
  std::optional<Coordinates> indices = delinearize(indexOf(kColumn), sizes);
  if (!indices)
    return refuse("expected one loop over K, or static and positive ones, got loops of " + shapeToString(sizes));
  for (auto [position, index] : llvm::zip_equal(parts, *indices))
    loops[position] = index;
  return success();
}

std::optional<std::string> raising::invalidity(Operation *op) {
  std::string reason;
  uint64_t thread = llvm::get_threadid(); // handlers get what other threads emit, too
  ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &diagnostic) -> LogicalResult {
    if (llvm::get_threadid() != thread)
      return failure();
    if (reason.empty())
      reason = diagnostic.str();
    return success();
  });
  if (succeeded(op->getName().verifyInvariants(op)))
    return std::nullopt;
  StringRef text = reason;
  text.consume_front(("'" + op->getName().getStringRef() + "' op ").str());
  return text.str();
}

Operation *Raising::create(OpBuilder &builder, Type type, Value c, Value d) {
  if (isBatched)
    return GroupedGemmOp::create(builder, op.getLoc(), TypeRange(type), a.matrix, a.scale, b.matrix, b.scale,
                                 /*groups=*/Value(), c, /*epilogue_operands=*/ValueRange(), d, /*sfd=*/Value(), a.attribute, b.attribute,
                                 /*d_scale=*/ScaleAttr(), /*power_of_two=*/false, GroupingAttr(), /*gated=*/false, ConfigAttr(), SymbolRefAttr());
  return GemmOp::create(builder, op.getLoc(), TypeRange(type), a.matrix, a.scale, b.matrix, b.scale, c,
                        /*epilogue_operands=*/ValueRange(), d, /*sfd=*/Value(), a.attribute, b.attribute, /*d_scale=*/ScaleAttr(),
                        /*power_of_two=*/false, /*gated=*/false, ConfigAttr(), SymbolRefAttr());
}

/// All rules of the operation are its verifier's: what it would refuse is not made.
LogicalResult Raising::replace() {
  if (startsFromNothing(op))
    return refuse("expected the sum to start from zero or a tensor C, got an uninitialised one");
  for (Value value : {a.matrix, a.scale, b.matrix, b.scale, op.getDpsInits()[0]})
    if (Attribute encoding = cast<RankedTensorType>(value.getType()).getEncoding())
      return refuse("expected tensors without an encoding, got " + toString(encoding));
  Epilogue epilogue = epilogueOf(op);
  Operation *last = epilogue.replaced.back(), *before = last->getPrevNode();
  OpBuilder builder(last);
  auto type = cast<RankedTensorType>(last->getResult(0).getType());
  Value start = op.getDpsInits()[0], d = epilogue.c;
  if (!epilogue.isInPlace) {
    d = tensor::EmptyOp::create(builder, op.getLoc(), tensor::getMixedSizes(builder, op.getLoc(), start),
                                type.getElementType());
    if (d.getType() != type)
      d = tensor::CastOp::create(builder, op.getLoc(), type, d);
  }
  Operation *product = create(builder, type, epilogue.c, d);
  if (std::optional<std::string> reason = invalidity(product)) {
    while (last->getPrevNode() != before)
      last->getPrevNode()->erase();
    return refuse(*reason);
  }
  last->getResult(0).replaceAllUsesWith(product->getResult(0));
  for (Operation *replaced : llvm::reverse(epilogue.replaced))
    replaced->erase();
  return success();
}

void Raising::run() {
  if (failed(findLoops()) || failed(findFactors()) || failed(findSides()))
    return;
  for (Side *side : {&a, &b})
    if (failed(matchMatrix(*side)) || failed(matchScales(*side)))
      return;
  (void)replace();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Whether the body adds up something of elements of two inputs: a product, or what somebody took for one.
static bool sumsPairs(linalg::LinalgOp op) {
  llvm::DenseMap<Value, llvm::SmallBitVector> inputs; // that a value is computed from
  for (BlockArgument argument : op.getBlock()->getArguments()) {
    llvm::SmallBitVector &own = inputs[argument];
    own.resize(op->getNumOperands());
    if (OpOperand *operand = op.getMatchingOpOperand(argument); op.isDpsInput(operand))
      own.set(operand->getOperandNumber());
  }
  bool adds = false;
  for (Operation &inner : op.getBlock()->without_terminator()) {
    adds |= isa<arith::AddFOp, arith::AddIOp, math::FmaOp>(inner);
    llvm::SmallBitVector all(op->getNumOperands());
    for (Value operand : inner.getOperands())
      all |= inputs.lookup(operand);
    for (Value result : inner.getResults())
      inputs[result] = all;
  }
  return adds && llvm::any_of(op.getBlock()->getTerminator()->getOperands(),
                              [&](Value yielded) { return inputs.lookup(yielded).count() > 1; });
}

/// Whether a sum is one of products of different FP8 elements, made before.
static bool sumsPreparedProducts(linalg::LinalgOp op) {
  auto sum = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || !op.hasPureTensorSemantics())
    return false;
  SmallVector<AffineExpr> loops;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    loops.push_back(getAffineDimExpr(loop, op.getContext()));
  Value obstacle;
  for (Value operand : sum->getOperands()) {
    FailureOr<SmallVector<Factor>> factors = factorsOf(op, operand, loops, obstacle);
    if (failed(factors))
      continue;
    llvm::erase_if(*factors, [](const Factor &factor) { return !factor.isF8(); });
    auto isOther = [&](const Factor &factor) {
      const View &view = factor.views.back(), &first = factors->front().views.back();
      return view.tensor != first.tensor || view.at != first.at;
    };
    if (llvm::any_of(*factors, isOther))
      return true;
  }
  return false;
}

namespace {

struct RaiseLinalgToFP8Gemm : fp8gemm::impl::RaiseLinalgToFP8GemmPassBase<RaiseLinalgToFP8Gemm> {
  void runOnOperation() override {
    raiseQuantizations(getOperation());
    raiseProducts();
    fuseEpilogues(getOperation());
    fuseQuantizations(getOperation());
  }

private:
  void raiseProducts() {
    Origins origins(getOperation());
    SmallVector<linalg::LinalgOp> candidates;
    getOperation()->walk([&](linalg::LinalgOp op) {
      bool isFromF8 = llvm::any_of(op.getDpsInputs(), [&](Value input) { return origins.isFromF8(input); });
      if (isFromF8 && op.getNumReductionLoops() != 0 && (sumsPairs(op) || sumsPreparedProducts(op)))
        candidates.push_back(op);
    });
    for (linalg::LinalgOp op : candidates)
      Raising(op).run();
  }
};

} // namespace
