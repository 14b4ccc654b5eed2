// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The known facts about an integer or pointer in each thread of a CTA, and which threads execute a block.

#ifndef FP8GEMM_LIB_TARGET_CHECKKERNEL_THREADVALUES_H
#define FP8GEMM_LIB_TARGET_CHECKKERNEL_THREADVALUES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

namespace fp8gemm::kernel {

constexpr int64_t kThreadsPerWarp = 32, kThreadsPerWarpgroup = 128, kMaxThreads = 1024;

/// The largest set of threads in which a value is known to be uniform.
enum class Scope { thread, warp, warpgroup, cta };
llvm::StringRef getName(Scope scope);

/// Two facts are computed on demand:
///
/// - the value itself in each thread, where it is a function of the thread index and constants.
///   So `tid % 128 / 32 == 0` is known exactly.
/// - else the scope of the values that it is computed from. Parameters, block indices and constants
///   are the same in the CTA; the thread index, a lane's result (elect.sync) and whatever isn't
///   known here differ in each thread. A shuffle from one lane, and a vote, are the same in a warp. A
///   load is the same for all who read one address: see docs/KernelLint.md, "What is taken for granted".
class ThreadValues {
public:
  explicit ThreadValues(mlir::LLVM::LLVMFuncOp kernel);

  int64_t getThreads() const { return threads; }
  /// `value` in each thread, zero-extended; one element if it is the same in all. Null if not known.
  const llvm::SmallVector<int64_t> *getValues(mlir::Value value);
  /// `value` in `thread`, sign-extended from its width.
  std::optional<int64_t> getValue(mlir::Value value, int64_t thread);
  Scope getScope(mlir::Value value);

  /// The threads that may come to `block`.
  const llvm::BitVector &getActive(mlir::Block *block);
  /// The innermost loop or condition around `block` that some threads of a `scope` may be in without
  /// the others; null if all come together.
  mlir::Operation *getDivergence(mlir::Block *block, Scope scope);

private:
  using PerThread = llvm::SmallVector<int64_t>;
  std::optional<PerThread> evaluate(mlir::Operation *op);
  Scope getScopeOf(const PerThread &values) const;
  /// The scope of a loop or condition: of what decides who runs its regions, and how often.
  Scope getControl(mlir::Operation *op);

  int64_t threads;
  llvm::DenseMap<mlir::Value, std::unique_ptr<std::optional<PerThread>>> values;
  llvm::DenseMap<mlir::Value, Scope> scopes;
  llvm::DenseMap<mlir::Block *, std::unique_ptr<llvm::BitVector>> active;
};

} // namespace fp8gemm::kernel

#endif // FP8GEMM_LIB_TARGET_CHECKKERNEL_THREADVALUES_H
