// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of a trial, and the products that its groups are. Shares no code with the compiler.

#ifndef FP8GEMM_LIB_SIMULATOR_TRIALPROBLEM_H
#define FP8GEMM_LIB_SIMULATOR_TRIALPROBLEM_H

#include "fp8gemm/Dialect/Hopper/IR/Diagnostics.h"
#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Simulator/Simulator.h"
#include "fp8gemm/Simulator/Trial.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <array>
#include <random>

namespace fp8gemm::simulator {

/// A matrix for each group, poisoned around and between its elements.
class Storage {
public:
  static constexpr uint8_t kPoison = 0xff; ///< NaN as FP8, bf16 and f32
  static constexpr int64_t kRowAlignment = 16;

  Storage() = default;
  /// Rows start at multiples of 16 bytes, `padBytes` apart.
  Storage(int64_t groups, int64_t rows, int64_t columns, int64_t elementBytes, int64_t padBytes);

  uint8_t *at(int64_t group, int64_t row, int64_t column) {
    return bytes.data() + kGuard + (group * matrix.groupStride + row * matrix.leadingDimension + column) * elementBytes;
  }
  template <typename T> T *as(int64_t group, int64_t row, int64_t column) {
    return reinterpret_cast<T *>(at(group, row, column));
  }
  /// The elements, without the guards, as the simulator sees them.
  Matrix view();

  Matrix matrix;
  int64_t elementBytes = 1;
  std::vector<uint8_t> bytes;

private:
  static constexpr int64_t kGuard = 1024;
};

/// An element of bf16, f16 or f32.
double elementOf(Storage &storage, int64_t group, int64_t row, int64_t column, bool isF16 = false);

/// D[group, rows] = C + A * B^T of one group, or of rows of one that follow each other.
struct GroupProduct {
  int64_t group = 0, firstRow = 0, rows = 0;
  int64_t firstK = 0, k = 0, firstBlock = 0; ///< its part of K, and its first block of scales
};

/// What an epilogue's argument is: the sum, C, or the memory of a parameter.
struct EpilogueInput {
  bool isSum = false, isC = false;
  hopper::Operand operand = hopper::Operand::none;
};

/// An error at `kernel` if there is a watchdog whose time is over.
llvm::LogicalResult checkTime(hopper::KernelOp kernel, Watchdog *watchdog);

struct TrialProblem {
  /// Draws what the options leave open, and fills the operands. Emits an error where the options don't fit the problem.
  static llvm::FailureOr<TrialProblem> make(hopper::KernelOp kernel, const TrialOptions &options);

  void forEachProduct(llvm::function_ref<void(const GroupProduct &)> visit) const;
  int64_t groups() const { return problem.getGroups() ? problem.getGroups().getCount() : 1; }
  bool isGrouped(hopper::Grouping by) const { return problem.getGroups() && problem.getGroups().getBy() == by; }
  bool hasGroupsOfA() const { return isGrouped(hopper::Grouping::row_count) || isGrouped(hopper::Grouping::batched); }
  bool hasGroupsOfB() const { return problem.getGroups() && !alongK(); }
  /// Matrices of B: of its G ones, or of fewer, group g has number g mod as many.
  int64_t matricesOfB() const {
    if (!hasGroupsOfB())
      return 1;
    return problem.getGroups().getWeights() ? problem.getGroups().getWeights() : groups();
  }
  bool hasGroupsOfD() const { return hasGroupsOfA() || alongK(); }
  /// Columns of C and D, and elements of a bias: of a gated product half as many as B has rows.
  int64_t columnsOfD() const { return problem.getGated() ? problem.getN() / 2 : problem.getN(); }
  bool alongK() const { return isGrouped(hopper::Grouping::k_count); }

  // An element of a product's operands.
  uint8_t *a(const GroupProduct &product, int64_t row, int64_t k);
  uint8_t *b(const GroupProduct &product, int64_t column, int64_t k);
  float &scaleA(const GroupProduct &product, int64_t row, int64_t block);
  float &scaleB(const GroupProduct &product, int64_t column, int64_t block);
  /// D's scale of a row's block of 128 columns.
  float &scaleD(const GroupProduct &product, int64_t row, int64_t block);
  int64_t groupOfD(const GroupProduct &product) const { return hasGroupsOfD() ? product.group : 0; }
  /// The element of an input of the epilogue's function for D[row, column] of a product.
  double epilogueElement(const EpilogueInput &input, const GroupProduct &product, int64_t row, int64_t column);

  mutable hopper::ProblemAttr problem;
  int64_t m = 0, k = 0;
  bool isFlat = false; ///< A and B are each group's matrix, packed
  std::vector<int64_t> sizes;
  std::vector<int32_t> description;

  Storage operandA, operandB, sfa, sfb, sfd, c, bias, d, before; ///< before: what D holds at first
  std::array<bool, 8> isF16 = {};                                ///< of these, half-precision
  std::array<Storage, 8> epilogue;                               ///< operands of an epilogue that is not a sum
  hopper::MapOp function;                                        ///< the epilogue, if there is one
  llvm::SmallVector<EpilogueInput> inputs;                       ///< of the function

private:
  llvm::LogicalResult chooseGroups(hopper::KernelOp kernel, const TrialOptions &options, std::mt19937_64 &random);
  /// An error where that takes too much memory.
  llvm::LogicalResult allocate(hopper::KernelOp kernel, int64_t padBytes);
  /// The function, and the memory that it reads.
  llvm::LogicalResult findEpilogue(hopper::KernelOp kernel, int64_t padBytes);
  void fillEpilogue(std::mt19937_64 &random);
  llvm::LogicalResult fill(hopper::KernelOp kernel, Watchdog *watchdog, std::mt19937_64 &random);
};

} // namespace fp8gemm::simulator

#endif // FP8GEMM_LIB_SIMULATOR_TRIALPROBLEM_H
