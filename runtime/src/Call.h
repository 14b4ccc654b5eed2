// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product to launch: what every entry point of the C API comes down to.

#ifndef FP8GEMM_RUNTIME_SRC_CALL_H
#define FP8GEMM_RUNTIME_SRC_CALL_H

#include "Driver.h"
#include "Error.h"
#include "Facts.h"

namespace fp8gemm::runtime {

/// An operand's storage, as the caller gave it and as the problem asks for it.
struct Storage {
  const Form *form = nullptr;
  fp8gemm_tensor tensor{};
  int64_t rows = 0, columns = 0;
  /// Rows that there may be beyond `rows`, which is all that the host can tell.
  int64_t possibleRows = 0;
};

/// The request of a caller.
struct Call {
  const Facts &facts;
  int64_t m, k;
  size_t workspaceBytes;
  uint32_t numSms, flags;
  /// The caller gives `tensor`; checkCall fills in the extents of those that the kernel has, and of others there are no
  /// rows.
  std::array<Storage, std::tuple_size<Forms>::value> storages;

  Call(const Facts &facts, int64_t m, int64_t k, size_t workspaceBytes, uint32_t numSms, uint32_t flags)
      : facts(facts), m(m), k(k), workspaceBytes(workspaceBytes), numSms(numSms), flags(flags) {
    for (size_t i = 0; i < storages.size(); ++i)
      storages[i].form = &facts.forms[i];
  }
  const Storage &operator[](format::Operand operand) const { return storages[size_t(operand)]; }
  Storage &operator[](format::Operand operand) { return storages[size_t(operand)]; }
  int64_t extent(format::Extent extent) const;
  /// Entries of the description of groups.
  int64_t groupEntries() const { return extent(format::Extent::Entries); }
  /// Nothing would be written.
  bool hasNoWork() const;
};

/// The checks that do not need the device. The operands of a call without work are not checked.
fp8gemm_status checkCall(Call &call);

/// Copies the description of groups to the host, which waits for the stream, and checks it.
fp8gemm_status checkGroups(const Call &call, const cuda::Driver &driver, cuda::CUstream stream);

} // namespace fp8gemm::runtime

#endif // FP8GEMM_RUNTIME_SRC_CALL_H
