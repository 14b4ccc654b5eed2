// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes over kernels that may be named at any level.

#ifndef FP8GEMM_DIALECT_HOPPER_TRANSFORMS_ONEACH_H
#define FP8GEMM_DIALECT_HOPPER_TRANSFORMS_ONEACH_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"
#include "mlir/Pass/Pass.h"

namespace fp8gemm::hopper {

/// Base of a pass that works on operations of type `Op`; `Base` is the class that tablegen generates for a pass without
/// an anchor. If the pass is run on such an operation, it works on that one; if it is run on any other, such as the
/// module that a tool reads, it works on each one below. A tool would silently skip an anchored pass named at another
/// level. If there is nothing to work on, the pass warns.
template <typename Op, typename Base> class OnEach : public Base {
public:
  using Base::Base;

protected:
  /// Does the pass's work on `op`; after a failure, the remaining operations are still processed.
  virtual llvm::LogicalResult runOn(Op op) = 0;

  /// Whether there is anything in `op` for the pass, and what the warning reports as missing otherwise.
  virtual bool isFor(Op op) { return true; }
  virtual llvm::StringRef worksOn() { return Op::getOperationName(); }

private:
  void runOnOperation() final {
    mlir::Operation *root = this->getOperation();
    llvm::SmallVector<Op> all;
    if (auto op = llvm::dyn_cast<Op>(root))
      all.push_back(op);
    else
      root->walk([&](Op op) { all.push_back(op); });
    llvm::erase_if(all, [&](Op op) { return !isFor(op); });
    // A pipeline that resumes at any level is anchored, and usually meets kernels that are already lowered further.
    if (all.empty() && !llvm::isa<Op>(root))
      mlir::emitWarning(root->getLoc()) << "expected " << worksOn() << " for " << this->getArgument()
                                        << ", got none: the pass did nothing";
    for (Op op : all)
      if (failed(runOn(op)))
        this->signalPassFailure();
  }
};

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_TRANSFORMS_ONEACH_H
