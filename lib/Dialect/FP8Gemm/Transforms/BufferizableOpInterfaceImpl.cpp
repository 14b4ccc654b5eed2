// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fp8gemm/Dialect/FP8Gemm/Transforms/BufferizableOpInterfaceImpl.h"

#include "fp8gemm/Dialect/FP8Gemm/IR/FP8Gemm.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {
/// fp8gemm.gemm on tensors → fp8gemm.gemm on their buffers. Its attributes say how
/// the storage of the scales is read, so they stay true whatever the buffer.
struct GemmOpInterface : DstBufferizableOpInterfaceExternalModel<GemmOpInterface, fp8gemm::GemmOp> {
  /// D is overwritten, so what it held needs no copy; C is another operand.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &state) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  /// In place: each element of C is read before D's is written.
  bool isNotConflicting(Operation *op, OpOperand *read, OpOperand *write, const AnalysisState &) const {
    auto gemm = cast<fp8gemm::GemmOp>(op);
    bool own = read->getOwner() == op && write->getOwner() == op;
    return own && gemm.isInPlace() && read->get() == gemm.getC() && gemm.isDpsInit(write);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto gemm = cast<fp8gemm::GemmOp>(op);
    if (!isa<TensorType>(gemm.getD().getType()))
      return success();
    SmallVector<Value> buffers;
    for (Value operand : gemm->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    rewriter.setInsertionPoint(gemm);
    fp8gemm::GemmOp::create(rewriter, gemm.getLoc(), TypeRange(), buffers, gemm->getAttrs());
    replaceOpWithBufferizedValues(rewriter, gemm, buffers.back());
    return success();
  }
};
} // namespace

void fp8gemm::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, FP8GemmDialect *) { GemmOp::attachInterface<GemmOpInterface>(*context); });
}
