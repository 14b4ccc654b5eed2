// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product to launch: what every entry point of the C API comes down to.

#ifndef FP8GEMM_RUNTIME_SRC_CALL_H
#define FP8GEMM_RUNTIME_SRC_CALL_H

#include "Driver.h"
#include "Error.h"
#include "KernelFile.h"

namespace fp8gemm::runtime {

/// The caller's arguments beside the kernel that they are for.
struct Call {
  const format::Manifest &manifest;
  int64_t m, k;
  fp8gemm_tensor a, sfa, b, sfb, c, d;
  const int32_t *groups = nullptr;
  void *workspace = nullptr;
  size_t workspaceBytes = 0;
  uint32_t numSms = 0, flags = 0;

  const format::Problem &problem() const { return *manifest.problem(); }
  /// Entries of the description of groups.
  int64_t groupEntries() const;
  /// Nothing would be written.
  bool hasNoWork() const;
};

/// An operand's storage, as the caller gave it and as the problem asks for it.
struct Storage {
  const char *name = "";
  fp8gemm_tensor tensor{};
  int64_t rows = 0, columns = 0;
  int elementBytes = 1;
  /// Bytes that the pointer and the strides must be multiples of.
  int alignment = 1;
  /// Of an operand that has an extent of groups.
  int64_t groups = 1;
  bool hasGroups = false;
  /// Whether the caller tells how far rows are apart; else there is one.
  bool hasRows = true;
  /// Rows that there may be beyond `rows`, which is all that the host can tell.
  int64_t possibleRows = 0;
};

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Bytes of the workspace that every launch is given.
size_t workspaceBytes(const format::Manifest &manifest);

Storage describe(const Call &call, format::Operand operand);

/// What can be checked without the device. The arguments of a call without work are not looked at.
fp8gemm_status checkCall(const Call &call);

/// Copies the description of groups to the host, which waits for the stream, and checks it.
fp8gemm_status checkGroups(const Call &call, const cuda::Driver &driver, cuda::CUstream stream);

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_CALL_H
