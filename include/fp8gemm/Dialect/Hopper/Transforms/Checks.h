// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the checks of kernels: numbered rules, and paths through structured control flow.

#ifndef FP8GEMM_DIALECT_HOPPER_TRANSFORMS_CHECKS_H
#define FP8GEMM_DIALECT_HOPPER_TRANSFORMS_CHECKS_H

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseSet.h"

namespace fp8gemm::hopper {

/// Reports broken rules, each once per operation.
class Reporter {
public:
  /// Rules are named `letter` and a number: R1.
  explicit Reporter(char letter) : letter(letter) {}

  /// Starts the message of a broken rule; the message is dropped if `op` is already known to break it.
  /// `note` points at `other`, if any.
  mlir::InFlightDiagnostic report(mlir::Operation *op, unsigned rule, mlir::Operation *other = nullptr,
                                  llvm::StringRef note = "") {
    anyBroken = true;
    mlir::InFlightDiagnostic error = emitWithoutRegions(op);
    if (!reported.insert({op, rule}).second) {
      error.abandon(); // rather than returning an empty diagnostic, which must not be written to
      return error;
    }
    if (other)
      error.attachNote(other->getLoc()) << note;
    error << "breaks " << letter << rule << ": ";
    return error;
  }
  bool failed() const { return anyBroken; }

private:
  char letter;
  bool anyBroken = false;
  llvm::DenseSet<std::pair<mlir::Operation *, unsigned>> reported;
};

/// Follows every path through `block`: visit(op, state) changes the state at each
/// operation. Where paths meet, State::join(other) merges the other's state and
/// returns true if that changed it. Loops are followed until nothing changes.
template <typename State, typename Visit> void followPaths(mlir::Block &block, State &state, Visit visit) {
  for (mlir::Operation &op : block) {
    visit(&op, state);
    if (op.getNumRegions() == 0)
      continue;
    bool isCondition = llvm::isa<mlir::scf::IfOp>(op), changed = true;
    bool mayBeSkipped = !isCondition || op.getRegion(1).empty();
    std::optional<State> after;
    if (mayBeSkipped)
      after = state;
    while (changed) {
      changed = false;
      for (mlir::Region &region : op.getRegions()) {
        if (region.empty())
          continue;
        // A loop's next iteration starts where any earlier path ends.
        State inside = isCondition ? state : *after;
        followPaths(region.front(), inside, visit);
        if (!after) {
          after = inside;
          continue;
        }
        changed |= after->join(inside);
      }
      changed &= !isCondition;
    }
    state = *after;
  }
}

} // namespace fp8gemm::hopper

#endif // FP8GEMM_DIALECT_HOPPER_TRANSFORMS_CHECKS_H
