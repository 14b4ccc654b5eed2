// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fp8gemm-check-host: nothing that upstream's conversions did not know is left without a word.

#include "fp8gemm/Conversion/FP8GemmToLinalg.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace fp8gemm {
#define GEN_PASS_DEF_CHECKHOSTPASS
#include "fp8gemm/Conversion/Passes.h.inc"
} // namespace fp8gemm

using namespace mlir;

namespace {
struct CheckHost : fp8gemm::impl::CheckHostPassBase<CheckHost> {
  void runOnOperation() override {
    markAllAnalysesPreserved();
    reported.clear();
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->getName().getDialectNamespace() == "gpu")
        return WalkResult::skip();
      if (isa<ModuleOp>(op) || op->getName().getDialectNamespace() == "llvm")
        return WalkResult::advance();
      // The converted operations around it are not to blame.
      if (!isa<UnrealizedConversionCastOp>(op))
        report(op);
      return WalkResult::advance();
    });
    if (reported.empty())
      getOperation().walk([&](UnrealizedConversionCastOp cast) { report(cast); });
  }

  /// Each kind of operation once.
  void report(Operation *op) {
    if (!reported.insert(op->getName()).second)
      return;
    mlir::emitError(op->getLoc()) << "expected operations that can be lowered to the LLVM dialect of a CPU, got '"
                                  << op->getName() << "'" << types(op);
    signalPassFailure();
  }

  /// Which types may be why.
  static std::string types(Operation *op) {
    std::string text;
    llvm::raw_string_ostream os(text);
    if (op->getNumRegions() != 0 || op->getNumOperands() + op->getNumResults() == 0)
      return text;
    os << " : (" << op->getOperandTypes() << ") -> (" << op->getResultTypes() << ")";
    return text;
  }

  llvm::DenseSet<OperationName> reported;
};
} // namespace
