// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel as lists of instructions: one for what comes before the roles, one for each role. Loops and
// conditions are jumps, so that a role can stop anywhere and go on later.

#ifndef FP8GEMM_LIB_SIMULATOR_PROGRAM_H
#define FP8GEMM_LIB_SIMULATOR_PROGRAM_H

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "llvm/ADT/DenseMap.h"

namespace fp8gemm::simulator {

struct Task;
struct Instruction;

/// The effect of an instruction on its task.
enum class Outcome {
  Next,  ///< continue after it
  Jump,  ///< continue at its target
  Retry, ///< wait, and do it again
  Wait,  ///< wait, and continue after it
  Failed ///< an error was emitted
};

using Handler = Outcome (*)(Task &, const Instruction &);

struct Instruction {
  mlir::Operation *op;
  Handler handler;
  llvm::SmallVector<int32_t, 4> in, out; ///< slots of operands and results
  int32_t target = 0;                    ///< of a jump
  bool isAccess = false;                 ///< to memory, a barrier or a ring
};

using Code = std::vector<Instruction>;

class Program {
public:
  /// Emits an error, and fails, where `kernel` has an operation that is not simulated.
  static llvm::FailureOr<Program> compile(hopper::KernelOp kernel);

  Code top, producer, helper, consumer;
  int32_t slots = 0;
  bool waitsForPrevious = false; ///< there is a hopper.griddepcontrol wait

  int32_t slotOf(mlir::Value value) {
    auto [entry, isNew] = slotMap.try_emplace(value, slots);
    if (isNew)
      ++slots;
    return entry->second;
  }

private:
  llvm::LogicalResult compileBlock(mlir::Block &block, Code &code);
  llvm::LogicalResult compileOp(mlir::Operation &op, Code &code);
  void copy(mlir::Operation *op, mlir::ValueRange from, mlir::ValueRange to, Code &code);

  llvm::DenseMap<mlir::Value, int32_t> slotMap;
};

/// The handler of an operation, or null. Each file of handlers knows some.
Handler scalarHandler(mlir::Operation *op);
Handler ringHandler(mlir::Operation *op);
Handler fillHandler(mlir::Operation *op);
Handler computeHandler(mlir::Operation *op); ///< elementwiseHandler's, too
Handler elementwiseHandler(mlir::Operation *op);
Handler fragmentHandler(mlir::Operation *op);
Handler storeHandler(mlir::Operation *op);
Handler groupHandler(mlir::Operation *op);

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_PROGRAM_H
