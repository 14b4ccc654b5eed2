// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product to launch: what every entry point of the C API comes down to.

#ifndef FP8GEMM_RUNTIME_SRC_CALL_H
#define FP8GEMM_RUNTIME_SRC_CALL_H

#include "Driver.h"
#include "Error.h"
#include "KernelFile.h"

#include <array>

namespace fp8gemm::runtime {

/// An operand's storage, as the caller gave it and as the problem asks for it.
struct Storage {
  const char *name = "";
  fp8gemm_tensor tensor{};
  int64_t rows = 0, columns = 0;
  int elementBytes = 1;
  /// Bytes that the pointer and the strides must be multiples of; a power of two.
  int alignment = 1;
  /// Of an operand that has an extent of groups.
  int64_t groups = 1;
  bool hasGroups = false;
  /// Whether the caller tells how far rows are apart; else there is one.
  bool hasRows = true;
  /// Rows that there may be beyond `rows`, which is all that the host can tell.
  int64_t possibleRows = 0;
};

/// What the caller asks of a kernel.
struct Call {
  const format::Manifest &manifest;
  int64_t m = 0, k = 0;
  size_t workspaceBytes = 0;
  uint32_t numSms = 0, flags = 0;
  /// By operand. The caller gives `tensor`; checkCall fills in the rest of those that the kernel has, and of others
  /// there are no rows.
  std::array<Storage, size_t(format::Operand::None) + 1> storages{};

  const format::Problem &problem() const { return *manifest.problem(); }
  const Storage &operator[](format::Operand operand) const { return storages[size_t(operand)]; }
  Storage &operator[](format::Operand operand) { return storages[size_t(operand)]; }
  /// Entries of the description of groups.
  int64_t groupEntries() const;
  /// Nothing would be written.
  bool hasNoWork() const;
};

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Bytes of the workspace that every launch is given.
size_t workspaceBytes(const format::Manifest &manifest);

/// What can be checked without the device. The operands of a call without work are not looked at.
fp8gemm_status checkCall(Call &call);

/// Copies the description of groups to the host, which waits for the stream, and checks it.
fp8gemm_status checkGroups(const Call &call, const cuda::Driver &driver, cuda::CUstream stream);

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_CALL_H
