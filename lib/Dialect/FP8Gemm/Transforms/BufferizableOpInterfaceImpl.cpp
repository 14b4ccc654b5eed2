// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/Transforms/BufferizableOpInterfaceImpl.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {
/// A product on tensors → the same on their buffers. Its attributes say how the storage
/// is read, so they stay true whatever the buffer.
template <typename ProductOp>
struct ProductModel : DstBufferizableOpInterfaceExternalModel<ProductModel<ProductOp>, ProductOp> {
  /// The previous contents of D need no copy if all of D is overwritten; C is another operand.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &state) const {
    auto product = cast<ProductOp>(op);
    return !product.isDpsInit(&operand) || product.keepsPartOfD();
  }

  /// In place: each element of C is read before D's is written.
  bool isNotConflicting(Operation *op, OpOperand *read, OpOperand *write, const AnalysisState &) const {
    auto product = cast<ProductOp>(op);
    bool own = read->getOwner() == op && write->getOwner() == op;
    return own && product.isInPlace() && read->get() == product.getC() && product.isDpsInit(write);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto product = cast<ProductOp>(op);
    if (!isa<TensorType>(product.getD().getType()))
      return success();
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    ProductOp::create(rewriter, op->getLoc(), TypeRange(), buffers, op->getAttrs());
    replaceOpWithBufferizedValues(rewriter, op, buffers.back());
    return success();
  }
};
} // namespace

void fp8gemm::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, FP8GemmDialect *) {
    GemmOp::attachInterface<ProductModel<GemmOp>>(*context);
    GroupedGemmOp::attachInterface<ProductModel<GroupedGemmOp>>(*context);
    KGroupedGemmOp::attachInterface<ProductModel<KGroupedGemmOp>>(*context);
  });
}
