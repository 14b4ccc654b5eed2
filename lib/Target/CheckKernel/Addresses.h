// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Addresses and integers as sums: what they start from, a constant, and values times constants.

#ifndef FP8GEMM_LIB_TARGET_CHECKKERNEL_ADDRESSES_H
#define FP8GEMM_LIB_TARGET_CHECKKERNEL_ADDRESSES_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace fp8gemm::kernel {

/// base + constant + sum of value * factor, in bytes. Sums and products of the kernel are taken not
/// to wrap: shared memory and the workspace are smaller than 4 GiB.
struct Address {
  /// Takes `pointer` apart.
  static Address of(mlir::Value pointer);

  /// Adds `integer` * `factor`.
  void add(mlir::Value integer, int64_t factor);
  /// True if the two are the same sum of the same values.
  bool operator==(const Address &other) const;
  /// True if the two have the same base, constant and set of factors, whatever is multiplied by them.
  bool hasShapeOf(const Address &other) const;

  mlir::Attribute symbol; // of the global that it starts from, or
  mlir::Value base;       // the pointer that it starts from
  int64_t constant = 0;
  llvm::SmallVector<std::pair<mlir::Value, int64_t>, 4> terms; // each value once
};

} // namespace fp8gemm::kernel

#endif // FP8GEMM_LIB_TARGET_CHECKKERNEL_ADDRESSES_H
