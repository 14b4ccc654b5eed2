// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/Transforms/BufferizableOpInterfaceImpl.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

/// `op` on tensors → the same on their buffers. Its attributes say how the storage is read, so they stay true whatever
/// the buffer.
template <typename Op>
static LogicalResult bufferizeOperands(Op op, RewriterBase &rewriter, const BufferizationOptions &options,
                                       BufferizationState &state) {
  if (op->getNumResults() == 0)
    return success();
  SmallVector<Value> buffers;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
    if (failed(buffer))
      return failure();
    buffers.push_back(*buffer);
  }
  rewriter.setInsertionPoint(op);
  auto onBuffers = Op::create(rewriter, op->getLoc(), TypeRange(), buffers, op->getAttrs());
  for (auto [from, to] : llvm::zip_equal(op->getRegions(), onBuffers->getRegions()))
    rewriter.inlineRegionBefore(from, to, to.end());
  replaceOpWithBufferizedValues(rewriter, op, ArrayRef(buffers).take_back(op->getNumResults()));
  return success();
}

namespace {
template <typename ProductOp>
struct ProductModel : DstBufferizableOpInterfaceExternalModel<ProductModel<ProductOp>, ProductOp> {
  /// The previous contents of D need no copy if all of D is overwritten; C is another operand.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &state) const {
    auto product = cast<ProductOp>(op);
    bool isPartly = operand.get() == product.getSfd() && product.keepsPartOfScalesOfD();
    return !product.isDpsInit(&operand) || product.keepsPartOfD() || isPartly;
  }

  /// In place: each element of C is read before D's is written.
  bool isNotConflicting(Operation *op, OpOperand *read, OpOperand *write, const AnalysisState &) const {
    auto product = cast<ProductOp>(op);
    bool own = read->getOwner() == op && write->getOwner() == op;
    return own && product.isInPlace() && read->get() == product.getC() && product.isDpsInit(write);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    return bufferizeOperands(cast<ProductOp>(op), rewriter, options, state);
  }
};

struct QuantizeModel : DstBufferizableOpInterfaceExternalModel<QuantizeModel, fp8gemm::QuantizeOp> {
  /// All of Q is overwritten, and all of the scales' storage that is no padding.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    auto quantize = cast<fp8gemm::QuantizeOp>(op);
    return !quantize.isDpsInit(&operand) || (operand.get() == quantize.getScales() && quantize.keepsPartOfScales());
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    return bufferizeOperands(cast<fp8gemm::QuantizeOp>(op), rewriter, options, state);
  }
};
} // namespace

void fp8gemm::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, FP8GemmDialect *) {
    GemmOp::attachInterface<ProductModel<GemmOp>>(*context);
    GroupedGemmOp::attachInterface<ProductModel<GroupedGemmOp>>(*context);
    QuantizeOp::attachInterface<QuantizeModel>(*context);
    KGroupedGemmOp::attachInterface<ProductModel<KGroupedGemmOp>>(*context);
  });
}
